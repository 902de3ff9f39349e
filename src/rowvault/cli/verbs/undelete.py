"""`rowvault undelete`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command, usage_error
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import format_time, iso_time, printable, printable_lines
from rowvault.cli.output.table import Heading, write_table
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.forget import ForgottenEntry, TrashResult

_HEADINGS = (
    Heading("id"),
    Heading("time", timed=True),
    Heading("forgotten", timed=True),
    Heading("source", foldable=True),
    Heading("state"),
    Heading("tags", foldable=True),
)


@click.command(
    "undelete",
    cls=Command,
    short_help="Bring forgotten snapshots back.",
    examples=["rowvault undelete --list", "rowvault undelete 3fa9", "rowvault undelete latest"],
)
@click.argument("snapshots", nargs=-1, metavar="[SNAP]...")
@click.option("--list", "list_only", is_flag=True, help="List what can be brought back.")
@source_option
@click.pass_obj
def undelete(
    settings: Settings, snapshots: tuple[str, ...], list_only: bool, source_name: str | None
) -> None:
    """Bring forgotten snapshots back, with their tags. What `prune` has removed is gone.

    SNAP is the beginning of an id (four digits or more), `latest` (the newest of the forgotten
    ones), `latest~2`, or a time, as in other commands.
    """
    from rowvault.commands.forget import UndeleteOptions, list_trash
    from rowvault.commands.forget import undelete as run

    if list_only == bool(snapshots):
        raise usage_error("Name forgotten snapshots, or give --list.")
    if list_only:
        _show(list_trash(settings.access()), settings)
        return
    choices = [snapshot_choice(settings, one, source_name, changes=True) for one in snapshots]
    brought = run(UndeleteOptions(settings.access(), tuple(choices)))
    if settings.as_json:
        stdout.write_json({"snapshots": [one.id for one in brought]})
    elif not settings.quiet:
        for one in brought:
            stdout.write_line(f"snapshot {one.id} of {format_time(one.time)} is back")


def document(entry: ForgottenEntry) -> dict[str, object]:
    """A forgotten snapshot with the stable keys of `--json`."""
    return {
        "id": entry.snapshot.id,
        "time": iso_time(entry.snapshot.time),
        "forgotten": iso_time(entry.forgotten),
        "source": entry.source,
        "tags": list(entry.tags),
        "whole": entry.snapshot.is_whole,
    }


def _show(result: TrashResult, settings: Settings) -> None:
    if settings.as_json:
        stdout.write_json([document(entry) for entry in result.entries])
    elif result.entries:
        write_table(_HEADINGS, [_cells(entry) for entry in result.entries])
    elif not settings.quiet:
        click.echo("no snapshot is forgotten", err=True)
    for message in result.damage:
        click.echo(f"damage: {printable_lines(message)}", err=True)
    if result.damage:
        raise click.exceptions.Exit(ExitCode.DAMAGE)


def _cells(entry: ForgottenEntry) -> list[str]:
    return [
        entry.snapshot.id,
        format_time(entry.snapshot.time),
        format_time(entry.forgotten),
        printable(entry.source),
        "" if entry.snapshot.is_whole else "incomplete",
        printable(", ".join(entry.tags)),
    ]
