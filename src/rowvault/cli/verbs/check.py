"""`rowvault check`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command, usage_error
from rowvault.cli.input import amounts
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import format_bytes, plural, printable_lines
from rowvault.cli.output.progress import monitor
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.upkeep.check.engine import CheckReport


@click.command(
    "check",
    cls=Command,
    short_help="Verify the repository.",
    examples=[
        "rowvault check",
        "rowvault check --read-data",
        "rowvault check --read-data=10%",
        "rowvault check --json",
        "rowvault check --accept-state",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.NO_REPOSITORY,
        ExitCode.WRONG_PASSWORD,
        ExitCode.DAMAGE,
        ExitCode.INTERRUPTED,
    ],
)
@click.option(
    "--read-data",
    "--read-data-subset",
    "read_data",
    is_flag=False,
    flag_value=amounts.ALL,
    metavar="[SUBSET]",
    help="Read and verify every stored byte too, or those of a subset: 1/7, 10% or 5G.",
)
@click.option(
    "--accept-state",
    is_flag=True,
    help="Take the snapshots that are there now for those that must be there; asks.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def check(settings: Settings, read_data: str | None, accept_state: bool, yes: bool) -> None:
    """Verify that every snapshot is whole: its manifest, its trees, the index, the packs.

    Without --read-data the packs are checked by their footers and sizes; with it, every block is
    read and its id computed anew. All damage is named, not only the first; `repair` mends it.

    A subset is read where all would take too long. 1/7 is the first of seven shares: checks of 1/7
    to 7/7 read every pack, whatever was added meanwhile. A part (10%) or a size (5G) goes on
    where the last such check, on whatever host, has ended, so the packs read longest ago come
    first; where that was is all that such a check ever writes.

    Snapshots that vanished or came back are damage, and so is a repository in an earlier state than
    this host has seen. Where that is meant, as when the repository was brought back from its own
    copy, --accept-state takes the set as it is, and records who did.
    """
    from rowvault.commands.check import CheckOptions
    from rowvault.commands.check import check as run

    if accept_state:
        _ask(yes)
    subset = amounts.read_subset(read_data)
    with monitor(settings) as watching:
        report = run(CheckOptions(settings.access(), subset, accept_state), watching)
    if settings.as_json:
        stdout.write_json(document(report))
    else:
        _write(report, settings)
    if report.errors:
        raise click.exceptions.Exit(ExitCode.DAMAGE)


def _ask(yes: bool) -> None:
    """Raises UsageError where nobody is there to answer, Abort where the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise usage_error("--accept-state asks first; where nobody can answer, give --yes.")
    question = "Take the snapshots that are there now for those that must be there?"
    click.confirm(question, abort=True, err=True)


def document(report: CheckReport) -> dict[str, object]:
    """The report with the stable keys of `--json`."""
    return {
        "errors": [
            {
                "kind": str(one.kind),
                "message": one.message,
                "object": one.object,
                "snapshots": list(one.snapshots),
            }
            for one in report.errors
        ],
        "packs": report.packs,
        "packs_read": report.packs_read,
        "unlisted_packs": report.unlisted_packs,
        "condemned_packs": report.condemned_packs,
        "ambiguous_blocks": report.ambiguous_blocks,
        "blocks": report.blocks,
        "bytes_read": report.bytes_read,
        "foreign": list(report.foreign),
        "missing_features": [one.name for one in report.missing_features],
        "accepted": report.accepted,
    }


def _write(report: CheckReport, settings: Settings) -> None:
    if report.accepted is not None and not settings.quiet:
        stdout.write_line(f"on record from now on: {plural(report.accepted, 'snapshot')}")
    for error in report.errors:
        click.echo(f"damage: {printable_lines(error.message)}", err=True)
    if report.errors:
        click.echo(f"{plural(len(report.errors), 'error')} found", err=True)
    elif not settings.quiet:
        stdout.write_line(
            f"no damage found: {plural(report.packs, 'pack')}, {plural(report.blocks, 'block')}, "
            f"{format_bytes(report.bytes_read)} read"
        )
    if report.ambiguous_blocks and not settings.quiet:
        stdout.write_line(
            f"{plural(report.ambiguous_blocks, 'block')} can be read by this version, but perhaps "
            "not by an earlier one, for what they build on stands in several arrangements; "
            "`rowvault repair` stores them anew"
        )
    if report.missing_features and not settings.quiet:
        lacking = ", ".join(one.name for one in report.missing_features)
        stdout.write_line(f"it lacks {lacking}: `rowvault upgrade --dry-run` tells what that gives")
