"""`rowvault upgrade`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import plural
from rowvault.cli.output.progress import monitor
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rowvault.repository.features import Feature
    from rowvault.upkeep.upgrade import UpgradeReport


@click.command(
    "upgrade",
    cls=Command,
    short_help="Switch new features of the stored format on.",
    examples=[
        "rowvault upgrade --dry-run",
        "rowvault upgrade",
        "rowvault upgrade deltas",
        "rowvault upgrade --json | jq -r '.features[].name'",
    ],
    exit_codes=[
        ExitCode.DONE,
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.NO_REPOSITORY,
        ExitCode.LOCKED,
        ExitCode.WRONG_PASSWORD,
        ExitCode.DAMAGE,
        ExitCode.INTERRUPTED,
    ],
)
@click.argument("features", nargs=-1, metavar="[FEATURE]...")
@click.option("--dry-run", is_flag=True, help="Say what would be switched on; change nothing.")
@click.pass_obj
def upgrade(settings: Settings, features: tuple[str, ...], dry_run: bool) -> None:
    """Switch on what this version of Rowvault knows and the repository lacks.

    Without it every version writes to a repository as the one did that made it, so that all
    programs that could use it still can. FEATURE is the name of one feature; without a name all
    are switched on. Each is told with what it gives, and which older versions of Rowvault can then
    no longer read the repository, or write to it. There is no way back. `init` gives a new
    repository every feature.

    Nothing that is stored is changed, only what is stored from then on. An upgrade works alone:
    while another run is at work it ends with 11 and names it.
    """
    from rowvault.commands.upgrade import UpgradeOptions
    from rowvault.commands.upgrade import upgrade as run

    with monitor(settings) as watching:
        report = run(UpgradeOptions(settings.access(), features, dry_run), watching)
    if settings.as_json:
        stdout.write_json(document(report, dry_run))
    elif not settings.quiet:
        for line in _lines(report, dry_run):
            stdout.write_line(line)


def document(report: UpgradeReport, dry_run: bool) -> dict[str, object]:
    """The report with the stable keys of `--json`."""
    return {
        "dry_run": dry_run,
        "features": feature_documents(report.features),
        "adopted": report.adopted,
    }


def feature_documents(features: Iterable[Feature]) -> list[dict[str, str]]:
    """Features with the stable keys of `--json`."""
    return [
        {"name": one.name, "access": str(one.access), "since": one.since, "gain": one.gain}
        for one in features
    ]


def _lines(report: UpgradeReport, dry_run: bool) -> list[str]:
    if not report.features and report.adopted is None:
        return ["nothing to switch on: the repository has it all"]
    would = "would be switched on" if dry_run else "switched on"
    lines = [f"{one.name} {would}: {one.gain}; {one.consequence}" for one in report.features]
    if report.adopted is not None:
        begins = "would begin" if dry_run else "begins"
        there = plural(report.adopted, "snapshot")
        lines.append(f"the ledger {begins} with what is there: {there}")
    return lines
