"""`rowvault verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command
from rowvault.cli.input.names import NAMING_HELP, parse_database, parse_rename, parse_table
from rowvault.cli.input.options import (
    SERVER_HELP,
    SNAPSHOT_HELP,
    databases_option,
    default_workers,
    defaults_file_option,
    server,
    tables_option,
    workers_option,
)
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option, taken
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import format_bytes, format_seconds, plural, printable
from rowvault.cli.output.progress import monitor
from rowvault.cli.output.table import write_facts
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.verify import VerifyResult


_NAMED = 5


@click.command(
    "verify",
    cls=Command,
    short_help="Compare a live server with a snapshot.",
    help=f"""Compare a live server with a snapshot: every definition, every row. Nothing is changed.

    {SNAPSHOT_HELP}

    TARGET {SERVER_HELP}

    Names what is missing, what is otherwise, and what the server has beyond the snapshot in the
    databases compared. `restore` does the same for what it restored, unless told not to.

    {NAMING_HELP}
    """,
    examples=[
        "rowvault verify latest mysql://root@db2.example.org/",
        "rowvault verify latest mysql://root@db/ -d shop --rename shop=shop_copy",
        "rowvault verify @2026-11-20T10:00 sqlite:///yesterday.db --json | jq .differences",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.UNVERIFIED,
        ExitCode.NO_REPOSITORY,
        ExitCode.WRONG_PASSWORD,
        ExitCode.DAMAGE,
        ExitCode.INTERRUPTED,
    ],
)
@click.argument("snapshot", metavar="SNAP")
@click.argument("target")
@databases_option("Only this database; may be repeated.")
@tables_option("Only this table with its indexes and triggers; may be repeated.")
@click.option(
    "--rename",
    "renames",
    multiple=True,
    metavar="OLD=NEW",
    help="The server has it under another name: DB=DB2, or DB.T=DB2.T2; may be repeated.",
)
@click.option("--users", is_flag=True, help="Also users, roles and grants.")
@workers_option
@defaults_file_option
@source_option
@click.pass_obj
def verify(
    settings: Settings,
    snapshot: str,
    target: str,
    databases: tuple[str, ...],
    tables: tuple[str, ...],
    renames: tuple[str, ...],
    users: bool,
    workers: int | None,
    defaults_file: Path | None,
    source_name: str | None,
) -> None:
    """Runs `rowvault verify`."""
    from rowvault.commands.verify import VerifyOptions
    from rowvault.commands.verify import verify as run

    options = VerifyOptions(
        settings.access(),
        snapshot_choice(settings, snapshot, source_name),
        server(target, defaults_file),
        databases=tuple(parse_database(name) for name in databases),
        tables=tuple(parse_table(name) for name in tables),
        rename=tuple(parse_rename(pair) for pair in renames),
        users=users,
        workers=workers or default_workers(),
    )
    with monitor(settings) as watching:
        result = run(options, watching)
    _write(result, settings)
    if result.differences:
        raise click.exceptions.Exit(ExitCode.UNVERIFIED)


def _write(result: VerifyResult, settings: Settings) -> None:
    if settings.as_json:
        stdout.write_json(taken(settings) | document(result))
        return
    for difference in result.differences:
        stdout.write_line(printable(difference))
    if settings.quiet:
        return
    rows = f"{plural(result.tables, 'table')}, {plural(result.rows, 'row')}"
    write_facts(
        [
            ("compared", f"{rows}, {format_bytes(result.raw_bytes)}"),
            ("with snapshot", result.snapshot),
            ("not selected", _not_selected(result)),
            ("time", format_seconds(result.seconds)),
        ]
    )
    count = len(result.differences)
    stdout.write_line(plural(count, "difference") if count else _equal(result))


def _equal(result: VerifyResult) -> str:
    """What is equal; what the snapshot lacks was not compared."""
    if not result.incomplete:
        return "equal: all definitions and rows"
    lacking = printable(" ".join(result.incomplete[:_NAMED]))
    return f"equal: all definitions and rows that the snapshot holds; it lacks: {lacking}"


def _not_selected(result: VerifyResult) -> str:
    """What the server has beyond, of which a snapshot of a part says nothing."""
    named = ", ".join(result.not_selected[:_NAMED])
    more = len(result.not_selected) - _NAMED
    return printable(f"{named} and {more} more" if more > 0 else named)


def document(result: VerifyResult) -> dict[str, object]:
    """The result with the stable keys of `--json`."""
    return {
        "snapshot": result.snapshot,
        "tables": result.tables,
        "rows": result.rows,
        "raw_bytes": result.raw_bytes,
        "seconds": result.seconds,
        "verified": not result.differences,
        "differences": list(result.differences),
        "not_selected": list(result.not_selected),
        "incomplete": list(result.incomplete),
    }
