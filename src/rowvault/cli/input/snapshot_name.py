"""SNAP and --source as they are typed, and the line that says which snapshot was taken."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from rowvault.cli.output.formatting import format_time, iso_time, printable
from rowvault.cli.output.zone import zone
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.chosen import SnapshotChoice
    from rowvault.repository import FoundSnapshot

_Function = TypeVar("_Function", bound=Callable[..., object])
_LONGEST_NAME = 200


def source_option(function: _Function) -> _Function:
    """`--source NAME` of verbs that take a snapshot by name."""
    return click.option(
        "--source",
        "source_name",
        metavar="NAME",
        help="Snapshots of this source only; needed where the repository holds several.",
    )(function)


def snapshot_choice(
    settings: Settings,
    text: str,
    source: str | None = None,
    *,
    changes: bool = False,
) -> SnapshotChoice:
    """The snapshot that SNAP names; `changes`: of several with a tag none is to be taken."""
    from rowvault.commands.chosen import SnapshotChoice
    from rowvault.repository import SnapshotRequest

    request = SnapshotRequest(text, source, changes=changes, zone=zone(settings))
    return SnapshotChoice(request, lambda found: _tell(settings, found))


def taken(settings: Settings) -> dict[str, object]:
    """The keys of `--json` that say which snapshot was taken."""
    found = settings.taken[-1]
    return {
        "snapshot": found.snapshot.id,
        "time": iso_time(found.snapshot.time),
        "source": found.source,
    }


def source_name(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """A name for a source, as `backup --source` gives one. Raises BadParameter."""
    if value is None:
        return None
    if not value.strip() or value != value.strip() or len(value) > _LONGEST_NAME:
        raise click.BadParameter(
            f"a source's name has 1 to {_LONGEST_NAME} characters, and no space around it"
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise click.BadParameter("a source's name has no control characters")
    return value


def _tell(settings: Settings, found: FoundSnapshot) -> None:
    settings.taken.append(found)
    if not (settings.as_json or settings.quiet):
        until = f", the newest until {_timed(settings, found.until)}" if found.until else ""
        taken_at = f"{format_time(found.snapshot.time)} {zone(settings).name}"
        source = f"source {printable(found.source)}"
        click.echo(f"snapshot {found.snapshot.id} of {taken_at}, {source}{until}", err=True)
    for note in found.notes:
        click.echo(f"warning: {printable(note)}", err=True)


def _timed(settings: Settings, time: object) -> str:
    from datetime import datetime

    assert isinstance(time, datetime)
    own = zone(settings)
    return f"{own.text(time)} ({own.name})"
