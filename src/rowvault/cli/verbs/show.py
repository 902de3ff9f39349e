"""`rowvault show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command
from rowvault.cli.input.options import SNAPSHOT_HELP
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option
from rowvault.cli.output import stdout
from rowvault.cli.output.formatting import (
    format_bytes,
    format_count,
    format_seconds,
    format_time,
    plural,
    printable,
)
from rowvault.cli.output.moment import moment_text
from rowvault.cli.output.table import write_facts
from rowvault.cli.output.zone import shown_zone
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.snapshots import SnapshotEntry


@click.command(
    "show",
    cls=Command,
    short_help="Describe one snapshot.",
    help=f"""Describe one snapshot: where and when it was read, how large it is, what is missing.

    {SNAPSHOT_HELP}
    """,
    examples=["rowvault show latest", "rowvault show 3fa9 --json"],
)
@click.argument("snapshot", metavar="SNAP")
@source_option
@click.pass_obj
def show(settings: Settings, snapshot: str, source_name: str | None) -> None:
    """Runs `rowvault show`."""
    from rowvault.commands.snapshots import ShowOptions
    from rowvault.commands.snapshots import show as run
    from rowvault.render.description import snapshot_document

    entry = run(ShowOptions(settings.access(), snapshot_choice(settings, snapshot, source_name)))
    if settings.as_json:
        stdout.write_json(snapshot_document(entry.snapshot, entry.tags, entry.source))
    else:
        write_facts(_facts(entry))


def _facts(entry: SnapshotEntry) -> list[tuple[str, str]]:
    from rowvault.repository import selection_text

    snapshot = entry.snapshot
    rows = f"{plural(snapshot.tables, 'table')}, {plural(snapshot.rows, 'row')}"
    new = f"{format_count(snapshot.new_blocks)} of {plural(snapshot.blocks, 'block')} new"
    server = snapshot.server
    return [
        ("snapshot", snapshot.id),
        ("time", f"{format_time(snapshot.time)} {shown_zone().name}"),
        ("parent", snapshot.parent or "none"),
        ("tags", printable(", ".join(entry.tags))),
        ("source", printable(entry.source)),
        ("address", printable(server.url)),
        ("server", printable(f"{server.vendor} {server.version}")),
        ("moment", printable(moment_text(snapshot.moment))),
        ("selection", printable(selection_text(snapshot.selection))),
        ("holds", f"{rows}, {format_bytes(snapshot.raw_bytes)}"),
        ("stored", f"{format_bytes(snapshot.stored_bytes)}, {new}"),
        ("took", format_seconds(snapshot.seconds)),
        ("made by", f"rowvault {printable(snapshot.tool_version)}"),
        ("state", "whole" if snapshot.is_whole else "incomplete: rows or objects are missing"),
        *(("missing", printable(one)) for one in snapshot.lacks),
        *(("left out", printable(one)) for one in snapshot.warnings if one not in snapshot.lacks),
    ]
