"""The options that every command takes, before or after its name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from rowvault.core.errors import UsageError

if TYPE_CHECKING:
    from rowvault.commands.access import RepositoryAccess
    from rowvault.repository import FoundSnapshot

REPOSITORY_VARIABLE = "ROWVAULT_REPOSITORY"


class Settings:
    """What the global options say; filled while the command line is parsed.

    Neither a dataclass nor a Struct: `--help` loads this, and neither of those modules.
    """

    repository: str | None = None
    as_json: bool = False
    quiet: bool = False
    verbosity: int = 0
    timezone: str | None = None

    def __init__(self) -> None:
        self.taken: list[FoundSnapshot] = []
        """Which snapshots the names on the command line turned out to be."""

    def location(self) -> str:
        """Where the repository is. Raises UsageError when nothing says so."""
        location = self.repository or os.environ.get(REPOSITORY_VARIABLE)
        if not location:
            raise UsageError(f"no repository is named: give -r REPO, or set {REPOSITORY_VARIABLE}")
        return location

    def access(self) -> RepositoryAccess:
        """The repository and the way to its password. Raises UsageError."""
        from rowvault.cli.password import is_configured, repository_password
        from rowvault.commands.access import RepositoryAccess

        return RepositoryAccess(
            self.location(), repository_password, asks_a_person=not is_configured()
        )

    def check(self) -> None:
        """Raises UsageError for options that exclude each other."""
        if self.quiet and self.verbosity:
            raise UsageError("-q and -v exclude each other")


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Takes a global option over, where it was given; the later one wins."""
    settings = context.ensure_object(Settings)
    if value is None or value is False or value == 0 or context.resilient_parsing:
        return
    assert parameter.name is not None
    setattr(settings, parameter.name, value)


def global_options() -> list[click.Option]:
    """Fresh global options, for the root and for each command."""
    return [
        click.Option(
            ["-r", "--repo", "repository"],
            metavar="REPO",
            expose_value=False,
            callback=_keep,
            help=f"Where the repository is: a directory. Default: ${REPOSITORY_VARIABLE}.",
        ),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            expose_value=False,
            callback=_keep,
            help="One JSON document on standard output, errors too.",
        ),
        click.Option(
            ["--timezone", "timezone"],
            metavar="ZONE",
            expose_value=False,
            callback=_keep,
            help="Zone of times, like Europe/Berlin. Default: $ROWVAULT_TIMEZONE, else local.",
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_keep,
            help="No progress and no summary; warnings and errors only.",
        ),
        click.Option(
            ["-v", "--verbose", "verbosity"],
            count=True,
            expose_value=False,
            callback=_keep,
            help="Say more; twice: everything. Unexpected errors show a traceback.",
        ),
    ]
