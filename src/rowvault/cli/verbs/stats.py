"""`rowvault stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowvault.cli.command import Command, usage_error
from rowvault.cli.input import amounts, prune_options
from rowvault.cli.input.options import SNAPSHOT_HELP
from rowvault.cli.input.snapshot_name import snapshot_choice, source_option, taken
from rowvault.cli.output import stdout
from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import (
    format_bytes,
    format_seconds,
    format_time,
    iso_time,
    plural,
    printable,
)
from rowvault.cli.output.progress import monitor
from rowvault.cli.output.table import Heading, write_facts, write_table
from rowvault.cli.settings import Settings

if TYPE_CHECKING:
    from rowvault.commands.stats import StatsResult
    from rowvault.repository import Snapshot
    from rowvault.upkeep.backup_metrics import BackupMetrics, Duration, Ratio
    from rowvault.upkeep.statistics import Amount, Statistics

_GROWTH_ROWS = 10


@click.command(
    "stats",
    cls=Command,
    short_help="Show what takes the room, and what backups cost.",
    help=f"""Show what takes the room: how large the rows of all snapshots are, how much of that
    dedup, compression and deltas save, what is unused, and by how much each snapshot made the
    repository grow. With SNAP, of that snapshot alone, and how much only it needs: that is what
    forgetting it and a prune would reclaim.

    {SNAPSHOT_HELP}

    Then the four figures of SNAP, or of the latest snapshot. Total data are its rows.

    \b
    backup ratio    what its backup stored / total data
    restore ratio   what a restore reads of the repository / total data
    backup time     total data / speed: measured, and estimated for the next one
    restore time    total data / speed, estimated

    A restore's speed is not recorded. Without --restore-speed the repository is read for a moment,
    and the time is the least that a restore takes: the target does its own work besides. What
    `restore --json` says, raw_bytes / seconds, is a restore's speed.

    Without SNAP it also says what a prune with its usual limits would free now, to the byte: that
    is the dry run of the prune itself. Where that cannot be told, because another prune is at work
    or something is damaged, it says why, and all else is shown.

    All trees and the footers of all packs are read, and without SNAP the blocks that a prune would
    store anew; nothing is changed, and no run is waited for or held up.
    """,
    examples=[
        "rowvault stats",
        "rowvault stats latest --restore-speed 40M",
        "rowvault stats --json",
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
@click.argument("snapshot", metavar="[SNAP]", required=False)
@click.option(
    "--restore-speed",
    callback=amounts.speed,
    metavar="SIZE",
    help="Rows that a restore loads in a second, like 40M.",
)
@source_option
@click.pass_obj
def stats(
    settings: Settings,
    snapshot: str | None,
    restore_speed: int | None,
    source_name: str | None,
) -> None:
    """Runs `rowvault stats`."""
    from rowvault.commands.stats import StatsOptions
    from rowvault.commands.stats import stats as run

    if source_name is not None and snapshot is None:
        raise usage_error("--source says whose snapshot SNAP is: name one, like `latest`")
    with monitor(settings) as watching:
        choice = None if snapshot is None else snapshot_choice(settings, snapshot, source_name)
        result = run(StatsOptions(settings.access(), choice, restore_speed), watching)
    if settings.as_json:
        named = taken(settings) if settings.taken else {"time": None, "source": None}
        stdout.write_json(document(result) | named)
    else:
        _write(result)


def document(result: StatsResult) -> dict[str, object]:
    """The result with the stable keys of `--json`."""
    found, stored = result.statistics, result.statistics.stored
    savings = found.savings
    rest = _amount(stored.unused)
    return {
        "repository": result.repository,
        "snapshot": None if result.chosen is None else result.chosen.id,
        "snapshots": len(found.snapshots),
        "raw_bytes": found.raw_bytes,
        "unique_bytes": stored.all_rows.raw_bytes,
        "savings": {
            "dedup_bytes": savings.dedup_bytes,
            "compression_bytes": savings.compression_bytes,
            "delta_bytes": savings.delta_bytes,
        },
        "rows": [{"depth": depth, **_amount(one)} for depth, one in sorted(stored.rows.items())],
        "bases": _amount(stored.bases),
        "manifests": _amount(stored.manifests),
        "nodes": _amount(stored.nodes),
        "unused": rest if result.chosen is None else None,
        "others": None if result.chosen is None else rest,
        "prune": None
        if result.prune is None
        else prune_options.document(result.prune, dry_run=True),
        "prune_unknown": result.prune_unknown,
        "exclusive_bytes": found.exclusive_bytes,
        "overhead_bytes": found.overhead_bytes,
        "unlisted_bytes": found.unlisted_bytes,
        "files": found.files,
        "stored_bytes": found.total_bytes,
        "growth": [_growth(one) for one in found.snapshots],
        "figures": None if result.metrics is None else _metrics(result),
    }


def _amount(amount: Amount) -> dict[str, int]:
    return {
        "blocks": amount.blocks,
        "raw_bytes": amount.raw_bytes,
        "stored_bytes": amount.stored_bytes,
    }


def _growth(snapshot: Snapshot) -> dict[str, object]:
    return {
        "id": snapshot.id,
        "time": iso_time(snapshot.time),
        "rows": snapshot.rows,
        "raw_bytes": snapshot.raw_bytes,
        "blocks": snapshot.blocks,
        "new_blocks": snapshot.new_blocks,
        "stored_bytes": snapshot.stored_bytes,
        "seconds": snapshot.seconds,
        "whole": snapshot.is_whole,
    }


def _metrics(result: StatsResult) -> dict[str, object]:
    metrics = result.metrics
    assert metrics is not None
    assert result.metrics_of is not None
    return {
        "snapshot": result.metrics_of.id,
        "backup_ratio": _ratio(metrics.backup_ratio),
        "restore_ratio": _ratio(metrics.restore_ratio),
        "backup_time": _duration(metrics.backup_time),
        "restore_time": _duration(metrics.restore_time),
    }


def _ratio(ratio: Ratio) -> dict[str, object]:
    return {
        "part_bytes": ratio.part_bytes,
        "total_bytes": ratio.total_bytes,
        "ratio": ratio.value,
    }


def _duration(duration: Duration) -> dict[str, object]:
    return {
        "measured_seconds": duration.measured_s,
        "estimated_seconds": duration.estimated_s,
        "total_bytes": duration.total_bytes,
        "bytes_per_second": duration.bytes_per_s,
        "assumption": duration.assumption,
    }


def _write(result: StatsResult) -> None:
    write_facts(_facts(result))
    if result.metrics is not None and result.metrics_of is not None:
        stdout.write_line("")
        stdout.write_line(f"the four figures of snapshot {result.metrics_of.id}")
        write_facts(_metric_facts(result.metrics))
    if result.chosen is None and result.statistics.snapshots:
        _write_growth(result.statistics)


def _facts(result: StatsResult) -> list[tuple[str, str]]:
    found, stored = result.statistics, result.statistics.stored
    savings, rows = found.savings, result.statistics.stored.all_rows
    compressed = rows.stored_bytes + savings.delta_bytes
    has_deltas = any(stored.rows[depth].blocks for depth in stored.rows if depth)
    documents = found.total_bytes - found.files["data_packs"] - found.files["tree_packs"]
    other = stored.nodes.stored_bytes + stored.manifests.stored_bytes
    of_what = "all snapshots" if result.chosen is None else f"snapshot {result.chosen.id}"
    rest = f"{format_bytes(stored.unused.stored_bytes)} in {plural(stored.unused.blocks, 'block')}"
    return [
        ("repository", printable(result.repository)),
        ("snapshots", str(len(found.snapshots))),
        (f"rows of {of_what}", format_bytes(found.raw_bytes)),
        ("each stored once", _saved(rows.raw_bytes, savings.dedup_bytes, "dedup saves")),
        ("compressed", _saved(compressed, savings.compression_bytes, "compression saves")),
        (
            "as deltas",
            f"{_saved(rows.stored_bytes, savings.delta_bytes, 'deltas save')}, estimated"
            if has_deltas
            else "",
        ),
        (
            "bases of deltas",
            format_bytes(stored.bases.stored_bytes) if stored.bases.blocks else "",
        ),
        ("trees and manifests", format_bytes(other)),
        ("index and documents", "" if result.chosen else format_bytes(documents)),
        ("framing of packs", "" if result.chosen else format_bytes(found.overhead_bytes)),
        ("unused", "" if result.chosen else rest),
        ("a prune", "" if result.chosen else _prune_text(result)),
        ("not listed", format_bytes(found.unlisted_bytes) if found.unlisted_bytes else ""),
        ("all files", format_bytes(found.total_bytes)),
        ("only it needs", format_bytes(found.exclusive_bytes or 0) if result.chosen else ""),
    ]


def _prune_text(result: StatsResult) -> str:
    report = result.prune
    if report is None:
        return f"cannot be foretold: {printable(result.prune_unknown or '')}"
    size = format_bytes(abs(report.freed_bytes))
    text = f"frees {size}" if report.freed_bytes >= 0 else f"takes {size} more than it frees"
    if report.waits_for:
        runs = plural(len(report.waits_for), "run")
        text += f", and {format_bytes(report.pending_bytes)} wait for {runs} at work"
    if report.unused_bytes:
        text += f"; {format_bytes(report.unused_bytes)} stay unused"
    return f"{text}; see `rowvault prune --dry-run`"


def _saved(left: int, saved: int, how: str) -> str:
    before = left + saved
    share = f" ({saved / before:.1%})" if before > 0 else ""
    return f"{format_bytes(left)}: {how} {format_bytes(saved)}{share}"


def _metric_facts(metrics: BackupMetrics) -> list[tuple[str, str]]:
    return [
        ("backup ratio", _ratio_text(metrics.backup_ratio, "stored")),
        ("restore ratio", _ratio_text(metrics.restore_ratio, "to be read")),
        ("backup time", _duration_text(metrics.backup_time)),
        ("restore time", _duration_text(metrics.restore_time)),
    ]


def _ratio_text(ratio: Ratio, what: str) -> str:
    sizes = f"{format_bytes(ratio.part_bytes)} {what} / {format_bytes(ratio.total_bytes)}"
    return f"none: {sizes}" if ratio.value is None else f"{ratio.value:.5f}: {sizes}"


def _duration_text(duration: Duration) -> str:
    parts = []
    if duration.measured_s is not None:
        parts.append(f"{format_seconds(duration.measured_s)} measured")
    if duration.estimated_s is not None and duration.bytes_per_s is not None:
        speed = f"{format_bytes(round(duration.bytes_per_s))}/s"
        estimated = format_seconds(duration.estimated_s)
        parts.append(f"{estimated} estimated at {speed} ({duration.assumption})")
    return "; ".join(parts) or "unknown"


def _write_growth(found: Statistics) -> None:
    shown = found.snapshots[-_GROWTH_ROWS:]
    left_out = len(found.snapshots) - len(shown)
    stdout.write_line("")
    stdout.write_line(
        "growth" + (f", the last {len(shown)} of {len(found.snapshots)}" if left_out else "")
    )
    write_table(
        [
            Heading("snapshot"),
            Heading("time", timed=True),
            Heading("rows' size", numeric=True),
            Heading("new blocks", numeric=True),
            Heading("stored", numeric=True),
            Heading("took", numeric=True),
            Heading("state"),
        ],
        [
            [
                one.id,
                format_time(one.time),
                format_bytes(one.raw_bytes),
                f"{one.new_blocks:,} of {one.blocks:,}",
                format_bytes(one.stored_bytes),
                format_seconds(one.seconds),
                "" if one.is_whole else "incomplete",
            ]
            for one in shown
        ],
    )
