"""The time zone of this run: `--timezone`, ROWVAULT_TIMEZONE, else that of the machine."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from functools import cache

import click

from rowvault.cli.settings import Settings
from rowvault.core.errors import UsageError
from rowvault.core.zone import UTC_ZONE, Zone

VARIABLE = "ROWVAULT_TIMEZONE"
_LINK = "/etc/localtime"
_UTC_NAMES = ("UTC", "UCT", "GMT", "Zulu", "Universal")
_RULES = re.compile(r"(<[^>]+>|[A-Za-z]{3,})[-+]?\d.*")
"""A zone as POSIX has it in TZ: `CET-1CEST,M3.5.0,M10.5.0/3`."""


def configured_zone(settings: Settings) -> Zone | None:
    """The zone that `--timezone` or ROWVAULT_TIMEZONE names. Raises UsageError."""
    name = settings.timezone or os.environ.get(VARIABLE)
    return _named(name) if name else None


def zone(settings: Settings) -> Zone:
    """The zone in which times are read and shown. Raises UsageError."""
    return configured_zone(settings) or _local()


def shown_zone() -> Zone:
    """The zone of the command that runs; UTC where none does."""
    context = click.get_current_context(silent=True)
    settings = None if context is None else context.find_object(Settings)
    return UTC_ZONE if settings is None else zone(settings)


@cache
def _local() -> Zone:
    stated = os.environ.get("TZ", "").removeprefix(":")
    if stated and not _RULES.fullmatch(stated) and not os.path.isabs(stated):
        return _named(stated)
    if not stated and os.path.islink(_LINK):
        _, _, stated = os.path.realpath(_LINK).partition("zoneinfo/")
    if stated.removeprefix("Etc/") in _UTC_NAMES:
        return UTC_ZONE
    now = datetime.now(UTC).astimezone()
    name = stated or now.tzname() or "local time"
    return UTC_ZONE if name in _UTC_NAMES else Zone(name, None)


@cache
def _named(name: str) -> Zone:
    if name.removeprefix("Etc/") in _UTC_NAMES:
        return UTC_ZONE
    # Start-up time: most runs are in UTC, or read no zone.
    from zoneinfo import ZoneInfo

    try:
        return Zone(name, ZoneInfo(name))
    except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise _unknown(name) from error
    except KeyError:
        raise _unknown(name) from None


def _unknown(name: str) -> UsageError:
    return UsageError(
        f"{name!r} is no time zone that this machine knows: write it like Europe/Berlin or UTC; "
        "the zones come with the package tzdata of the system or of PyPI."
    )
