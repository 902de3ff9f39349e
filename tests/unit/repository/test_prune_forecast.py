"""A dry run says what the prune then does, to the byte, whatever has happened before."""

from __future__ import annotations

import random
from dataclasses import asdict

import pytest

from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.storage import Storage
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneReport, PruneRequest
from rowvault.upkeep.statistics import gather
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    CHEAP,
    MIDDLING,
    SMALL,
    Row,
    Tables,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)


def run(storage: Storage, *, limits: PruneLimits, dry_run: bool) -> PruneReport:
    with open_plain(storage) as repository:
        request = PruneRequest(limits=limits, dry_run=dry_run)
        return prune(repository, request, SilentMonitor())


def bulk(storage: Storage) -> int:
    return sum(storage.size(name) for kind in ("packs/", "index/") for name in storage.list(kind))


def days(count: int, seed: int) -> list[Tables]:
    """Every day a few rows of some blocks change, and none gets longer."""
    chance = random.Random(seed)
    rows: list[Row] = sample_rows(300)
    found: list[Tables] = []
    for day in range(count):
        changed = set(chance.sample(range(300), 6))
        rows = [
            (key, (b"day %d" % day).ljust(64) if place in changed else text)
            for place, (key, text) in enumerate(rows)
        ]
        found.append({("shop", "orders"): rows})
    return found


def a_history_that_was_thinned_out(storage: Storage) -> None:
    """Live deltas on dead ones, which are renewed; packs that are live in part."""
    parent: Snapshot | None = None
    with Repository.create(storage, None, MIDDLING, CHEAP) as repository:
        for number, tables in enumerate(days(12, seed=1)):
            parent = take_snapshot(repository, tables, number, parent=parent)
        for number, snapshot in enumerate(repository.snapshots()):
            if number % 4:
                repository.forget(snapshot)


def a_history_whose_beginning_is_gone(storage: Storage) -> None:
    parent: Snapshot | None = None
    with Repository.create(storage, None, MIDDLING, CHEAP) as repository:
        for number, tables in enumerate(days(9, seed=2)):
            parent = take_snapshot(repository, tables, number, parent=parent)
        for snapshot in repository.snapshots()[:7]:
            repository.forget(snapshot)


def two_first_backups_at_once(storage: Storage) -> None:
    """Everything stands in two packs; one snapshot goes."""
    tables: Tables = {("shop", "orders"): sample_rows(300)}
    Repository.create(storage, None, SMALL, CHEAP).close()
    one, two = open_plain(storage), open_plain(storage)
    with one.begin("a", SilentMonitor()) as first, two.begin("b", SilentMonitor()) as second:
        drafts = put_all(first, one, tables, 0), put_all(second, two, tables, 1)
        first.commit(drafts[0])
        second.commit(drafts[1])
    with open_plain(storage) as repository:
        repository.forget(repository.snapshots()[0])


def a_run_that_was_killed(storage: Storage) -> None:
    """Its packs are there, and some stand in no segment."""
    tables: Tables = {("shop", "orders"): sample_rows(300)}
    with Repository.create(storage, None, SMALL, CHEAP) as repository:
        take_snapshot(repository, tables, 0)
        known = set(storage.list("index/"))
        with repository.begin("killed", SilentMonitor()) as session:
            put_all(session, repository, {("shop", "orders"): sample_rows(200, salt="k")}, 1)
            session.flush()
        for name in set(storage.list("index/")) - known:
            storage.delete(name)


def many_small_runs(storage: Storage) -> None:
    """More segments of one size than a session leaves apart."""
    with Repository.create(storage, None, SMALL, CHEAP) as repository:
        for number in range(9):
            take_snapshot(repository, {("shop", "t"): sample_rows(30, salt=str(number))}, number)
        for number, snapshot in enumerate(repository.snapshots()):
            if number % 3:
                repository.forget(snapshot)


HISTORIES = [
    a_history_that_was_thinned_out,
    a_history_whose_beginning_is_gone,
    two_first_backups_at_once,
    a_run_that_was_killed,
    many_small_runs,
]


@pytest.mark.parametrize(
    "limits",
    [
        PruneLimits(max_unused=0),
        PruneLimits(max_unused=0.2),
        PruneLimits(max_unused=0, max_repack_bytes=4000),
    ],
    ids=["all", "a fifth stays", "4 kB"],
)
@pytest.mark.parametrize("history", HISTORIES)
def test_a_dry_run_says_what_a_prune_does(history: object, limits: PruneLimits) -> None:
    storage = MemoryStorage()
    history(storage)  # type: ignore[operator]
    with open_plain(storage) as repository:
        kept = [read_snapshot(repository, one) for one in repository.snapshots()]
    everything = {name: storage.read(name) for name in storage.list("")}
    said = run(storage, limits=limits, dry_run=True)
    assert {name: storage.read(name) for name in storage.list("")} == everything
    before = bulk(storage)
    done = run(storage, limits=limits, dry_run=False)
    assert done.freed_bytes == before - bulk(storage)
    assert asdict(said) == asdict(done)
    with open_plain(storage) as repository:
        assert [read_snapshot(repository, one) for one in repository.snapshots()] == kept
    if history is a_history_that_was_thinned_out and limits.max_repack_bytes is None:
        assert done.renewed_bytes > 0


def test_a_dry_run_names_who_is_waited_for() -> None:
    storage = MemoryStorage()
    two_first_backups_at_once(storage)
    with open_plain(storage) as other, other.begin("backup", SilentMonitor()):
        limits = PruneLimits(max_unused=0)
        said = run(storage, limits=limits, dry_run=True)
        done = run(storage, limits=limits, dry_run=False)
        assert said.pending_bytes == done.pending_bytes > 0
        assert len(said.waits_for) == len(done.waits_for) == 1


@pytest.mark.parametrize("history", HISTORIES)
def test_what_statistics_call_unused_is_what_a_prune_frees(history: object) -> None:
    """And, where blocks are stored anew, what lies below these besides."""
    storage = MemoryStorage()
    history(storage)  # type: ignore[operator]
    with open_plain(storage) as repository:
        before = gather(repository, None, SilentMonitor())
    done = run(storage, limits=PruneLimits(max_unused=0), dry_run=False)
    with open_plain(storage) as repository:
        after = gather(repository, None, SilentMonitor())
    assert after.stored.unused.stored_bytes == after.unlisted_bytes == 0
    freed = before.stored.frame_bytes - after.stored.frame_bytes
    unused = before.stored.unused.stored_bytes
    assert freed == unused or (freed > unused and done.renewed_blocks)
