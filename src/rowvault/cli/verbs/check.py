"""`rowvault check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli import amounts, output
from rowvault.cli.command import Command
from rowvault.cli.exit_codes import ExitCode
from rowvault.cli.figures import format_bytes, plural, printable_lines
from rowvault.cli.progress import monitor
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.repository.check import CheckReport


@click.command(
    "check",
    cls=Command,
    short_help="Verify the repository.",
    examples=[
        "rowvault check",
        "rowvault check --read-data",
        "rowvault check --read-data=10%",
        "rowvault check --json",
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
@click.pass_obj
def check(settings: Settings, read_data: str | None) -> None:
    """Verify that every snapshot is whole: its manifest, its trees, the index, the packs.

    Without --read-data the packs are checked by their footers and sizes; with it, every block is
    read and its id computed anew. All damage is named, not only the first; `repair` mends it.

    A subset is read where all would take too long. 1/7 is the first of seven shares: checks of 1/7
    to 7/7 read every pack, whatever was added meanwhile. A part (10%) or a size (5G) goes on
    where the last such check, on whatever host, has ended, so the packs read longest ago come
    first; where that was is all that a check ever writes.
    """
    from rowvault.commands.check import CheckOptions
    from rowvault.commands.check import check as run

    subset = amounts.read_subset(read_data)
    with monitor(settings) as watching:
        report = run(CheckOptions(settings.access(), subset), watching)
    if settings.as_json:
        output.write_json(document(report))
    else:
        _write(report, settings)
    if report.errors:
        raise click.exceptions.Exit(ExitCode.DAMAGE)


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
        "blocks": report.blocks,
        "bytes_read": report.bytes_read,
        "foreign": list(report.foreign),
        "missing_features": [one.name for one in report.missing_features],
    }


def _write(report: CheckReport, settings: Settings) -> None:
    for error in report.errors:
        click.echo(f"damage: {printable_lines(error.message)}", err=True)
    if report.errors:
        click.echo(f"{plural(len(report.errors), 'error')} found", err=True)
    elif not settings.quiet:
        output.write_line(
            f"no damage found: {plural(report.packs, 'pack')}, {plural(report.blocks, 'block')}, "
            f"{format_bytes(report.bytes_read)} read"
        )
    if report.missing_features and not settings.quiet:
        lacking = ", ".join(one.name for one in report.missing_features)
        output.write_line(f"it lacks {lacking}: `rowvault upgrade --dry-run` tells what that gives")
