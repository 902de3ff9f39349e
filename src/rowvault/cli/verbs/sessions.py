"""`rowvault sessions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import format_time, iso_time, printable, printable_lines
from rowvault.cli.output.table import Heading, write_table
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.prune import SessionEntry

_HEADINGS = (
    Heading("id"),
    Heading("command"),
    Heading("who", foldable=True),
    Heading("pid", numeric=True),
    Heading("since", timed=True),
    Heading("last sign", timed=True),
    Heading("parent"),
    Heading("state"),
)
_SHOWN_ID = 8


@click.command(
    "sessions",
    cls=Command,
    short_help="Show who is at work in the repository.",
    examples=["rowvault sessions", "rowvault sessions --json | jq -r '.[].host'"],
)
@click.pass_obj
def sessions(settings: Settings) -> None:
    """Show who is writing to the repository: backups, prunes.

    `state` is what this machine knows of the process: `gone` where it has certainly ended since
    this machine was started, `unknown` elsewhere. The times are by the clock of the machine that
    works. A session that died needs no hand: the next writer on its machine removes it, or any
    writer or prune that finds it without a sign of life for ten minutes.
    """
    from rowvault.commands.prune import sessions as run

    result = run(settings.access())
    if settings.as_json:
        stdout.write_json([document(entry) for entry in result.entries])
    elif result.entries:
        write_table(_HEADINGS, [_cells(entry) for entry in result.entries])
    elif not settings.quiet:
        click.echo("nobody is at work", err=True)
    for message in result.damage:
        click.echo(f"damage: {printable_lines(message)}", err=True)
    if result.damage:
        raise click.exceptions.Exit(ExitCode.DAMAGE)


def document(entry: SessionEntry) -> dict[str, object]:
    """A session with the stable keys of `--json`."""
    session = entry.document
    return {
        "id": session.id,
        "command": session.command,
        "host": session.process.host,
        "user": session.process.user,
        "pid": session.process.pid,
        "since": iso_time(session.began),
        "heartbeat": iso_time(session.heartbeat or session.began),
        "parent": session.parent,
        "state": str(entry.life),
    }


def _cells(entry: SessionEntry) -> list[str]:
    session = entry.document
    user = f"{session.process.user}@" if session.process.user else ""
    return [
        session.id[:_SHOWN_ID],
        printable(session.command),
        printable(f"{user}{session.process.host}"),
        str(session.process.pid),
        format_time(session.began),
        format_time(session.heartbeat or session.began),
        session.parent or "",
        str(entry.life),
    ]
