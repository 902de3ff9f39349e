"""`rowvault key list|add|remove|change`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command, Family
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import format_time, iso_time, printable
from rowvault.cli.output.table import Heading, write_table
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.repository import Key

_HEADINGS = (
    Heading(""),
    Heading("id"),
    Heading("kind"),
    Heading("created", timed=True),
    Heading("host", foldable=True),
    Heading("label", foldable=True),
)

_CODES = (
    ExitCode.DONE,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.NO_REPOSITORY,
    ExitCode.WRONG_PASSWORD,
    ExitCode.DAMAGE,
)

_label_option = click.option(
    "--label", default="", metavar="TEXT", help="What the key is for; only key holders see it."
)


@click.group("key", cls=Family, short_help="List, add, remove, change keys.")
def key() -> None:
    """Passwords and recovery keys that open the repository: any one of them does."""


@key.command(
    "list",
    cls=Command,
    short_help="List the keys.",
    examples=["rowvault key list", "rowvault key list --json | jq -r '.[].id'"],
    exit_codes=_CODES,
)
@click.pass_obj
def list_(settings: Settings) -> None:
    """List all keys, oldest first; the one that this command uses is marked with an asterisk."""
    from rowvault.commands.keys import list_keys

    keys = list_keys(settings.access())
    if settings.as_json:
        stdout.write_json([document(one) for one in keys])
    else:
        write_table(_HEADINGS, [_cells(one) for one in keys])


@key.command(
    "add",
    cls=Command,
    short_help="Add a password or a recovery key.",
    examples=[
        "rowvault key add --label 'night shift'",
        "ROWVAULT_NEW_PASSWORD_FILE=/root/new.pw rowvault key add",
        "rowvault key add --recovery --label 'in the safe'",
    ],
    exit_codes=_CODES,
)
@click.option("--recovery", is_flag=True, help="Make a key to print, and show it this once.")
@_label_option
@click.pass_obj
def add(settings: Settings, recovery: bool, label: str) -> None:
    """Add a password; those that are there go on to work.

    The new password comes from ROWVAULT_NEW_PASSWORD, from the file that
    ROWVAULT_NEW_PASSWORD_FILE names, from the first line that the command in
    ROWVAULT_NEW_PASSWORD_COMMAND prints, or from a prompt.

    With --recovery the key is made here and shown once, to be printed and put into a safe. It is
    accepted wherever the password is, in upper or lower case, with or without hyphens; a typo is
    noticed and named.
    """
    from rowvault.cli.password import new_key_password
    from rowvault.commands.keys import AddKeyOptions, add_key

    added = add_key(AddKeyOptions(settings.access(), None if recovery else new_key_password, label))
    if settings.as_json:
        stdout.write_json(document(added.key) | {"recovery_key": added.recovery_key})
        return
    if added.recovery_key is not None:
        stdout.write_line(added.recovery_key)
        click.echo("this is shown once: print it, and keep it where you keep deeds", err=True)
    if not settings.quiet:
        click.echo(f"key {added.key.id} added", err=True)


@key.command(
    "remove",
    cls=Command,
    short_help="Take a key away.",
    examples=["rowvault key remove 3fa9", "rowvault key remove 3fa9 --force"],
    exit_codes=_CODES,
)
@click.argument("key_id", metavar="KEY")
@click.option("--force", is_flag=True, help="Also the key that this command uses.")
@click.pass_obj
def remove(settings: Settings, key_id: str, force: bool) -> None:
    """Take a key away: it opens nothing any more. KEY is the beginning of its id.

    The last key stays, whatever is said. Whoever had a removed key and kept a copy of the
    repository's files can still read that copy: what is encrypted stays encrypted with the same
    secret, which only a new repository changes.
    """
    from rowvault.commands.keys import RemoveKeyOptions, remove_key

    removed = remove_key(RemoveKeyOptions(settings.access(), key_id, force))
    if settings.as_json:
        stdout.write_json(document(removed))
    elif not settings.quiet:
        stdout.write_line(f"key {removed.id} removed")


@key.command(
    "change",
    cls=Command,
    short_help="Replace a password by a new one.",
    examples=[
        "rowvault key change",
        "ROWVAULT_NEW_PASSWORD_FILE=/root/new.pw rowvault key change 3fa9",
    ],
    exit_codes=_CODES,
)
@click.argument("key_id", metavar="[KEY]", required=False)
@click.pass_obj
def change(settings: Settings, key_id: str | None) -> None:
    """Replace a password by a new one, by default the one that opens the repository.

    KEY is the beginning of a key's id. The new password is asked for as by `key add`. It works
    before the old one ceases to; should the command be cut short, both may work.
    """
    from rowvault.cli.password import new_key_password
    from rowvault.commands.keys import ChangeKeyOptions, change_key

    new, old = change_key(ChangeKeyOptions(settings.access(), new_key_password, key_id))
    if settings.as_json:
        stdout.write_json(document(new) | {"replaced": old.id})
    elif not settings.quiet:
        stdout.write_line(f"key {new.id} takes the place of {old.id}")


def document(key: Key) -> dict[str, object]:
    """A key with the stable keys of `--json`."""
    return {
        "id": key.id,
        "kind": str(key.kind),
        "label": key.label,
        "created": iso_time(key.created),
        "host": key.host,
        "in_use": key.in_use,
    }


def _cells(key: Key) -> list[str]:
    return [
        "*" if key.in_use else "",
        key.id,
        str(key.kind),
        format_time(key.created),
        printable(key.host),
        printable(key.label),
    ]
