"""A dry run says what the prune then does, to the byte, whatever has happened before."""

from __future__ import annotations

import random
from dataclasses import asdict
from pathlib import Path

import pytest

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.stats import StatsOptions, StatsResult, stats
from rowvault.core.errors import DamageError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage, Storage
from rowvault.upkeep.prune.engine import COMMAND, prune
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
    take_at_once,
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


def a_random_history(storage: Storage, seed: int) -> None:
    """Backups on others and beside others, prunes, killed runs; most snapshots are forgotten."""
    chance = random.Random(seed)
    rows: list[Row] = sample_rows(200)
    parent: Snapshot | None = None
    with Repository.create(storage, None, MIDDLING, CHEAP) as repository:
        for step in range(chance.randint(6, 12)):
            for place in chance.sample(range(len(rows)), 5):
                rows[place] = (rows[place][0], (b"step %d" % step).ljust(64))
            tables: Tables = {("shop", "orders"): list(rows)}
            happening = chance.random()
            if happening < 0.15:
                parent = take_at_once(repository, [tables, tables], [1, 3], 2 * step)[-1]
            elif happening < 0.3:
                leave_packs(storage, repository, step)
            elif happening < 0.4:
                prune(repository, PruneRequest(), SilentMonitor())
            else:
                parent = take_snapshot(repository, tables, 2 * step, parent=parent)
        for snapshot in repository.snapshots()[:-1]:
            if chance.random() < 0.7:
                repository.forget(snapshot)


def leave_packs(storage: Storage, repository: Repository, number: int) -> None:
    """As a run that is killed before it lists them."""
    known = set(storage.list("index/"))
    with repository.begin("killed", SilentMonitor()) as session:
        rows = sample_rows(60, salt=f"killed {number}")
        put_all(session, repository, {("shop", "orders"): rows}, number)
        session.flush()
    for name in set(storage.list("index/")) - known:
        storage.delete(name)


def look(place: Path) -> StatsResult:
    """What `stats` says; it changes nothing."""
    storage = LocalStorage(place)
    everything = {name: storage.read(name) for name in storage.list("")}
    found = stats(StatsOptions(RepositoryAccess(str(place), lambda: b"")), SilentMonitor())
    assert {name: storage.read(name) for name in storage.list("")} == everything
    return found


@pytest.mark.parametrize("seed", range(16))
def test_statistics_say_what_a_prune_does(seed: int, tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "vault")
    a_random_history(storage, seed)
    said = look(tmp_path / "vault").prune
    assert said is not None
    before = bulk(storage)
    done = run(storage, limits=PruneLimits(), dry_run=False)
    assert asdict(said) == asdict(done)
    assert said.freed_bytes == before - bulk(storage)


def test_statistics_say_what_waits_for_a_run_at_work(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "vault")
    two_first_backups_at_once(storage)
    with open_plain(storage) as other, other.begin("backup", SilentMonitor()):
        said = look(tmp_path / "vault").prune
        assert said is not None
        assert said.pending_bytes > 0
        assert asdict(said) == asdict(run(storage, limits=PruneLimits(), dry_run=False))


def test_statistics_need_no_lock(tmp_path: Path) -> None:
    """Beside another prune all is told but what a second one would do."""
    storage = LocalStorage(tmp_path / "vault")
    a_history_that_was_thinned_out(storage)
    before = look(tmp_path / "vault")
    with open_plain(storage) as other, other.begin(COMMAND, SilentMonitor()):
        during = look(tmp_path / "vault")
    assert during.prune is None
    assert during.prune_unknown is not None
    assert "is in use" in during.prune_unknown
    assert during.statistics.stored == before.statistics.stored
    assert look(tmp_path / "vault").prune == before.prune


def test_statistics_say_why_nothing_can_be_foretold(tmp_path: Path) -> None:
    """A pack that the index lists is gone: a prune refuses, though no snapshot needs it."""
    storage = LocalStorage(tmp_path / "vault")
    with Repository.create(storage, None, SMALL, CHEAP) as repository:
        forgotten = take_snapshot(repository, {("shop", "t"): sample_rows(90, salt="a")}, 0)
        packs = storage.list("packs/data/")
        take_snapshot(repository, {("shop", "t"): sample_rows(90, salt="b")}, 1)
        repository.forget(forgotten)
    storage.delete(packs[0])
    with pytest.raises(DamageError, match="Nothing was removed") as refusal:
        run(storage, limits=PruneLimits(), dry_run=False)
    found = look(tmp_path / "vault")
    assert (found.prune, found.prune_unknown) == (None, str(refusal.value))
    assert found.statistics.total_bytes > 0
