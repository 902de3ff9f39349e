"""`rowvault dump`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command, usage_error
from rowvault.cli.input.names import NAMING_HELP, parse_name
from rowvault.cli.input.options import SNAPSHOT_HELP
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option, taken
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import format_bytes, plural, printable
from rowvault.cli.output.progress import monitor
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.render.dump import DumpResult


@click.command(
    "dump",
    cls=Command,
    short_help="Write a snapshot as SQL text, or a table as CSV or JSON.",
    help=f"""Write a snapshot, one database or one table as SQL that the stock client loads.

    With --format csv or jsonl: the rows of one table, without its definition. In CSV texts are
    quoted, and numbers, X'hex' for bytes and the empty field of NULL are not; in jsonl each line
    is an object, bytes are {{"hex": "..."}}. No value is rounded or converted in any form.

    {SNAPSHOT_HELP}

    The text goes to standard output, or to a file that appears under its name only when it is
    whole.

    A snapshot made with --users is written with its users and the hashes of their passwords; one
    database or table is written without.

    {NAMING_HELP}
    """,
    examples=[
        "rowvault dump latest | mariadb",
        "rowvault dump latest~1 shop.orders -o orders.sql",
        "rowvault dump latest shop.orders --format csv -o orders.csv",
        "rowvault dump latest main | sqlite3 copy.db",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.INCOMPLETE,
        ExitCode.NO_REPOSITORY,
        ExitCode.WRONG_PASSWORD,
        ExitCode.DAMAGE,
        ExitCode.INTERRUPTED,
    ],
)
@click.argument("snapshot", metavar="SNAP")
@click.argument("name", metavar="[DB[.TABLE]]", required=False)
@click.option(
    "--format",
    "text_format",
    type=click.Choice(["sql", "csv", "jsonl"]),
    default="sql",
    help="The form of the text. Default: sql.",
)
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to this file instead of standard output.",
)
@source_option
@click.pass_obj
def dump(
    settings: Settings,
    snapshot: str,
    name: str | None,
    text_format: str,
    file: Path | None,
    source_name: str | None,
) -> None:
    """Runs `rowvault dump`."""
    from rowvault.commands.dump import DumpOptions
    from rowvault.commands.dump import dump as run
    from rowvault.render.rows import RowFormat

    if settings.as_json and file is None:
        raise usage_error("--json needs -o FILE: standard output carries the dump")
    database, table = parse_name(name) if name is not None else (None, None)
    row_format = None if text_format == "sql" else RowFormat(text_format)
    choice = snapshot_choice(settings, snapshot, source_name)
    options = DumpOptions(
        settings.access(), choice, database, table, stdout.write_bytes, file, row_format
    )
    # A live line would write into the text, or into the pager that shows it.
    with monitor(settings, bars=file is not None) as watching:
        result = run(options, watching)
    if file is not None:
        _tell(settings, file, result)
    if result.omissions:
        raise click.exceptions.Exit(ExitCode.INCOMPLETE)


def _tell(settings: Settings, file: Path, result: DumpResult) -> None:
    if settings.as_json:
        stdout.write_json(
            taken(settings)
            | {
                "file": str(file),
                "tables": result.tables,
                "rows": result.rows,
                "bytes": result.bytes,
                "warnings": list(result.omissions),
            }
        )
    elif not settings.quiet:
        held = f"{plural(result.tables, 'table')}, {plural(result.rows, 'row')}"
        stdout.write_line(f"{printable(str(file))}: {held}, {format_bytes(result.bytes)}")
