"""Prune: what is freed, what must stay, and who is waited for."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from rowvault.codec.frames import BlockType
from rowvault.core.errors import (
    DamageError,
    LockedError,
    RepositoryError,
    SnapshotNotFoundError,
)
from rowvault.core.ids import BlockId, PackName
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import names
from rowvault.repository.index.index import Location, Segment, encode_segment, segment_name
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackEntry
from rowvault.repository.records.session_object import ProcessIdentity
from rowvault.repository.repository import Repository
from rowvault.repository.session import WriteSession
from rowvault.storage import LocalStorage, Storage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.live_blocks import LiveMarks
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits, make_plan
from rowvault.upkeep.prune.report import PruneReport, PruneRequest
from support.failing_storage import StoppingStorage
from support.memory_storage import copied
from support.sample_repository import (
    MIDDLING,
    SMALL,
    Row,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

FIRST = {("shop", "orders"): sample_rows(400), ("shop", "items"): sample_rows(5, salt="i")}
SECOND = {
    ("shop", "orders"): FIRST["shop", "orders"][:200] + sample_rows(400, salt="n")[200:],
    ("shop", "items"): FIRST["shop", "items"],
}
SCATTERED = {
    ("shop", "orders"): [
        old if number % 20 < 14 else new
        for number, (old, new) in enumerate(
            zip(FIRST["shop", "orders"], sample_rows(400, salt="x"), strict=True)
        )
    ]
}
"""Rows of the first one, with changes all over: every pack is live in part."""
ALL_DEAD_BYTES = PruneRequest(limits=PruneLimits(max_unused=0))


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """Two snapshots that share half of their rows."""
    storage = LocalStorage(tmp_path / "place")
    with Repository.create(storage, None, SMALL) as repository:
        take_snapshot(repository, FIRST, 0, ["first"])
        take_snapshot(repository, SECOND, 1)
    return storage


def run(storage: Storage, request: PruneRequest = ALL_DEAD_BYTES) -> PruneReport:
    with open_plain(storage) as repository:
        return prune(repository, request, SilentMonitor())


def forget(storage: Storage, spec: str) -> None:
    with open_plain(storage) as repository:
        repository.forget(repository.find(spec))


def bulk(storage: LocalStorage) -> int:
    """Bytes of packs and index."""
    return sum(storage.size(name) for kind in ("packs/", "index/") for name in storage.list(kind))


def assert_whole(storage: LocalStorage, *expected: object) -> None:
    with open_plain(storage) as repository:
        assert [read_snapshot(repository, one) for one in repository.snapshots()] == list(expected)
        assert check(repository, True, SilentMonitor()).errors == []
    assert storage.list("sessions/") == []


def test_nothing_to_do(storage: LocalStorage) -> None:
    before = storage.list("packs/")
    report = run(storage)
    assert (report.dead_packs, report.repacked_packs, report.removed_packs) == (0, 0, 0)
    assert (report.freed_bytes, report.snapshots) == (0, 2)
    assert storage.list("packs/") == before
    assert_whole(storage, FIRST, SECOND)


def test_forgotten_rows_go_and_the_others_stay(storage: LocalStorage) -> None:
    forget(storage, "latest~1")
    assert_whole(storage, SECOND)
    before = bulk(storage)
    report = run(storage)
    assert report.freed_bytes == before - bulk(storage) > 8000
    assert report.removed_packs == report.dead_packs + report.repacked_packs
    assert report.unused_bytes == 0
    assert len(report.final) == 1
    assert_whole(storage, SECOND)
    assert storage.list("trash/") == []
    assert len(storage.list("tags/")) == 0
    assert not [name for name in storage.list("gc/") if "round" in name]
    again = run(storage)
    assert (again.freed_bytes, again.removed_packs) == (0, 0)


def test_what_a_dry_run_says(storage: LocalStorage) -> None:
    forget(storage, "latest~1")
    everything = {name: storage.read(name) for name in storage.list("")}
    said = run(storage, PruneRequest(limits=PruneLimits(max_unused=0), dry_run=True))
    assert {name: storage.read(name) for name in storage.list("")} == everything
    done = run(storage)
    assert (said.dead_packs, said.repacked_packs) == (done.dead_packs, done.repacked_packs)
    assert said == done


def test_everything_forgotten(storage: LocalStorage) -> None:
    forget(storage, "latest")
    forget(storage, "latest")
    run(storage)
    assert storage.list("packs/") == storage.list("index/") == []
    assert_whole(storage)
    with open_plain(storage) as repository:
        take_snapshot(repository, FIRST, 2)
    assert_whole(storage, FIRST)


def test_forgotten_snapshots_come_back_until_pruned(storage: LocalStorage) -> None:
    forget(storage, "latest~1")
    with open_plain(storage) as repository:
        (one,) = repository.trash.listings()
        assert repository.trash.take_back("latest").id == one.id
    assert_whole(storage, FIRST, SECOND)
    assert storage.list("trash/") == []
    with open_plain(storage) as repository:
        assert repository.tags(one.id) == ["first"]
        with pytest.raises(SnapshotNotFoundError, match="nothing to bring back"):
            repository.trash.take_back("latest")
    forget(storage, one.id)
    run(storage)
    with open_plain(storage) as repository, pytest.raises(SnapshotNotFoundError):
        repository.trash.take_back(one.id)


def scatter(storage: LocalStorage) -> None:
    """One snapshot is left, which needs some blocks of each pack."""
    with open_plain(storage) as repository:
        take_snapshot(repository, SCATTERED, 2)
    forget(storage, "latest~1")
    forget(storage, "latest~1")


def test_limits(storage: LocalStorage) -> None:
    scatter(storage)
    lazy = run(storage, PruneRequest(limits=PruneLimits(max_unused=1e9)))
    assert (lazy.repacked_packs, lazy.repacked_bytes) == (0, 0)
    assert lazy.unused_bytes > 0
    little = run(storage, PruneRequest(limits=PruneLimits(max_unused=0, max_repack_bytes=5000)))
    assert 0 < little.repacked_bytes <= 5000
    assert 0 < little.unused_bytes < lazy.unused_bytes
    assert run(storage).unused_bytes == 0
    assert_whole(storage, SCATTERED)


def test_a_run_at_work_is_waited_for(storage: LocalStorage) -> None:
    """It relies on blocks of a forgotten snapshot that it found in the index."""
    forget(storage, "latest~1")
    with open_plain(storage) as writer, writer.begin("backup", SilentMonitor()) as session:
        draft = put_all(session, writer, FIRST, 2)
        assert session.stats.new_blocks == 0
        report = run(storage)
        assert report.removed_packs == 0
        assert report.pending_bytes > 0
        (held,) = report.waits_for
        assert "`backup`" in held
        assert str(ProcessIdentity.current().pid) in held
        session.commit(draft)
    assert_whole(storage, SECOND, FIRST)
    report = run(storage)
    assert report.waits_for == ()
    assert_whole(storage, SECOND, FIRST)


def test_a_run_that_begins_later_is_not_waited_for(storage: LocalStorage) -> None:
    """It knows what is condemned, and stores that again."""
    forget(storage, "latest~1")
    with open_plain(storage).begin("backup", SilentMonitor()) as early:
        run(storage)
        late_writer = open_plain(storage)
        late = late_writer.begin("backup", SilentMonitor())
        draft = put_all(late, late_writer, FIRST, 3)
        assert late.stats.new_blocks > 0
        early.abort()
    report = run(storage)
    assert report.removed_packs > 0
    late.commit(draft)
    assert_whole(storage, SECOND, FIRST)


def test_waiting_until_the_run_ends(storage: LocalStorage) -> None:
    forget(storage, "latest~1")
    writer = open_plain(storage)
    session = writer.begin("backup", SilentMonitor())
    draft = put_all(session, writer, FIRST, 2)
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            session.commit(draft)

    report = run(storage, PruneRequest(limits=PruneLimits(max_unused=0), wait=True, pause=pause))
    assert len(pauses) == 3
    assert report.waits_for == ()
    assert_whole(storage, SECOND, FIRST)


def test_a_paused_run_is_ended_and_cannot_commit(storage: LocalStorage) -> None:
    """Its heartbeats stop for longer than the lease; the wall clock plays no part."""
    forget(storage, "latest~1")
    writer = open_plain(storage)
    session = writer.begin("backup", SilentMonitor())
    draft = put_all(session, writer, FIRST, 2)
    seconds = [0.0]

    def pause(length: float) -> None:
        seconds[0] += 300

    monitor = SilentMonitor()
    with open_plain(storage) as repository:
        report = prune(
            repository,
            PruneRequest(
                limits=PruneLimits(max_unused=0), wait=True, pause=pause, clock=lambda: seconds[0]
            ),
            monitor,
        )
    assert report.removed_packs > 0
    assert any("without a sign of life" in warning for warning in monitor.warnings)
    with pytest.raises(RepositoryError, match="ended by somebody else"):
        session.commit(draft)
    session.abort()
    assert_whole(storage, SECOND)


def test_heartbeats_keep_a_run_alive(storage: LocalStorage) -> None:
    forget(storage, "latest~1")
    writer = open_plain(storage)
    session = writer.begin("backup", SilentMonitor())
    draft = put_all(session, writer, FIRST, 2)
    seconds = [0.0]

    def pause(length: float) -> None:
        seconds[0] += 300
        if seconds[0] > 3000:
            session.commit(draft)
        else:
            session._object.beat()

    run(
        storage,
        PruneRequest(
            limits=PruneLimits(max_unused=0), wait=True, pause=pause, clock=lambda: seconds[0]
        ),
    )
    assert_whole(storage, SECOND, FIRST)


def test_a_dead_run_of_another_host_ends_over_several_prunes(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits; what one prune has seen the next one goes on from."""
    forget(storage, "latest~1")
    here = ProcessIdentity.current()
    elsewhere = msgspec.structs.replace(here, host="elsewhere", machine="m", boot="b")
    monkeypatch.setattr(ProcessIdentity, "current", classmethod(lambda cls: elsewhere))
    session = open_plain(storage).begin("backup", SilentMonitor())
    monkeypatch.undo()

    def at(seconds: float) -> PruneReport:
        limits = PruneLimits(max_unused=0)
        return run(storage, PruneRequest(limits=limits, clock=lambda: seconds))

    assert "elsewhere" in at(1000.0).waits_for[0]
    assert at(1100.0).waits_for
    assert at(1000.0).waits_for
    report = at(1700.0)
    assert report.waits_for == ()
    assert report.removed_packs > 0
    session.abort()
    assert_whole(storage, SECOND)


@pytest.mark.parametrize("command", ["prune", "repair"])
def test_one_prune_or_repair_at_a_time(storage: LocalStorage, command: str) -> None:
    forget(storage, "latest~1")
    pid = ProcessIdentity.current().pid
    with (
        open_plain(storage).begin(command, SilentMonitor()),
        pytest.raises(LockedError, match=rf"in use: `{command}` on .*, process {pid}"),
    ):
        run(storage)
    run(storage)
    assert_whole(storage, SECOND)


def test_a_prune_that_was_overtaken_stops(storage: LocalStorage) -> None:
    """Both looked before either began; the second swap of the ledger fails."""
    forget(storage, "latest~1")
    first, second = open_plain(storage), open_plain(storage)
    _, stored = first.internals.prune_ledger.read()
    state, _ = second.internals.prune_ledger.read()
    second.internals.prune_ledger.swap(None, state)
    with pytest.raises(LockedError, match="taken over"):
        first.internals.prune_ledger.swap(stored, state)


def test_parents_of_runs_at_work_stay(storage: LocalStorage) -> None:
    """A run may read its parent, also after somebody forgot that."""
    writer = open_plain(storage)
    parent = writer.find("latest~1")
    with writer.begin("backup", SilentMonitor(), parent=parent.id):
        forget(storage, parent.id)
        report = run(storage)
        assert report.final == ()
        assert (report.dead_packs, report.repacked_packs) == (0, 0)
    with open_plain(storage) as repository:
        repository.trash.take_back(parent.id)
    assert_whole(storage, FIRST, SECOND)


def test_readers_that_began_before_go_on(storage: LocalStorage) -> None:
    """Blocks that were moved are found in the new place."""
    reader = open_plain(storage)
    latest = reader.find("latest")
    assert read_snapshot(reader, latest) == SECOND
    reader._nodes.clear()
    forget(storage, "latest~1")
    assert run(storage).repacked_packs > 0
    assert read_snapshot(reader, latest) == SECOND


def test_a_reader_of_what_was_forgotten_is_told(storage: LocalStorage) -> None:
    reader = open_plain(storage)
    old = reader.find("latest~1")
    forget(storage, "latest~1")
    run(storage)
    with pytest.raises(DamageError, match="forgotten and pruned while it is read"):
        read_snapshot(reader, old)


def test_blocks_of_a_run_at_work_stay(storage: LocalStorage) -> None:
    third = {("shop", "orders"): sample_rows(300, salt="third")}
    writer = open_plain(storage)
    with writer.begin("backup", SilentMonitor()) as session:
        draft = put_all(session, writer, third, 3)
        session.flush()
        report = run(storage)
        assert (report.dead_packs, report.repacked_packs) == (0, 0)
        session.commit(draft)
    assert_whole(storage, FIRST, SECOND, third)


def test_what_a_killed_run_left_goes(storage: LocalStorage) -> None:
    third = {("shop", "orders"): sample_rows(300, salt="third")}
    before = bulk(storage)
    with open_plain(storage) as writer, writer.begin("backup", SilentMonitor()) as session:
        put_all(session, writer, third, 3)
        session.flush()
    assert bulk(storage) > before
    run(storage)
    assert abs(bulk(storage) - before) < 300
    assert_whole(storage, FIRST, SECOND)


def test_copies_are_reduced_to_one(storage: LocalStorage) -> None:
    """Two first backups at once store everything twice."""
    third = {("shop", "orders"): sample_rows(300, salt="third")}
    one, two = open_plain(storage), open_plain(storage)
    with one.begin("a", SilentMonitor()) as first, two.begin("b", SilentMonitor()) as second:
        drafts = put_all(first, one, third, 2), put_all(second, two, third, 3)
        first.commit(drafts[0])
        second.commit(drafts[1])
    before = bulk(storage)
    report = run(storage)
    assert report.dead_packs > 0
    assert report.freed_bytes == before - bulk(storage) > 5000
    assert_whole(storage, FIRST, SECOND, third, third)


def test_a_damaged_copy_is_the_one_that_goes(storage: LocalStorage) -> None:
    third = {("shop", "orders"): sample_rows(300, salt="third")}
    one, two = open_plain(storage), open_plain(storage)
    with one.begin("a", SilentMonitor()) as first, two.begin("b", SilentMonitor()) as second:
        drafts = put_all(first, one, third, 2), put_all(second, two, third, 3)
        known = set(storage.list("packs/data/"))
        first.commit(drafts[0])
        mine = sorted(set(storage.list("packs/data/")) - known)
        second.commit(drafts[1])
    for name in mine:
        path = Path(storage.location) / name
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
    run(storage)
    with open_plain(storage) as repository:
        assert read_snapshot(repository, repository.find("latest")) == third


def changed(rows: Sequence[Row], salt: str, every: int) -> list[Row]:
    """Every so many rows with another text, so that hardly a block is the same."""
    new = sample_rows(len(rows), salt=salt)
    return [new[at] if at % every == 0 else row for at, row in enumerate(rows)]


@pytest.mark.parametrize("attempt", range(6))  # the secrets decide what a prune leaves
def test_a_copy_whose_base_went_with_another_prune_is_no_damage(
    tmp_path: Path, attempt: int
) -> None:
    """Of a block in two packs the prune keeps what the least deep one needs, not the other."""
    storage = LocalStorage(tmp_path / "deltas")
    orders = [sample_rows(400)]
    for salt, every in (("b", 15), ("c", 17)):
        orders.append(changed(orders[-1], salt, every))
    tables = [{("shop", "orders"): rows} for rows in orders]
    both = {**tables[1], ("shop", "others"): sample_rows(600, salt="o")}
    with Repository.create(storage, None, MIDDLING) as repository:
        base = take_snapshot(repository, tables[0], 0)
    one, two = open_plain(storage), open_plain(storage)
    with (
        one.begin("a", SilentMonitor(), parent=base.id) as first,
        two.begin("b", SilentMonitor()) as second,
    ):
        drafts = put_all(first, one, both, 1, parent=base), put_all(second, two, tables[1], 2)
        snapshots = [first.commit(drafts[0]), second.commit(drafts[1])]
    with open_plain(storage) as repository:
        take_snapshot(repository, tables[2], 3, parent=snapshots[1])
        repository.forget(base)
    assert run(storage, PruneRequest(limits=PruneLimits(max_unused=10))).damage == []
    assert run(storage).damage == []
    assert_whole(storage, both, tables[1], tables[2])


def test_a_damaged_snapshot_stops_it(storage: LocalStorage) -> None:
    path = Path(storage.location) / storage.list("snapshots/")[0]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    before = storage.list("packs/")
    with pytest.raises(DamageError, match="Nothing was removed"):
        run(storage)
    assert storage.list("packs/") == before


def test_a_damaged_tree_stops_it(storage: LocalStorage) -> None:
    forget(storage, "latest~1")
    for name in storage.list("packs/tree/"):
        path = Path(storage.location) / name
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 1
        path.write_bytes(data)
    before = storage.list("packs/")
    with pytest.raises(DamageError):
        run(storage)
    assert set(before) <= set(storage.list("packs/"))
    assert len(storage.list("trash/")) == 1


def test_a_damaged_pack_that_should_be_repacked_stays(storage: LocalStorage) -> None:
    """What it holds besides stays readable."""
    scatter(storage)
    with open_plain(storage) as repository:
        record = repository.manifest(repository.find("latest")).table("shop", "orders")
        assert record is not None
        entry = next(repository.tree(record.root).entries())
        (place,) = repository.internals.index.find(BlockType.DATA, entry.id)
    path = Path(storage.location) / names.pack(place.pack_type, place.pack)
    data = bytearray(path.read_bytes())
    data[place.offset + 50] ^= 1
    path.write_bytes(data)
    report = run(storage)
    assert any(f"pack {place.pack} stays" in warning for warning in report.damage)
    assert path.exists()
    with open_plain(storage) as repository:
        errors = check(repository, True, SilentMonitor()).errors
        assert {(one.kind, one.object) for one in errors} == {
            ("corrupt", names.pack(place.pack_type, place.pack)),
            ("unreadable", "shop.orders"),
        }


@pytest.mark.parametrize("damage", ["flip", "cut", "zero"])
def test_a_damaged_ledger_begins_anew(storage: LocalStorage, damage: str) -> None:
    forget(storage, "latest~1")
    with open_plain(storage).begin("backup", SilentMonitor()):
        assert run(storage).waits_for
    path = Path(storage.location) / "gc" / "prune"
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes({"flip": bytes(data), "cut": data[:30], "zero": bytes(len(data))}[damage])
    with open_plain(storage) as repository:
        take_snapshot(repository, FIRST, 5)
    report = run(storage)
    assert report.waits_for == ()
    assert_whole(storage, SECOND, FIRST)
    assert not [name for name in storage.list("gc/") if "round" in name]


class _PruningAt(StoppingStorage):
    """Forgets and prunes right before its n-th call."""

    def __init__(self, inner: Storage, at: int) -> None:
        super().__init__(inner, 10**9, after=False)
        self._at = at

    def _call(self, action: Callable[[], object]) -> object:  # type: ignore[override]
        if self.calls + 1 == self._at:
            forget(self._inner, "latest~1")
            run(self._inner)
        return super()._call(action)


def test_a_check_beside_a_prune_finds_no_damage(storage: LocalStorage) -> None:
    """Whenever in the check the prune comes."""
    whole = copied(storage)
    counting = StoppingStorage(whole.copy(), 10**9, after=False)
    with open_plain(counting) as repository:
        check(repository, False, SilentMonitor())
    for at in range(8, counting.calls, 3):
        with open_plain(_PruningAt(whole.copy(), at)) as repository:
            assert check(repository, False, SilentMonitor()).errors == [], at


@pytest.mark.slow
def test_memory_is_bounded(tmp_path: Path) -> None:
    """A bit for each block, and a little for each pack: 60,000 blocks of 100 packs."""
    segment = _many_blocks(packs=100, blocks_each=600)
    tracemalloc.start()
    marks = LiveMarks([segment])
    for number in range(0, len(segment), 3):
        marks.mark(BlockType.DATA, [BlockId(number.to_bytes(16, "big") + bytes(16))])
    plan = make_plan(marks, PruneLimits(), set(segment.packs), set(), lambda *_: False, _AllWhole())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(plan.uses) == 100
    assert len(plan.repack) > 90
    assert plan.live_bytes == len(segment) // 3 * 100
    assert peak < 4 * len(segment)


class _AllWhole:
    """Copies that nobody damaged."""

    def is_whole(self, prefix: bytes, place: Location) -> bool:
        return True

    def form(self, prefix: bytes, place: Location) -> bytes | None:
        return b""


def _many_blocks(packs: int, blocks_each: int) -> Segment:
    stored = [
        (
            PackType.DATA,
            PackName(f"{pack:064x}"),
            [
                PackEntry(
                    BlockId((place * packs + pack).to_bytes(16, "big") + bytes(16)),
                    BlockType.DATA, 0, 60 + place * 100, 100, 100,
                )
                for place in range(blocks_each)
            ],
        )
        for pack in range(packs)
    ]  # fmt: skip
    data = encode_segment(stored)
    return Segment(segment_name(data), memoryview(data))


class _BeatingFirst(StoppingStorage):
    """A session shows a sign of life right before somebody else's swap of its object."""

    def __init__(self, inner: LocalStorage, session: WriteSession) -> None:
        super().__init__(inner, 10**9, after=False)
        self._session = session

    def swap(self, name: str, expected: bytes, data: bytes | bytearray | memoryview) -> None:
        if name == names.session(self._session.id):
            self._session._object.beat()
        super().swap(name, expected, data)


def test_a_sign_of_life_at_the_last_moment_counts(storage: LocalStorage) -> None:
    forget(storage, "latest~1")
    writer = open_plain(storage)
    session = writer.begin("backup", SilentMonitor())
    draft = put_all(session, writer, FIRST, 2)
    seconds = iter(range(0, 10**9, 10**6))
    request = PruneRequest(limits=PruneLimits(max_unused=0), clock=lambda: float(next(seconds)))
    with open_plain(_BeatingFirst(storage, session)) as repository:
        report = prune(repository, request, SilentMonitor())
    assert report.waits_for
    assert report.removed_packs == 0
    session.commit(draft)
    run(storage)
    assert_whole(storage, SECOND, FIRST)
