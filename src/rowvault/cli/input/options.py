"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from rowvault.commands.server import ServerAccess

_Function = TypeVar("_Function", bound=Callable[..., object])

SNAPSHOT_HELP = (
    "SNAP is the beginning of a snapshot's id (four digits or more), a tag, `latest`, `latest~2` "
    "(the second before it; also 3fa9~1), or `@2026-11-20T10:00` (the newest at or before that "
    "time; a date alone is the end of that day). Where the repository holds several sources, "
    "`latest` and times need --source."
)

SERVER_HELP = (
    "is `mysql://user@host:port/` or `sqlite:///path.db` (four slashes before an absolute path). "
    "A password comes from MYSQL_PWD, from an option file (--defaults-file), or from a prompt. For "
    "MySQL and MariaDB `?unix_socket=/path` and `?ssl_ca=/path` may follow. SQLite has one "
    "database, called `main`."
)

MAX_WORKERS = 64


def default_workers() -> int:
    """As many connections as there are processors, four at most."""
    return min(4, os.cpu_count() or 1)


def workers_option(function: _Function) -> _Function:
    """`-j N`."""
    return click.option(
        "-j",
        "--jobs",
        "workers",
        type=click.IntRange(1, MAX_WORKERS),
        metavar="N",
        help="Connections that work at once. Default: one per processor, four at most.",
    )(function)


def defaults_file_option(function: _Function) -> _Function:
    """`--defaults-file FILE`."""
    return click.option(
        "--defaults-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Option file with [client] user, password, host, ...",
    )(function)


def databases_option(help_text: str) -> Callable[[_Function], _Function]:
    """`-d DB`, as often as needed."""
    return click.option(
        "-d", "--database", "databases", multiple=True, metavar="DB", help=help_text
    )


def tables_option(help_text: str) -> Callable[[_Function], _Function]:
    """`-t DB.TABLE`, as often as needed."""
    return click.option(
        "-t", "--table", "tables", multiple=True, metavar="DB.TABLE", help=help_text
    )


def server(url: str, defaults_file: Path | None) -> ServerAccess:
    """The way to a live server."""
    from rowvault.cli.password import server_password
    from rowvault.commands.server import ServerAccess

    return ServerAccess(url, defaults_file, server_password())
