"""`rowvault forget`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rowvault.cli.command import Command, usage_error
from rowvault.cli.input import prune_options, retention
from rowvault.cli.input.options import SNAPSHOT_HELP
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import format_time, iso_time, plural, printable, printable_lines
from rowvault.cli.output.progress import monitor
from rowvault.cli.output.table import Heading, write_table
from rowvault.cli.output.zone import configured_zone
from rowvault.cli.settings import Settings
from rowvault.core.zone import UTC_ZONE

if TYPE_CHECKING:
    from rowvault.commands.forget import ForgetGroup, ForgetResult
    from rowvault.upkeep.retention import Candidate

_HEADINGS = (
    Heading(""),
    Heading("id"),
    Heading("time", timed=True),
    Heading("tags", foldable=True),
    Heading("kept as", foldable=True),
)


@click.command(
    "forget",
    cls=Command,
    short_help="Drop snapshots by name or by a policy.",
    help=f"""Drop snapshots: those named, or all that a policy does not keep.

    {SNAPSHOT_HELP}

    A snapshot stays if any --keep option keeps it. The options mean what they mean in restic, and
    apply to each source and selection by itself. Hours, days and ISO weeks are those of
    UTC, or of the zone that --timezone or ROWVAULT_TIMEZONE names. N may be `unlimited`.

    Forgotten snapshots leave all lists, but not the disk: `undelete` brings them back until
    `prune` removes them for good. With --prune that happens at once.

    Whole snapshots and incomplete ones (rows or objects are missing) are counted apart, so that an
    incomplete one never takes a whole one's place. A snapshot of the future is not counted and
    stays.

    Where no snapshot of a source would be left, nothing is done, unless --allow-remove-all.
    """,
    examples=[
        "rowvault forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run",
        "rowvault forget --keep-within 14d --keep-yearly unlimited --keep-tag audit --prune",
        "rowvault forget 3fa9 latest~3",
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
    ],
)
@click.argument("snapshots", nargs=-1, metavar="[SNAP]...")
@source_option
@retention.keep_options
@click.option("--allow-remove-all", is_flag=True, help="Even if nothing of a source is left.")
@click.option("--dry-run", is_flag=True, help="Say what would go and why; change nothing.")
@click.option("--prune", "then_prune", is_flag=True, help="Reclaim the space at once.")
@prune_options.limit_options
@click.pass_obj
def forget(
    settings: Settings,
    /,
    snapshots: tuple[str, ...],
    source_name: str | None,
    allow_remove_all: bool,
    dry_run: bool,
    then_prune: bool,
    max_unused: float,
    max_repack: int | None,
    wait: bool,
    **keep: Any,
) -> None:
    """Runs `rowvault forget`."""
    from rowvault.commands.forget import ForgetOptions
    from rowvault.commands.forget import forget as run

    policy = retention.policy(keep, configured_zone(settings) or UTC_ZONE)
    if bool(snapshots) == (not policy.is_empty):
        raise usage_error(
            "Name snapshots, or say what to keep, not both."
            if snapshots
            else "Say what to keep (--keep-daily 7 ...), or name snapshots; nothing was forgotten."
        )
    request = None
    if then_prune:
        request = prune_options.request(
            max_unused, max_repack, wait, allow_remove_all=allow_remove_all
        )
    choices = tuple(snapshot_choice(settings, one, source_name, changes=True) for one in snapshots)
    options = ForgetOptions(
        settings.access(), choices, policy, allow_remove_all, dry_run, request, source_name
    )
    with monitor(settings) as watching:
        result = run(options, watching, lambda found: _tell(found, settings, dry_run))
    _show(result, settings, dry_run)
    if result.damage:
        raise click.exceptions.Exit(ExitCode.DAMAGE)
    if result.pruned is not None and (code := prune_options.exit_code(result.pruned)):
        raise click.exceptions.Exit(code)


def document(result: ForgetResult, dry_run: bool) -> dict[str, object]:
    """The result with the stable keys of `--json`."""
    pruned = result.pruned
    return {
        "dry_run": dry_run,
        "forgotten": [one.id for one in result.forgotten],
        "groups": [_group_document(part) for part in result.groups],
        "prune": None if pruned is None else prune_options.document(pruned, dry_run=False),
    }


def _group_document(part: ForgetGroup) -> dict[str, object]:
    selection = part.group.selection
    return {
        "source": part.group.source,
        "server_id": part.group.server_id,
        "selection": {
            "databases": list(selection.databases),
            "tables": [list(name) for name in selection.tables],
            "excludes": list(selection.excludes),
            "users": selection.users,
        },
        "kept": [
            _candidate_document(kept.candidate) | {"reasons": list(kept.reasons)}
            for kept in part.verdict.kept
        ],
        "forgotten": [_candidate_document(one) for one in part.verdict.dropped],
    }


def _candidate_document(candidate: Candidate) -> dict[str, object]:
    return {
        "id": candidate.snapshot.id,
        "time": iso_time(candidate.snapshot.time),
        "tags": list(candidate.tags),
        "whole": candidate.snapshot.is_whole,
    }


def _tell(result: ForgetResult, settings: Settings, dry_run: bool) -> None:
    """What is forgotten, as soon as it is: a prune that comes next may fail."""
    if settings.as_json or settings.quiet:
        return
    for part in result.groups:
        stdout.write_line(printable(part.group.source))
        write_table(_HEADINGS, _rows(part))
        stdout.write_line()
    count = plural(len(result.forgotten), "snapshot")
    stdout.write_line(f"{count} {'would be ' if dry_run else ''}forgotten")
    stdout.flush()


def _show(result: ForgetResult, settings: Settings, dry_run: bool) -> None:
    if settings.as_json:
        stdout.write_json(document(result, dry_run))
    elif not settings.quiet:
        if result.pruned is not None:
            for line in prune_options.lines(result.pruned, dry_run=False):
                stdout.write_line(line)
        elif result.forgotten and not dry_run:
            stdout.write_line("`rowvault undelete` brings them back until `rowvault prune`")
    for message in result.damage:
        click.echo(f"damage: {printable_lines(message)}", err=True)


def _rows(part: ForgetGroup) -> list[list[str]]:
    rows = [(kept.candidate, "keep", ", ".join(kept.reasons)) for kept in part.verdict.kept] + [
        (one, "forget", "") for one in part.verdict.dropped
    ]
    rows.sort(key=lambda row: (row[0].snapshot.time, row[0].snapshot.id))
    return [
        [
            what,
            one.snapshot.id,
            format_time(one.snapshot.time),
            printable(", ".join(one.tags)),
            printable(reasons),
        ]
        for one, what, reasons in rows
    ]
