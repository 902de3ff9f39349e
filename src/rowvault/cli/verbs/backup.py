"""`rowvault backup`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command
from rowvault.cli.input.amounts import load_limit, rate
from rowvault.cli.input.compression import compression_option
from rowvault.cli.input.names import NAMING_HELP, parse_database, parse_table
from rowvault.cli.input.options import (
    SERVER_HELP,
    databases_option,
    default_workers,
    defaults_file_option,
    server,
    tables_option,
    workers_option,
)
from rowvault.cli.input.snapshot_name import source_name
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import (
    format_bytes,
    format_seconds,
    plural,
    printable,
    printable_lines,
)
from rowvault.cli.output.moment import moment_text
from rowvault.cli.output.progress import monitor
from rowvault.cli.output.table import write_facts
from rowvault.cli.settings import Settings
from rowvault.core.documents import moment_document

if TYPE_CHECKING:
    from rowvault.backup.engine import BackupResult


@click.command(
    "backup",
    cls=Command,
    short_help="Take a snapshot of a live server.",
    help=f"""Take a snapshot: one consistent state of the chosen databases.

    SOURCE {SERVER_HELP}

    Rows that an earlier snapshot holds are not stored again. A run that fails or is stopped leaves
    no snapshot, and what it stored serves the next run.

    {NAMING_HELP}
    """,
    examples=[
        "rowvault backup mysql://backup@db.example.org/",
        "rowvault backup 'mysql://root@localhost/?unix_socket=/run/mysqld/mysqld.sock' -d shop",
        "rowvault backup sqlite:///shop.db --tag before-upgrade",
        "rowvault backup mysql://backup@db/ --exclude 'shop.cache_*' -j 4 --json",
        "rowvault backup mysql://backup@db/ --compression 9",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.INCOMPLETE,
        ExitCode.NO_REPOSITORY,
        ExitCode.LOCKED,
        ExitCode.WRONG_PASSWORD,
        ExitCode.DAMAGE,
        ExitCode.INTERRUPTED,
    ],
)
@click.argument("url", metavar="SOURCE")
@databases_option("Only this database; may be repeated. Default: all but the server's own.")
@tables_option("Only this table, no other object; may be repeated.")
@click.option(
    "--exclude",
    "excludes",
    multiple=True,
    metavar="PAT",
    help="Leave out what matches a shell pattern over DB or DB.TABLE; may be repeated.",
)
@click.option("--users", is_flag=True, help="Also the server's users, roles and grants.")
@click.option(
    "--source",
    "source",
    metavar="NAME",
    callback=source_name,
    help="Call the source so, whatever its address. Default: host and port of the address; for "
    "this machine's own server its hostname and port; for SQLite the file's path.",
)
@click.option("--tag", "tags", multiple=True, metavar="T", help="Tag the snapshot; repeatable.")
@workers_option
@click.option(
    "--max-lock-wait",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Wait no longer for a lock, and make nobody wait longer for a single table. Default: 30.",
)
@click.option(
    "--no-lock",
    is_flag=True,
    help="Take no lock at all: definitions that change meanwhile are found, and fail the run.",
)
@compression_option
@click.option(
    "--max-rate",
    metavar="SIZE",
    callback=lambda _context, _parameter, value: rate(value),
    help="Read at most SIZE a second over all connections: 500K, 20M, 1G.",
)
@click.option(
    "--pause-when",
    metavar="NAME>N",
    callback=lambda _context, _parameter, value: load_limit(value),
    help="Pause while a status variable of the server is above N: 'Threads_running>40'.",
)
@click.option("--dry-run", is_flag=True, help="Read, cut and hash everything, store nothing.")
@defaults_file_option
@click.pass_obj
def backup(
    settings: Settings,
    url: str,
    databases: tuple[str, ...],
    tables: tuple[str, ...],
    excludes: tuple[str, ...],
    users: bool,
    source: str | None,
    tags: tuple[str, ...],
    workers: int | None,
    max_lock_wait: float | None,
    no_lock: bool,
    level: int | None,
    max_rate: int | None,
    pause_when: tuple[str, float] | None,
    dry_run: bool,
    defaults_file: Path | None,
) -> None:
    """Runs `rowvault backup`."""
    from rowvault.commands.backup import BackupOptions
    from rowvault.commands.backup import backup as run

    options = BackupOptions(
        repository=settings.access(),
        source=server(url, defaults_file),
        databases=tuple(parse_database(name) for name in databases),
        tables=tuple(parse_table(name) for name in tables),
        excludes=excludes,
        workers=workers or default_workers(),
        tags=tags,
        dry_run=dry_run,
        may_lock=not no_lock,
        longest_lock_wait_s=max_lock_wait,
        users=users,
        most_bytes_per_s=max_rate,
        pause_when=pause_when,
        level=level,
        source_name=source,
    )
    with monitor(settings) as watching:
        result = run(options, watching)
    _write(result, settings)
    _exit(result)


def _exit(result: BackupResult) -> None:
    """Ends the process with another exit code where not everything is well."""
    from rowvault.repository import ADVICE

    for message in result.damage:
        click.echo(f"damage: {printable_lines(message)}", err=True)
    if result.damage:
        click.echo(f"the snapshot is there all the same. {ADVICE}.", err=True)
        raise click.exceptions.Exit(ExitCode.DAMAGE)
    if result.warnings:
        raise click.exceptions.Exit(ExitCode.INCOMPLETE)


def _write(result: BackupResult, settings: Settings) -> None:
    if settings.as_json:
        stdout.write_json(document(result))
    elif not settings.quiet:
        write_facts(_facts(result))


def document(result: BackupResult) -> dict[str, object]:
    """The result with the stable keys of `--json`."""
    return {
        "snapshot": result.snapshot,
        "parent": result.parent,
        "source": result.source,
        "tables": result.tables,
        "accounts": result.accounts,
        "rows": result.rows,
        "raw_bytes": result.raw_bytes,
        "blocks": result.blocks,
        "new_blocks": result.new_blocks,
        "stored_bytes": result.stored_bytes,
        "seconds": result.seconds,
        "waited_seconds": result.waited_seconds,
        "moment": moment_document(result.moment),
        "workers": [{"rows": one.rows, "seconds": one.seconds} for one in result.workers],
        "warnings": list(result.warnings),
        "missing": list(result.missing),
        "notices": list(result.notices),
        "damage": list(result.damage),
    }


def _waited(result: BackupResult) -> str:
    if not result.waited_seconds:
        return ""
    return (
        f"{format_seconds(result.waited_seconds)} for the server's sake, all connections together"
    )


def _facts(result: BackupResult) -> list[tuple[str, str]]:
    name = result.snapshot or "none: a dry run stores nothing"
    parent = f" (parent {result.parent})" if result.parent else ""
    read = f"{plural(result.tables, 'table')}, {plural(result.rows, 'row')}"
    new = f"{plural(result.new_blocks, 'new block')} of {plural(result.blocks, 'block')}"
    if result.accounts:
        read += f", {plural(result.accounts, 'account')}"
    workers = plural(len(result.workers), "connection")
    left_out = f"{plural(len(result.warnings), 'thing')}, see the warnings"
    return [
        ("snapshot", f"{name}{parent}"),
        ("source", printable(result.source)),
        ("read", f"{read}, {format_bytes(result.raw_bytes)}"),
        ("stored", f"{format_bytes(result.stored_bytes)} in {new}"),
        ("time", f"{format_seconds(result.seconds)}, {workers}"),
        ("waited", _waited(result)),
        ("moment", printable(moment_text(result.moment))),
        ("left out", left_out if result.warnings else ""),
        ("incomplete", "rows or objects are missing" if result.missing else ""),
    ]
