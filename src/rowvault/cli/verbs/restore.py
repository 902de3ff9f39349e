"""`rowvault restore`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
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
    from rowvault.commands.restore import RestoreOptions
    from rowvault.restore.engine import RestoreResult

_NAMED = 5


@click.command(
    "restore",
    cls=Command,
    short_help="Restore a snapshot, then prove it.",
    help=f"""Restore a snapshot, or a part of it, and prove it by reading everything back.

    {SNAPSHOT_HELP}

    TARGET {SERVER_HELP} A SQLite file that does not exist is made.

    Nothing that exists is overwritten unless --replace or --resume is given. A restore that ends
    early says what stands; the same command with --resume goes on with it.

    What is in the way on a server that is not the snapshot's source is dropped only when you type
    that server's name, or give it as --onto NAME.

    {NAMING_HELP}
    """,
    examples=[
        "rowvault restore latest mysql://root@db2.example.org/",
        "rowvault restore latest~1 mysql://root@db/ -t shop.orders --rename shop=shop_old",
        "rowvault restore @2026-11-20T10:00 sqlite:///yesterday.db",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.INCOMPLETE,
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
    help="Restore under another name: DB=DB2, or DB.T=DB2.T2; may be repeated.",
)
@click.option(
    "--users",
    is_flag=True,
    help="Also users and roles, with their grants on what is restored. The user that runs the "
    "restore is never touched.",
)
@click.option("--replace", is_flag=True, help="Drop what is in the way, and nothing else.")
@click.option(
    "--onto",
    metavar="NAME",
    help="The target's name, which answers the question whether what another server than the "
    "snapshot's source holds may be dropped.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with a restore that ended early: tables that stand are read, those that are proven "
    "to be the snapshot's are kept, and what else is in the way is dropped.",
)
@click.option(
    "--drop-first",
    is_flag=True,
    help="With --replace or --resume: drop each table, when its rows in the snapshot have been "
    "read, before the new one is loaded; for a target that cannot hold both.",
)
@click.option(
    "-n",
    "--dry-run",
    is_flag=True,
    help="Change nothing: say what would be done, and in which way.",
)
@click.option(
    "--definer",
    default="keep",
    show_default=True,
    metavar="keep|drop|NAME@HOST",
    help="Who views, triggers, routines and events run as: as they did; drop: the user that runs "
    "the restore, who needs no right for that; or this account.",
)
@click.option("--no-verify", is_flag=True, help="Do not read definitions and rows back.")
@source_option
@workers_option
@defaults_file_option
@click.pass_obj
def restore(
    settings: Settings,
    snapshot: str,
    target: str,
    databases: tuple[str, ...],
    tables: tuple[str, ...],
    renames: tuple[str, ...],
    users: bool,
    replace: bool,
    onto: str | None,
    resume: bool,
    source_name: str | None,
    drop_first: bool,
    dry_run: bool,
    definer: str,
    no_verify: bool,
    workers: int | None,
    defaults_file: Path | None,
) -> None:
    """Runs `rowvault restore`."""
    from rowvault.cli.password import typed_name
    from rowvault.commands.restore import RestoreOptions
    from rowvault.restore.engine import RestoreRequest
    from rowvault.restore.selection.definers import parse_definer

    if drop_first and not (replace or resume):
        raise click.UsageError("--drop-first is for --replace and --resume")
    request = RestoreRequest(
        databases=tuple(parse_database(name) for name in databases),
        tables=tuple(parse_table(name) for name in tables),
        rename=tuple(parse_rename(pair) for pair in renames),
        replace=replace,
        resume=resume,
        drop_first=drop_first,
        users=users,
        definer=parse_definer(definer),
        verify=not no_verify,
        dry_run=dry_run,
        tell_way=partial(_tell_way, settings),
        workers=workers or default_workers(),
    )
    options = RestoreOptions(
        settings.access(),
        snapshot_choice(settings, snapshot, source_name, changes=True),
        server(target, defaults_file),
        request,
        onto,
        typed_name,
    )
    _run(options, settings)


def _run(options: RestoreOptions, settings: Settings) -> None:
    from rowvault.commands.restore import restore as run

    with monitor(settings) as watching:
        result = run(options, watching)
    _write(result, settings)
    if result.warnings:
        raise click.exceptions.Exit(ExitCode.INCOMPLETE)


def _tell_way(settings: Settings, way: str) -> None:
    """How tables are replaced, before it begins."""
    if not (settings.as_json or settings.quiet):
        click.echo(printable(way), err=True)


def _write(result: RestoreResult, settings: Settings) -> None:
    if settings.as_json:
        stdout.write_json(taken(settings) | document(result))
    elif not settings.quiet:
        rows = f"{plural(result.tables, 'table')}, {plural(result.rows, 'row')}"
        if result.accounts:
            rows += f", {plural(result.accounts, 'account')}"
        left = result.accounts_left
        write_facts(
            [
                (
                    "would restore" if result.dry_run else "restored",
                    f"{rows}, {format_bytes(result.raw_bytes)}",
                ),
                ("kept", _kept(result.kept_tables)),
                *(
                    [("would replace", _listed(result.in_the_way, ", "))]
                    if result.dry_run
                    else _replaced(result)
                ),
                ("not restored", f"{left}: --users restores them" if left else ""),
                ("time", format_seconds(result.seconds)),
            ]
        )
        stdout.write_line(_verdict(result))


def _kept(count: int) -> str:
    return f"{plural(count, 'table')} that stood already, proven by reading" if count else ""


def _verdict(result: RestoreResult) -> str:
    """What was proven, and of what."""
    if result.dry_run:
        return "nothing was changed"
    if result.verified is None:
        return "not verified (--no-verify)"
    counts = [plural(result.tables, "table"), plural(result.rows, "row")]
    counts += [plural(result.objects, "object")] if result.objects else []
    counts += [plural(result.accounts, "account")] if result.accounts else []
    listed = ", ".join(counts)
    lacking = []
    if result.left_out:
        lacking.append(f"these were left out: {_listed(result.left_out, ', ')}")
    if result.incomplete:
        lacking.append(f"the snapshot lacks: {_listed(result.incomplete, ' ')}")
    if lacking:
        return (
            "incomplete: what was restored was read back and is the snapshot's "
            f"({listed}), but {'; and '.join(lacking)}"
        )
    is_changed = any(one.becomes != one.definer for one in result.defined)
    return (
        "verified: all definitions and rows were read back and are the snapshot's"
        f"{', definers apart,' if is_changed else ''} ({listed})"
    )


def _listed(told: Sequence[str], separator: str) -> str:
    more = len(told) - _NAMED
    return printable(separator.join(told[:_NAMED]) + (f" and {more} more" if more > 0 else ""))


def _replaced(result: RestoreResult) -> list[tuple[str, str]]:
    """How tables that were in the way were replaced; those that were dropped first by name."""
    exchanged = sum(one.is_exchanged for one in result.replaced)
    dropped = [one for one in result.replaced if not one.is_exchanged]
    facts = []
    if exchanged:
        facts.append(("exchanged", f"{plural(exchanged, 'table')}, proven beside the old ones"))
    facts += [("dropped first", f"{one.table}: {one.reason}") for one in dropped[:_NAMED]]
    if len(dropped) > _NAMED:
        facts.append(("dropped first", f"{len(dropped) - _NAMED} more"))
    return facts


def document(result: RestoreResult) -> dict[str, object]:
    """The result with the stable keys of `--json`."""
    return {
        "tables": result.tables,
        "kept_tables": result.kept_tables,
        "replaced": [
            {
                "table": one.table,
                "way": "exchanged" if one.is_exchanged else "dropped first",
                "reason": one.reason,
            }
            for one in result.replaced
        ],
        "in_the_way": list(result.in_the_way),
        "dry_run": result.dry_run,
        "accounts": result.accounts,
        "rows": result.rows,
        "raw_bytes": result.raw_bytes,
        "seconds": result.seconds,
        "verified": result.verified,
        "objects": result.objects,
        "definers": [
            {
                "definer": one.definer,
                "becomes": one.becomes,
                "exists": one.exists,
                "objects": list(one.objects),
            }
            for one in result.defined
        ],
        "left_out": list(result.left_out),
        "incomplete": list(result.incomplete),
        "warnings": list(result.warnings),
    }
