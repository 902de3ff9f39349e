"""`rowvault repair`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import plural, printable_lines
from rowvault.cli.output.progress import monitor
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.upkeep.repair.report import RepairReport


@click.command(
    "repair",
    cls=Command,
    short_help="Save what is whole of a damaged repository.",
    examples=["rowvault repair --dry-run", "rowvault repair", "rowvault repair --json"],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.INCOMPLETE,
        ExitCode.NO_REPOSITORY,
        ExitCode.LOCKED,
        ExitCode.WRONG_PASSWORD,
        ExitCode.DAMAGE,
        ExitCode.INTERRUPTED,
    ],
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@click.pass_obj
def repair(settings: Settings, dry_run: bool) -> None:
    """Mend a damaged repository: save what is whole, and name exactly what is lost.

    Every pack is read. The index is made anew from the packs; the whole blocks of damaged packs go
    into new ones. A snapshot that lost rows is replaced by one of the rest, which names what is
    missing, also when it is restored or dumped; the damaged one is forgotten, so that `undelete`
    brings it back should its packs come back from a copy of the repository.

    The exit code is 3 where something is lost. A repair works alone, and one that is killed at any
    moment has taken nothing away that could be read; run it again.
    """
    from rowvault.commands.repair import RepairOptions
    from rowvault.commands.repair import repair as run

    with monitor(settings) as watching:
        report = run(RepairOptions(settings.access(), dry_run), watching)
    if settings.as_json:
        stdout.write_json(document(report, dry_run))
    else:
        _write(report, settings, dry_run)
    if not report.is_complete:
        raise click.exceptions.Exit(ExitCode.INCOMPLETE)


def document(report: RepairReport, dry_run: bool) -> dict[str, object]:
    """The report with the stable keys of `--json`."""
    return {
        "dry_run": dry_run,
        "segments": report.segments,
        "listed_packs": report.listed_packs,
        "damaged_packs": report.damaged_packs,
        "missing_packs": report.missing_packs,
        "salvaged_blocks": report.salvaged_blocks,
        "renewed_blocks": report.renewed_blocks,
        "snapshots": [
            {"id": one.id, "replacement": one.replacement, "losses": list(one.losses)}
            for one in report.snapshots
        ],
        "dropped": [{"object": one.object, "message": one.message} for one in report.dropped],
        "warnings": list(report.warnings),
    }


def _write(report: RepairReport, settings: Settings, dry_run: bool) -> None:
    for line in _losses(report, dry_run):
        click.echo(printable_lines(line), err=True)
    if settings.quiet:
        return
    if report.found_nothing:
        stdout.write_line("nothing to repair")
        return
    would = "would be " if dry_run else ""
    stdout.write_line(
        f"{plural(report.segments, 'index segment')} {would}made anew; "
        f"{plural(report.listed_packs, 'unlisted pack')} {would}listed; "
        f"{plural(report.damaged_packs, 'damaged pack')} {would}replaced by "
        f"{plural(report.salvaged_blocks, 'whole block')}; "
        f"{plural(report.missing_packs, 'missing pack')} {would}taken out of the index"
    )
    if report.renewed_blocks:
        stdout.write_line(
            f"{plural(report.renewed_blocks, 'block')} {would}stored anew, for what they build on "
            "stands in several arrangements"
        )
    if not report.snapshots:
        stdout.write_line("no snapshot has lost anything")


def _losses(report: RepairReport, dry_run: bool) -> Iterator[str]:
    for one in report.snapshots:
        for loss in one.losses:
            yield f"lost: snapshot {one.id}: {loss}"
        if one.replacement is None:
            yield f"snapshot {one.id}: nothing is left of it; it is forgotten"
        elif not dry_run:
            yield f"snapshot {one.id}: the rest is snapshot {one.replacement}; it is forgotten"
    for dropped in report.dropped:
        yield f"removed: {dropped.message}"
