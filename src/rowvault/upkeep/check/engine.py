"""Verifies a repository: objects, packs against the index, snapshots down to their blocks."""

from __future__ import annotations

from collections.abc import Callable

from rowvault.core.errors import (
    DamageError,
    MissingError,
    StorageError,
    UnsupportedFormatError,
)
from rowvault.core.ids import PackName
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.absence import refuse_unexplained_emptiness
from rowvault.repository.crypto.key_slot import decode_slot
from rowvault.repository.read_subset import PackAmount, PackShare, ReadSubset
from rowvault.repository.repository import Repository
from rowvault.repository.session import RepositoryInternals
from rowvault.upkeep.check.packs import PackCheck
from rowvault.upkeep.check.report import CheckError, CheckReport, DamageKind
from rowvault.upkeep.check.trees import TreeCheck

_NAMED_FOREIGN = 20

__all__ = ["CheckError", "CheckReport", "DamageKind", "check"]


def check(repository: Repository, read_data: bool | ReadSubset, monitor: Monitor) -> CheckReport:
    """All damage there is; with `read_data` every stored byte, or that of a subset, is verified.

    Reads in the order that writers follow backwards, so runs at work are no damage: snapshots,
    then the index, then packs. Raises StorageError when the place itself fails.
    """
    report = CheckReport(missing_features=repository.missing_features)
    internals = repository.internals
    monitor.phase("checking objects")
    _check_groups(repository, report, monitor)
    _check_slots(internals, report)
    for name, error in repository.upkeep_damage().items():
        report.add(error, name)
    repository.ledger.forget_entries()
    found = repository.snapshot_set.examine()
    for problem in (*found.problems, *found.stale):
        report.add(problem.error, problem.object)
    listings = repository.listings()
    if not listings:
        _check_emptiness(repository, report)
    for name, error in internals.snapshot_store.session_damage.items():
        report.add(error, name)
    for listing in listings:
        if listing.damage is not None:
            report.add(listing.damage, names.snapshot(listing.time, listing.id))
        for name, error in internals.snapshot_store.tag_damage(listing.id).items():
            report.add(error, name)
    internals.index.refresh()
    for name, error in internals.index.damage.items():
        report.add(error, names.segment(name))
    monitor.phase("checking packs")
    report.condemned_packs = len(internals.prune_ledger.condemned()[1])
    rotation = repository.read_rotation
    turn = rotation.choose(read_data) if isinstance(read_data, PackAmount) else []
    packs = PackCheck(internals, report, monitor, reads=_reads(read_data, turn))
    packs.run()
    monitor.phase("checking snapshots")
    trees = TreeCheck(repository.read_data, repository.read_node, packs.explain, report)
    for listing in listings:
        if listing.snapshot is not None:
            monitor.item(f"snapshot {listing.id}")
            trees.check(listing.snapshot)
    trees.finish({one.id for one in repository.listings()})
    if turn:
        rotation.remember(turn[-1], monitor)
    return report


def _reads(read_data: bool | ReadSubset, turn: list[PackName]) -> Callable[[PackName], bool]:
    if isinstance(read_data, PackShare):
        return read_data.holds
    if isinstance(read_data, PackAmount):
        return set(turn).__contains__
    return lambda name: read_data


def _check_groups(repository: Repository, report: CheckReport, monitor: Monitor) -> None:
    for group in repository.missing_groups:
        report.add(
            MissingError(
                f"the directory {group} is missing; bring it back from a copy, or copy the "
                "repository again"
            ),
            group,
        )
    report.foreign = repository.foreign()
    if report.foreign:
        named = ", ".join(report.foreign[:_NAMED_FOREIGN])
        others = len(report.foreign) - _NAMED_FOREIGN
        more = f" and {others} more" if others > 0 else ""
        monitor.warning(f"no objects of the repository, and left alone: {named}{more}")


def _check_emptiness(repository: Repository, report: CheckReport) -> None:
    try:
        refuse_unexplained_emptiness(repository)
    except MissingError as error:
        report.add(error, names.SNAPSHOTS)


def _check_slots(internals: RepositoryInternals, report: CheckReport) -> None:
    for name in internals.storage.list(names.KEYS):
        try:
            decode_slot(internals.storage.read(name), name)
        except (DamageError, UnsupportedFormatError, StorageError) as error:
            report.add(error, name)
