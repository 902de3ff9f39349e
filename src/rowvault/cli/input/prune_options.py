"""What `prune` and `forget --prune` share: limits as they are typed, a report as it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from rowvault.cli.output.exit_codes import ExitCode
from rowvault.cli.output.formatting import format_bytes, plural, printable

if TYPE_CHECKING:
    from rowvault.upkeep.prune.report import PruneReport, PruneRequest

_Function = TypeVar("_Function", bound=Callable[..., object])

_SIZE = re.compile(r"(\d{1,12})([KMGT]?)(i?B?)", re.IGNORECASE)
_PER_CENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")
_UNITS = " KMGT"


def _size(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    match = _SIZE.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"{value!r} is not a size: write it like 500M or 2G")
    return int(match[1]) << 10 * _UNITS.index(match[2].upper() or " ")


def _part(context: click.Context, parameter: click.Parameter, value: str) -> float:
    if value == "unlimited":
        return float("inf")
    match = _PER_CENT.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"{value!r} is not a part: write it like 5% or `unlimited`")
    return float(match[1]) / 100


def limit_options(function: _Function) -> _Function:
    """`--max-unused`, `--max-repack`, `--wait`."""
    decorated = click.option(
        "--wait",
        is_flag=True,
        help="Wait for runs at work that may need what is condemned, and free it then.",
    )(function)
    decorated = click.option(
        "--max-repack",
        metavar="SIZE",
        callback=_size,
        help="Store at most this much again, like 500M or 2G. Default: what --max-unused asks.",
    )(decorated)
    return click.option(
        "--max-unused",
        metavar="PART",
        default="5%",
        callback=_part,
        help="Dead bytes that may stay in packs that are partly live, as a part of what is live; "
        "`unlimited`: store nothing again. Default: 5%.",
    )(decorated)


def request(
    max_unused: float,
    max_repack: int | None,
    wait: bool,
    dry_run: bool = False,
    allow_remove_all: bool = False,
) -> PruneRequest:
    """The request that the options make."""
    from rowvault.upkeep.prune.plan import PruneLimits
    from rowvault.upkeep.prune.report import PruneRequest

    limits = PruneLimits(max_unused=max_unused, max_repack_bytes=max_repack)
    return PruneRequest(
        limits=limits, wait=wait, dry_run=dry_run, allow_remove_all=allow_remove_all
    )


def document(report: PruneReport, dry_run: bool) -> dict[str, object]:
    """A report with the stable keys of `--json`."""
    return {
        "dry_run": dry_run,
        "snapshots": report.snapshots,
        "final": list(report.final),
        "dead_packs": report.dead_packs,
        "repacked_packs": report.repacked_packs,
        "repacked_bytes": report.repacked_bytes,
        "renewed_blocks": report.renewed_blocks,
        "renewed_bytes": report.renewed_bytes,
        "removed_packs": report.removed_packs,
        "freed_bytes": report.freed_bytes,
        "pending_bytes": report.pending_bytes,
        "unused_bytes": report.unused_bytes,
        "waits_for": list(report.waits_for),
        "warnings": list(report.warnings),
        "damage": list(report.damage),
    }


def exit_code(report: PruneReport) -> ExitCode:
    """Whether something was left out, or is damaged."""
    if report.damage:
        return ExitCode.DAMAGE
    return ExitCode.INCOMPLETE if report.waits_for or report.warnings else ExitCode.DONE


def lines(report: PruneReport, dry_run: bool) -> list[str]:
    """A report for people."""
    would = "would be " if dry_run else ""
    done = [
        f"{plural(report.snapshots, 'snapshot')} kept; "
        f"{plural(len(report.final), 'forgotten one')} {would}removed for good",
        f"packs: {report.dead_packs:,} without use, {report.repacked_packs:,} partly dead, of "
        f"which {format_bytes(report.repacked_bytes)} {would}stored anew",
    ]
    if report.renewed_blocks:
        done.append(
            f"{plural(report.renewed_blocks, 'block')} that build on dead ones {would}stored anew, "
            f"in {format_bytes(report.renewed_bytes)}"
        )
    if report.waits_for:
        done.append(f"{format_bytes(report.pending_bytes)} wait for runs at work:")
        done += [f"  {printable(one)}" for one in report.waits_for]
        done.append("the next prune frees that; --wait waits for it")
    else:
        done.append(f"{format_bytes(report.freed_bytes)} {would}freed")
    if report.unused_bytes:
        done.append(f"{format_bytes(report.unused_bytes)} stay unused, see --max-unused")
    return done
