"""`rowvault ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command, usage_error
from rowvault.cli.input.names import NAMING_HELP, parse_name
from rowvault.cli.input.options import SNAPSHOT_HELP
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option, taken
from rowvault.cli.output import stdout
from rowvault.cli.output.formatting import (
    format_bytes,
    format_count,
    plural,
    printable,
    printable_lines,
)
from rowvault.cli.output.table import Heading, write_table
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.ls import DatabaseList, ListedTable, Listing, TableDetails, TableList

_DATABASES = (
    Heading("database", foldable=True),
    Heading("tables", numeric=True),
    Heading("rows", numeric=True),
    Heading("size", numeric=True),
    Heading("objects", numeric=True),
)
_ENTRIES = (
    Heading("kind"),
    Heading("name", foldable=True),
    Heading("rows", numeric=True),
    Heading("size", numeric=True),
    Heading("blocks", numeric=True),
)
_ACCOUNTS = (Heading("kind"), Heading("name", foldable=True))
_COLUMNS = (Heading("column", foldable=True), Heading("type", foldable=True), Heading("key"))


@click.command(
    "ls",
    cls=Command,
    short_help="List databases, tables and columns of a snapshot.",
    help=f"""List what a snapshot holds: its databases, the tables and objects of one database, or
    the columns of one table.

    {SNAPSHOT_HELP}

    {NAMING_HELP}
    """,
    examples=[
        "rowvault ls latest",
        "rowvault ls latest shop",
        "rowvault ls latest~1 shop.orders",
        "rowvault ls latest --users",
    ],
)
@click.argument("snapshot", metavar="SNAP")
@click.argument("name", metavar="[DB[.TABLE]]", required=False)
@click.option("--users", is_flag=True, help="List its users, roles and grants instead.")
@source_option
@click.pass_obj
def ls(
    settings: Settings, snapshot: str, name: str | None, users: bool, source_name: str | None
) -> None:
    """Runs `rowvault ls`."""
    from rowvault.commands.ls import AccountList, DatabaseList, LsOptions, TableList
    from rowvault.commands.ls import ls as run

    if users and name is not None:
        raise usage_error("--users lists what belongs to no database: leave out DB")
    database, table = parse_name(name) if name is not None else (None, None)
    choice = snapshot_choice(settings, snapshot, source_name)
    result = run(LsOptions(settings.access(), choice, database, table, users))
    if settings.as_json:
        stdout.write_json(taken(settings) | document(result))
    elif isinstance(result, DatabaseList):
        _write_databases(result)
    elif isinstance(result, AccountList):
        write_table(_ACCOUNTS, [[one.kind, printable(one.name)] for one in result.objects])
    elif isinstance(result, TableList):
        _write_tables(result)
    else:
        _write_details(result)


def document(result: Listing) -> dict[str, object]:
    """The list with the stable keys of `--json`."""
    from rowvault.commands.ls import AccountList, DatabaseList, TableList

    if isinstance(result, AccountList):
        return {
            "snapshot": result.snapshot,
            "accounts": [
                {"kind": one.kind, "name": one.name, "account": one.parent or one.name}
                for one in result.objects
            ],
        }
    if isinstance(result, DatabaseList):
        return {
            "snapshot": result.snapshot,
            "databases": [
                {
                    "database": one.name,
                    "tables": one.tables,
                    "rows": one.rows,
                    "raw_bytes": one.raw_bytes,
                    "objects": one.objects,
                }
                for one in result.databases
            ],
            "accounts": result.accounts,
            "whole": result.is_whole,
        }
    if isinstance(result, TableList):
        return {
            "snapshot": result.snapshot,
            "database": result.database,
            "tables": [_table_document(one) for one in result.tables],
            "objects": [
                {"kind": one.kind, "name": one.name, "parent": one.parent or None}
                for one in result.objects
            ],
        }
    return {
        "snapshot": result.snapshot,
        "database": result.table.database,
        **_table_document(result.table),
        "columns": [{"column": one.name, "type": one.type} for one in result.columns],
        "key": list(result.key),
        "statement": result.statement,
    }


def _table_document(table: ListedTable) -> dict[str, object]:
    return {
        "table": table.name,
        "rows": table.rows,
        "raw_bytes": table.raw_bytes,
        "blocks": table.blocks,
    }


def _write_databases(result: DatabaseList) -> None:
    rows = [
        [
            printable(one.name),
            format_count(one.tables),
            format_count(one.rows),
            format_bytes(one.raw_bytes),
            format_count(one.objects),
        ]
        for one in result.databases
    ]
    write_table(_DATABASES, rows)
    if result.accounts:
        stdout.write_line()
        stdout.write_line(f"{result.accounts}; --users lists them")


def _write_tables(result: TableList) -> None:
    rows = [
        ["table", printable(one.name), format_count(one.rows), format_bytes(one.raw_bytes),
         format_count(one.blocks)]
        for one in result.tables
    ]  # fmt: skip
    rows += [[one.kind, printable(one.name), "", "", ""] for one in result.objects]
    write_table(_ENTRIES, rows)


def _write_details(result: TableDetails) -> None:
    positions = {name: str(index) for index, name in enumerate(result.key, 1)}
    write_table(
        _COLUMNS,
        [
            [printable(one.name), printable(one.type), positions.get(one.name, "")]
            for one in result.columns
        ],
    )
    table = result.table
    stdout.write_line()
    stdout.write_line(
        f"{plural(table.rows, 'row')}, {format_bytes(table.raw_bytes)} in "
        f"{plural(table.blocks, 'block')}"
    )
    stdout.write_line()
    stdout.write_line(printable_lines(result.statement))
