"""`rowvault check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli import output
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
    examples=["rowvault check", "rowvault check --read-data", "rowvault check --json"],
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
@click.option("--read-data", is_flag=True, help="Read and verify every stored byte too.")
@click.pass_obj
def check(settings: Settings, read_data: bool) -> None:
    """Verify that every snapshot is whole: its manifest, its trees, the index, the packs.

    Without --read-data the packs are checked by their footers and sizes; with it, every block is
    read and its id computed anew. Nothing is changed. All damage is named, not only the first.
    """
    from rowvault.commands.check import CheckOptions
    from rowvault.commands.check import check as run

    with monitor(settings) as watching:
        report = run(CheckOptions(settings.access(), read_data), watching)
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
        "blocks": report.blocks,
        "bytes_read": report.bytes_read,
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
