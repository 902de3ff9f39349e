"""`rowvault tag list|add|remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command, Family, usage_error
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option, taken
from rowvault.cli.output import stdout
from rowvault.cli.output.formatting import format_time, iso_time, printable
from rowvault.cli.output.table import Heading, write_table
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.tags import TagResult


_HEADINGS = (
    Heading("tag", foldable=True),
    Heading("snapshot"),
    Heading("time", timed=True),
    Heading("source", foldable=True),
)


@click.group("tag", cls=Family, short_help="Give snapshots names, or take them away.")
def tag() -> None:
    """Tags: names that a snapshot carries, for people and for `forget --keep-tag`."""


@tag.command(
    "add",
    cls=Command,
    short_help="Give a snapshot tags.",
    examples=["rowvault tag add latest before-migration", "rowvault tag add 3fa9 audit year-2026"],
)
@click.argument("snapshot", metavar="SNAP")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@source_option
@click.pass_obj
def add(settings: Settings, snapshot: str, tags: tuple[str, ...], source_name: str | None) -> None:
    """Give a snapshot tags; those that it has stay."""
    from rowvault.commands.tags import TagOptions, add_tags

    _refuse_empty(tags)
    choice = snapshot_choice(settings, snapshot, source_name, changes=True)
    _show(add_tags(TagOptions(settings.access(), choice, tags)), settings)


@tag.command(
    "remove",
    cls=Command,
    short_help="Take tags from a snapshot.",
    examples=["rowvault tag remove latest before-migration"],
)
@click.argument("snapshot", metavar="SNAP")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@source_option
@click.pass_obj
def remove(
    settings: Settings, snapshot: str, tags: tuple[str, ...], source_name: str | None
) -> None:
    """Take tags from a snapshot; one that it does not carry is no error."""
    from rowvault.commands.tags import TagOptions, remove_tags

    _refuse_empty(tags)
    choice = snapshot_choice(settings, snapshot, source_name, changes=True)
    _show(remove_tags(TagOptions(settings.access(), choice, tags)), settings)


@tag.command(
    "list",
    cls=Command,
    short_help="List the tags and their snapshots.",
    examples=["rowvault tag list", "rowvault tag list --source prod --json"],
)
@source_option
@click.pass_obj
def list_(settings: Settings, source_name: str | None) -> None:
    """List all tags, with the snapshots that carry them."""
    from rowvault.commands.tags import list_tags

    found = list_tags(settings.access(), source_name)
    if settings.as_json:
        stdout.write_json(
            [
                {
                    "tag": one.tag,
                    "snapshot": one.snapshot.id,
                    "time": iso_time(one.snapshot.time),
                    "source": one.source,
                }
                for one in found
            ]
        )
    elif found:
        rows = [
            [
                printable(one.tag),
                one.snapshot.id,
                format_time(one.snapshot.time),
                printable(one.source),
            ]
            for one in found
        ]
        write_table(_HEADINGS, rows)
    elif not settings.quiet:
        click.echo("no snapshot has a tag", err=True)


def _refuse_empty(tags: tuple[str, ...]) -> None:
    if not all(tags):
        raise usage_error("a tag is empty")


def _show(result: TagResult, settings: Settings) -> None:
    if settings.as_json:
        stdout.write_json(taken(settings) | {"tags": list(result.tags)})
    elif not settings.quiet:
        tags = printable(", ".join(result.tags)) or "no tags"
        stdout.write_line(f"snapshot {result.snapshot}: {tags}")
