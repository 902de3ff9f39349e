"""`rowvault prune`."""

from __future__ import annotations

import click

from rowvault.cli.command import Command
from rowvault.cli.input import prune_options
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.progress import monitor
from rowvault.cli.settings import Settings


@click.command(
    "prune",
    cls=Command,
    short_help="Reclaim what no snapshot needs.",
    examples=[
        "rowvault prune --dry-run",
        "rowvault prune",
        "rowvault prune --wait --max-unused 0%",
        "rowvault prune --max-repack 10G --json",
    ],
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
@click.option("--dry-run", is_flag=True, help="Say what would go; change nothing.")
@click.option(
    "--allow-remove-all",
    is_flag=True,
    help="Even if there are packs and no snapshot at all, which mostly means that some is missing.",
)
@prune_options.limit_options
@click.pass_obj
def prune(
    settings: Settings,
    dry_run: bool,
    allow_remove_all: bool,
    max_unused: float,
    max_repack: int | None,
    wait: bool,
) -> None:
    """Reclaim the space of what no snapshot refers to. Forgotten snapshots are gone after it.

    Backups and restores may go on meanwhile. What a backup that is at work may rely on stays until
    that has ended: then the exit code is 3, and the next prune frees it, or this one with --wait.
    Prunes run one at a time; another one ends with 11 and names who is at work.

    Packs without any snapshot end it with 20, for half of a copy looks like that: unless the ledger
    of snapshots records that all were forgotten, or --allow-remove-all is given.

    Where what is needed cannot be told, because a pack is missing, a block is damaged or somebody
    has forged a piece of the index, nothing is removed, and the exit code is 20.

    A prune that is killed at any moment loses nothing; the next one goes on.
    """
    from rowvault.commands.prune import PruneOptions
    from rowvault.commands.prune import prune as run

    request = prune_options.request(max_unused, max_repack, wait, dry_run, allow_remove_all)
    with monitor(settings) as watching:
        report = run(PruneOptions(settings.access(), request), watching)
    if settings.as_json:
        stdout.write_json(prune_options.document(report, dry_run))
    elif not settings.quiet:
        for line in prune_options.lines(report, dry_run):
            stdout.write_line(line)
    if code := prune_options.exit_code(report):
        raise click.exceptions.Exit(code)
