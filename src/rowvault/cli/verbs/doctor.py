"""`rowvault doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command, usage_error
from rowvault.cli.input.names import NAMING_HELP, parse_database, parse_table
from rowvault.cli.input.options import (
    SERVER_HELP,
    databases_option,
    defaults_file_option,
    server,
    tables_option,
)
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import plural, printable, printable_lines
from rowvault.cli.output.moment import guard_text, method_text
from rowvault.cli.output.progress import monitor
from rowvault.cli.output.table import write_facts
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.doctor import RepositoryFindings
    from rowvault.source.examination import Examination


@click.command(
    "doctor",
    cls=Command,
    short_help="Tell what a server allows, before any backup; or how a repository is kept.",
    help=f"""Tell what a backup of this server would be like, and what to grant for a better one.

    SOURCE {SERVER_HELP}

    REPO, a path, instead: tell how that repository is kept, and which features of the stored
    format it lacks that `upgrade` would switch on.

    Names the source that snapshots will belong to unless `backup --source` says another name, the
    way in which the one moment will be taken and why not in a better one, what would be left out,
    and the exact GRANT statements that the account lacks. Changes nothing on the server, holds no
    lock, and needs no repository.

    {NAMING_HELP}
    """,
    examples=[
        "rowvault doctor mysql://backup@db.example.org/",
        "rowvault doctor mysql://backup@db/ -d shop --users",
        "rowvault doctor /srv/vault",
        "rowvault doctor mysql://backup@db/ --json | jq -r '.grants.backup[]'",
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
@click.argument("source", metavar="SOURCE|REPO")
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
    if _is_a_path(source):
        if databases or tables or excludes or users or defaults_file:
            raise usage_error(f"{source} is a repository: -d, -t and the like are for a server.")
        _tell_of_repository(source, settings)
        return
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
        stdout.write_json(document(found))
    elif not settings.quiet:
        write_facts(_facts(found))
    if found.problems:
        raise click.exceptions.Exit(ExitCode.FAILED)
    if found.omissions:
        raise click.exceptions.Exit(ExitCode.INCOMPLETE)


def _is_a_path(source: str) -> bool:
    scheme, separator, _ = source.partition("://")
    return not separator or scheme.lower() == "file"


def _tell_of_repository(location: str, settings: Settings) -> None:
    from rowvault.commands.doctor import examine_repository

    settings.repository = location
    found = examine_repository(settings.access())
    if settings.as_json:
        stdout.write_json(repository_document(found))
    elif not settings.quiet:
        write_facts(_repository_facts(found))
    for message in found.damage:
        click.echo(f"damage: {printable_lines(message)}", err=True)
    if found.damage:
        raise click.exceptions.Exit(ExitCode.DAMAGE)


def repository_document(found: RepositoryFindings) -> dict[str, object]:
    """How a repository is kept, with the stable keys of `--json`."""
    from rowvault.cli.verbs.upgrade import feature_documents

    return {
        "repository": found.location,
        "id": found.id,
        "encrypted": found.encrypted,
        "keys": found.keys,
        "snapshots": found.snapshots,
        "forgotten": found.forgotten,
        "sessions": found.sessions,
        "features": [one.name for one in found.features],
        "missing_features": feature_documents(found.missing_features),
        "damage": list(found.damage),
    }


def _repository_facts(found: RepositoryFindings) -> list[tuple[str, str]]:
    return [
        ("repository", printable(found.location)),
        ("id", found.id),
        ("encrypted", f"yes, {plural(found.keys, 'key')}" if found.encrypted else "no"),
        ("snapshots", f"{found.snapshots}, and {found.forgotten} forgotten"),
        ("at work", plural(found.sessions, "session")),
        ("features", ", ".join(one.name for one in found.features) or "none"),
        *(("lacks", f"{one.name}: {one.gain}") for one in found.missing_features),
        *([("remedy", "rowvault upgrade --dry-run")] if found.missing_features else []),
    ]


def document(found: Examination) -> dict[str, object]:
    """The examination with the stable keys of `--json`."""
    from rowvault.core.source_name import name_of_server  # start-up time

    one, moment = found.server, found.moment
    return {
        "source": name_of_server(one),
        "server": {
            "vendor": one.vendor,
            "version": one.version,
            "id": one.server_id,
            "url": one.url,
        },
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
    from rowvault.core.source_name import name_of_server  # start-up time

    grants = [
        (f"for {purpose}", printable(line))
        for purpose, lines in found.grants.items()
        for line in lines or ["nothing is missing"]
    ]
    return [
        ("source", printable(name_of_server(found.server))),
        ("address", printable(found.server.url)),
        ("server", printable(f"{found.server.vendor} {found.server.version}")),
        ("moment", printable(method_text(found.moment))),
        ("definitions", printable(guard_text(found.moment))),
        *(("fails", printable(one)) for one in found.problems),
        *(("left out", printable(one)) for one in found.omissions),
        *(("note", printable(one)) for one in found.warnings),
        *grants,
    ]
