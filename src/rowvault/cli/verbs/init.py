"""`rowvault init`."""

from __future__ import annotations

import click

from rowvault.cli.command import Command
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import printable
from rowvault.cli.settings import Settings


@click.command(
    "init",
    cls=Command,
    short_help="Make a repository.",
    examples=[
        "rowvault -r /srv/vault init",
        "ROWVAULT_PASSWORD_FILE=/etc/rowvault.pw rowvault -r /srv/vault init",
        "rowvault -r /tmp/scratch init --no-encryption",
        "rowvault -r /mnt/second/vault init --from /srv/vault",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.NO_REPOSITORY,
        ExitCode.WRONG_PASSWORD,
        ExitCode.DAMAGE,
    ],
)
@click.option("--no-encryption", is_flag=True, help="Keep everything in clear; ask no password.")
@click.option(
    "--from",
    "relative",
    metavar="REPO",
    help="Share cuts, ids and sizes with this repository, but no key.",
)
@click.pass_obj
def init(settings: Settings, no_encryption: bool, relative: str | None) -> None:
    """Make a repository: a directory that is new, or empty.

    What is stored in it is encrypted under a password. The password comes from
    ROWVAULT_PASSWORD, from the file that ROWVAULT_PASSWORD_FILE names, from the first line that
    the command in ROWVAULT_PASSWORD_COMMAND prints, or from a prompt. Without the password the
    repository cannot be read: keep it in a second place.

    With --from, equal rows become equal blocks with equal ids in both repositories, while each
    has a key of its own. The password of REPO comes from ROWVAULT_FROM_PASSWORD,
    ROWVAULT_FROM_PASSWORD_FILE, ROWVAULT_FROM_PASSWORD_COMMAND, or a prompt.
    """
    from rowvault.cli.password import new_repository_password, relative_password
    from rowvault.commands.access import RepositoryAccess
    from rowvault.commands.init import InitOptions
    from rowvault.commands.init import init as run

    password = None if no_encryption else new_repository_password
    other = None if relative is None else RepositoryAccess(relative, relative_password)
    result = run(InitOptions(settings.location(), password, other))
    if settings.as_json:
        stdout.write_json(
            {"repository": result.location, "id": result.id, "encrypted": result.encrypted}
        )
    elif not settings.quiet:
        how = "encrypted" if result.encrypted else "NOT encrypted"
        stdout.write_line(f"repository {result.id} made at {printable(result.location)}, {how}")
