"""`rowvault doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rowvault.cli import output
from rowvault.cli.command import Command
from rowvault.cli.exit_codes import ExitCode
from rowvault.cli.figures import printable
from rowvault.cli.moment import guard_text, method_text
from rowvault.cli.names import NAMING_HELP, parse_database, parse_table
from rowvault.cli.options import (
    SERVER_HELP,
    databases_option,
    defaults_file_option,
    server,
    tables_option,
)
from rowvault.cli.progress import monitor
from rowvault.cli.settings import Settings
from rowvault.cli.table import write_facts

if TYPE_CHECKING:
    from rowvault.source.examination import Examination


@click.command(
    "doctor",
    cls=Command,
    short_help="Tell what a server allows, before any backup.",
    help=f"""Tell what a backup of this server would be like, and what to grant for a better one.

    SOURCE {SERVER_HELP}

    Names the way in which the one moment will be taken and why not in a better one, what would be
    left out, and the exact GRANT statements that the account lacks. Changes nothing on the server,
    holds no lock, and needs no repository.

    {NAMING_HELP}
    """,
    examples=[
        "rowvault doctor mysql://backup@db.example.org/",
        "rowvault doctor mysql://backup@db/ -d shop --users",
        "rowvault doctor mysql://backup@db/ --json | jq -r '.grants.backup[]'",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.INCOMPLETE,
        ExitCode.INTERRUPTED,
    ],
)
@click.argument("source")
@databases_option("Only this database; may be repeated. Default: all but the server's own.")
@tables_option("Only this table, no other object; may be repeated.")
@click.option(
    "--exclude",
    "excludes",
    multiple=True,
    metavar="PAT",
    help="Leave out what matches a shell pattern over DB or DB.TABLE; may be repeated.",
)
@click.option("--users", is_flag=True, help="Look at users, roles and grants, too.")
@defaults_file_option
@click.pass_obj
def doctor(
    settings: Settings,
    source: str,
    databases: tuple[str, ...],
    tables: tuple[str, ...],
    excludes: tuple[str, ...],
    users: bool,
    defaults_file: Path | None,
) -> None:
    """Runs `rowvault doctor`."""
    from rowvault.commands.doctor import DoctorOptions
    from rowvault.commands.doctor import doctor as run

    options = DoctorOptions(
        source=server(source, defaults_file),
        databases=tuple(parse_database(name) for name in databases),
        tables=tuple(parse_table(name) for name in tables),
        excludes=excludes,
        users=users,
    )
    with monitor(settings) as watching:
        found = run(options, watching)
    if settings.as_json:
        output.write_json(document(found))
    elif not settings.quiet:
        write_facts(_facts(found))
    if found.problems:
        raise click.exceptions.Exit(ExitCode.FAILED)
    if found.omissions:
        raise click.exceptions.Exit(ExitCode.INCOMPLETE)


def document(found: Examination) -> dict[str, object]:
    """The examination with the stable keys of `--json`."""
    one, moment = found.server, found.moment
    return {
        "server": {"vendor": one.vendor, "version": one.version, "id": one.server_id},
        "source": one.url,
        "method": moment.method,
        "reason": moment.reason,
        "definitions": moment.definitions,
        "definitions_reason": moment.definitions_reason,
        "problems": list(found.problems),
        "omissions": list(found.omissions),
        "warnings": list(found.warnings),
        "grants": {purpose: list(lines) for purpose, lines in found.grants.items()},
    }


def _facts(found: Examination) -> list[tuple[str, str]]:
    grants = [
        (f"for {purpose}", printable(line))
        for purpose, lines in found.grants.items()
        for line in lines or ["nothing is missing"]
    ]
    return [
        ("source", printable(found.server.url)),
        ("server", printable(f"{found.server.vendor} {found.server.version}")),
        ("moment", printable(method_text(found.moment))),
        ("definitions", printable(guard_text(found.moment))),
        *(("fails", printable(one)) for one in found.problems),
        *(("left out", printable(one)) for one in found.omissions),
        *(("note", printable(one)) for one in found.warnings),
        *grants,
    ]
