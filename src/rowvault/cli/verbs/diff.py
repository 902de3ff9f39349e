"""`rowvault diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command
from rowvault.cli.input.names import NAMING_HELP, parse_name
from rowvault.cli.input.options import SNAPSHOT_HELP
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import format_count, iso_time, printable
from rowvault.cli.output.progress import monitor
from rowvault.cli.output.table import Heading, write_table
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.diff import SnapshotsDiff
    from rowvault.timeline.diff import DiffResult, ObjectDifference, TableDifference

_HEADINGS = (
    Heading("kind"),
    Heading("name", foldable=True),
    Heading("status"),
    Heading("added", numeric=True),
    Heading("removed", numeric=True),
    Heading("changed", numeric=True),
)


@click.command(
    "diff",
    cls=Command,
    short_help="Compare two snapshots row by row.",
    help=f"""Compare two snapshots: which objects differ, and how many rows of each table were
    added, removed and changed from the first to the second.

    {SNAPSHOT_HELP}

    Only blocks that differ are read. A table without a key has no changed rows: an update is one
    row removed and one added. What only one of the two was asked to hold (another choice of
    databases and tables, --exclude) is `not selected`: nothing is known of a change. Differences
    are no failure: the exit code is 0.

    {NAMING_HELP}
    """,
    examples=[
        "rowvault diff latest~1 latest",
        "rowvault diff latest~1 latest shop.orders",
        "rowvault diff @2026-11-20T10:00 latest --json | jq '.tables[] | select(.changed > 0)'",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.NO_REPOSITORY,
        ExitCode.WRONG_PASSWORD,
        ExitCode.DAMAGE,
        ExitCode.INTERRUPTED,
    ],
)
@click.argument("old", metavar="SNAP")
@click.argument("new", metavar="SNAP")
@click.argument("name", metavar="[DB[.TABLE]]", required=False)
@source_option
@click.pass_obj
def diff(settings: Settings, old: str, new: str, name: str | None, source_name: str | None) -> None:
    """Runs `rowvault diff`."""
    from rowvault.commands.diff import DiffOptions
    from rowvault.commands.diff import diff as run

    database, table = parse_name(name) if name is not None else (None, None)
    with monitor(settings) as watching:
        before, after = (snapshot_choice(settings, one, source_name) for one in (old, new))
        result = run(DiffOptions(settings.access(), before, after, database, table), watching)
    if settings.as_json:
        stdout.write_json(document(result) | _sides(settings))
    else:
        _write(result.difference)


def _sides(settings: Settings) -> dict[str, object]:
    return {
        f"{side}_{key}": value
        for side, found in zip(("old", "new"), settings.taken, strict=True)
        for key, value in (
            ("time", iso_time(found.snapshot.time)),
            ("source", found.source),
        )
    }


def document(result: SnapshotsDiff) -> dict[str, object]:
    """The difference with the stable keys of `--json`."""
    return {
        "old": result.old,
        "new": result.new,
        "tables": [
            {
                "database": one.database,
                "table": one.table,
                "status": str(one.status),
                "added": one.added,
                "removed": one.removed,
                "changed": one.changed,
            }
            for one in result.difference.tables
        ],
        "objects": [
            {
                "kind": str(one.kind),
                "database": one.database,
                "name": one.name,
                "status": str(one.status),
            }
            for one in result.difference.objects
        ],
    }


def _outside(difference: DiffResult) -> set[str]:
    """Databases of which only one of the two snapshots was asked to hold anything."""
    entries: list[TableDifference | ObjectDifference] = [*difference.tables, *difference.objects]
    compared = {one.database for one in entries if one.status != "not selected"}
    return {one.database for one in entries if one.database} - compared


def _figures(difference: TableDifference) -> list[str]:
    if difference.status in ("not selected", "left out"):
        return ["", "", ""]
    return [
        format_count(difference.added),
        format_count(difference.removed),
        format_count(difference.changed),
    ]


def _object_name(difference: ObjectDifference) -> str:
    return printable(
        f"{difference.database}.{difference.name}" if difference.database else difference.name
    )


def _write(difference: DiffResult) -> None:
    outside = _outside(difference)
    rows = [
        ["table", printable(f"{one.database}.{one.table}"), str(one.status), *_figures(one)]
        for one in difference.tables
        if one.status != "same" and one.database not in outside
    ]
    same = sum(one.status == "same" for one in difference.tables)
    rows += [
        [str(one.kind), _object_name(one), str(one.status), "", "", ""]
        for one in difference.objects
        if one.database not in outside
    ]
    rows += [["database", printable(one), "not selected", "", "", ""] for one in sorted(outside)]
    if rows:
        write_table(_HEADINGS, rows)
    if same:
        ending = "table is the same" if same == 1 else "tables are the same"
        stdout.write_line(f"{format_count(same)} {ending}")
    elif not rows:
        stdout.write_line("nothing to compare")
