"""`rowvault snapshots`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command
from rowvault.cli.input.snapshot_name import source_option
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import (
    format_bytes,
    format_count,
    format_time,
    iso_time,
    printable,
    printable_lines,
)
from rowvault.cli.output.table import Heading, write_table
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.snapshots import SnapshotEntry

_HEADINGS = (
    Heading("id"),
    Heading("time", timed=True),
    Heading("source", foldable=True),
    Heading("tables", numeric=True),
    Heading("rows", numeric=True),
    Heading("size", numeric=True),
    Heading("stored", numeric=True),
    Heading("state"),
    Heading("tags", foldable=True),
)


@click.command(
    "snapshots",
    cls=Command,
    short_help="List the snapshots.",
    examples=["rowvault snapshots", "rowvault snapshots --json | jq -r '.[-1].id'"],
)
@source_option
@click.pass_obj
def snapshots(settings: Settings, source_name: str | None) -> None:
    """List all snapshots, oldest first.

    `size` is what the rows take unpacked, `stored` by how much the snapshot made the repository
    grow. `state` is `incomplete` where rows or objects are missing that the snapshot was to hold:
    `show` names them.
    """
    from rowvault.commands.snapshots import SnapshotsOptions
    from rowvault.commands.snapshots import snapshots as run

    result = run(SnapshotsOptions(settings.access(), source_name))
    if settings.as_json:
        stdout.write_json([document(entry) for entry in result.entries])
    elif result.entries:
        write_table(_HEADINGS, [_cells(entry) for entry in result.entries])
    elif not settings.quiet and not result.damage:
        click.echo("no snapshots yet: `rowvault backup SOURCE` takes one", err=True)
    for message in result.damage:
        click.echo(f"damage: {printable_lines(message)}", err=True)
    if result.damage:
        raise click.exceptions.Exit(ExitCode.DAMAGE)


def document(entry: SnapshotEntry) -> dict[str, object]:
    """A snapshot with the stable keys of `--json`."""
    snapshot = entry.snapshot
    return {
        "id": snapshot.id,
        "time": iso_time(snapshot.time),
        "source": entry.source,
        "tags": list(entry.tags),
        "tables": snapshot.tables,
        "rows": snapshot.rows,
        "raw_bytes": snapshot.raw_bytes,
        "whole": snapshot.is_whole,
    }


def _cells(entry: SnapshotEntry) -> list[str]:
    snapshot = entry.snapshot
    return [
        snapshot.id,
        format_time(snapshot.time),
        printable(entry.source),
        format_count(snapshot.tables),
        format_count(snapshot.rows),
        format_bytes(snapshot.raw_bytes),
        format_bytes(snapshot.stored_bytes),
        "" if snapshot.is_whole else "incomplete",
        printable(", ".join(entry.tags)),
    ]
