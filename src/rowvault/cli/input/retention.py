"""Retention as it is typed: `--keep-daily 7`, `--keep-within 1y6m`, `--keep-tag a,b`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rowvault.core.errors import UsageError

if TYPE_CHECKING:
    from rowvault.core.zone import Zone
    from rowvault.upkeep.retention import Policy

_Function = TypeVar("_Function", bound=Callable[..., object])

_COUNTED = {
    "last": "the N newest snapshots",
    "hourly": "the newest of each of N hours",
    "daily": "the newest of each of N days",
    "weekly": "the newest of each of N weeks",
    "monthly": "the newest of each of N months",
    "yearly": "the newest of each of N years",
}
_UNLIMITED = -1


def _count(context: click.Context, parameter: click.Parameter, value: str | None) -> int:
    if value is None:
        return 0
    if value in ("unlimited", "-1"):
        return _UNLIMITED
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise click.BadParameter(f"{value!r} is neither a number nor `unlimited`")
    return int(value)


def keep_options(function: _Function) -> _Function:
    """All `--keep-*` options; the function takes them as `keep_...`."""
    decorated = click.option(
        "--keep-tag",
        "keep_tag",
        multiple=True,
        metavar="TAG[,TAG]...",
        help="Keep snapshots with this tag, or with all of these; may be repeated. '': no tag.",
    )(function)
    for period in reversed(_COUNTED):
        if period != "last":
            decorated = click.option(
                f"--keep-within-{period}",
                metavar="D",
                help=f"Keep {_COUNTED[period].replace('N ', 'the ')} within D of the newest.",
            )(decorated)
    decorated = click.option(
        "--keep-within", metavar="D", help="Keep all within D of the newest, like 1y6m14d12h."
    )(decorated)
    for period, text in reversed(_COUNTED.items()):
        decorated = click.option(
            f"--keep-{period}", metavar="N", callback=_count, help=f"Keep {text}."
        )(decorated)
    return decorated


def policy(options: dict[str, Any], zone: Zone) -> Policy:
    """The policy of the `keep_...` parameters, which are taken out. Raises UsageError."""
    from rowvault.upkeep.retention import Period, Policy, Span

    within = options.pop("keep_within")
    spans = {
        Period(period): Span.parse(text)
        for period in _COUNTED
        if period != "last" and (text := options.pop(f"keep_within_{period}")) is not None
    }
    counts = {Period(period): options.pop(f"keep_{period}") for period in _COUNTED}
    tags = tuple(tuple(text.split(",")) for text in options.pop("keep_tag"))
    if any("" in tag and tag != ("",) for tag in tags):
        raise UsageError("--keep-tag: an empty tag among others")
    return Policy(
        counts={period: count for period, count in counts.items() if count},
        within=None if within is None else Span.parse(within),
        within_periods=spans,
        tags=tags,
        zone=zone,
    )
