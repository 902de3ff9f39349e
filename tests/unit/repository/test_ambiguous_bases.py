"""Deltas of bases that stand in several arrangements, or in another one than they were made of."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rowvault.codec.compression import DEFAULT_LEVEL, NO_COMPRESSION
from rowvault.codec.frames import BlockType, Filter, FrameHeader, arranged_bytes, decode_payload
from rowvault.core.errors import RowvaultError
from rowvault.core.ids import BlockId
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import names
from rowvault.repository.blocks.base_search import BaseSearch
from rowvault.repository.features import DELTAS
from rowvault.repository.index.index import PREFIX_BYTES, Location
from rowvault.repository.index.removal import remove_packs
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from rowvault.upkeep.repair.engine import repair
from support.golden import GOLDEN, golden_copy
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    MIDDLING,
    Row,
    Tables,
    open_plain,
    read_snapshot,
    sample_rows,
    take_at_once,
    take_snapshot,
)

DAMAGED = ["v1-at-once-pruned-plain", "v1-at-once-counted-plain"]


def load_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_maker", GOLDEN / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = load_maker()


class OlderReader:
    """Reads as programs before this feature: takes the first frame of a base that decodes."""

    def __init__(self, repository: Repository) -> None:
        self._place = repository.internals

    def read(self, block_id: BlockId) -> bytes:
        """Raises RowvaultError where no frame of the block gives it."""
        for place in self._place.index.find(BlockType.DATA, block_id):
            header, payload = self._place.blocks.frame(block_id, place)
            try:
                raw = decode_payload(header, payload, self._below(header))
            except RowvaultError:
                continue
            if self._place.make_id(header.type, raw) == block_id:
                return raw
        raise RowvaultError(f"{block_id.hex()} cannot be read")

    def _below(self, header: FrameHeader) -> bytes:
        assert header.filter is not Filter.DELTA_ARRANGED
        return b"".join([self._first(header, base) for base in header.bases])

    def _first(self, header: FrameHeader, base: bytes) -> bytes:
        for place in self._place.index.find(header.type, BlockId(base)):
            if place.depth < header.depth:
                below, payload = self._place.blocks.frame(base, place)
                try:
                    return arranged_bytes(below, payload, self._below(below))
                except RowvaultError:
                    continue
        raise RowvaultError("no base")


def data_ids(repository: Repository) -> set[BlockId]:
    return {
        entry.id
        for snapshot in repository.snapshots()
        for record in repository.manifest(snapshot).tables()
        for entry in repository.tree(record.root).entries()
    }


def unreadable_before(repository: Repository) -> set[BlockId]:
    """Blocks that an older program cannot read."""
    reader, found = OlderReader(repository), set()
    for block_id in data_ids(repository):
        try:
            reader.read(block_id)
        except RowvaultError:
            found.add(block_id)
    return found


def headers(repository: Repository) -> list[tuple[FrameHeader, Location]]:
    index, blocks = repository.internals.index, repository.internals.blocks
    places = [
        (record[:PREFIX_BYTES], segment.decode(record))
        for segment in index.segments
        for record in segment.records()
    ]
    return [(blocks.header(prefix, place), place) for prefix, place in places]


@pytest.fixture(params=DAMAGED)
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Repository]]:
    """Written and damaged by a program that took the first frame of a base."""
    name = str(request.param)
    with open_plain(LocalStorage(golden_copy(name, tmp_path))) as repository:
        yield name, repository


def test_snapshots_come_back_that_an_older_program_lost(damaged: tuple[str, Repository]) -> None:
    name, repository = damaged
    states = MAKER.tables_of(name)
    for snapshot, tables in zip(repository.snapshots(), states, strict=True):
        assert read_snapshot(repository, snapshot) == tables
    assert unreadable_before(repository)


def test_a_check_names_them_and_a_repair_stores_them_anew(damaged: tuple[str, Repository]) -> None:
    name, repository = damaged
    report = check(repository, True, SilentMonitor())
    assert report.errors == []
    assert report.ambiguous_blocks >= len(unreadable_before(repository)) > 0
    trial = repair(repository, SilentMonitor(), dry_run=True)
    mended = repair(repository, SilentMonitor())
    assert mended.renewed_blocks == trial.renewed_blocks == report.ambiguous_blocks
    assert (mended.is_complete, mended.found_nothing) == (True, False)
    repository.internals.index.refresh()
    assert unreadable_before(repository) == set()
    after = check(repository, True, SilentMonitor())
    assert (after.errors, after.ambiguous_blocks) == ([], 0)
    assert repair(repository, SilentMonitor()).found_nothing
    prune(repository, PruneRequest(limits=PruneLimits(max_unused=0)), SilentMonitor())
    assert unreadable_before(repository) == set()
    for snapshot, tables in zip(repository.snapshots(), MAKER.tables_of(name), strict=True):
        assert read_snapshot(repository, snapshot) == tables


def test_a_prune_loses_nothing_of_them(damaged: tuple[str, Repository]) -> None:
    name, repository = damaged
    repository.forget(repository.snapshots()[0])
    prune(repository, PruneRequest(limits=PruneLimits(max_unused=0)), SilentMonitor())
    assert check(repository, True, SilentMonitor()).errors == []
    for snapshot, tables in zip(repository.snapshots(), MAKER.tables_of(name)[1:], strict=True):
        assert read_snapshot(repository, snapshot) == tables


def test_a_backup_goes_on_from_them(damaged: tuple[str, Repository]) -> None:
    name, repository = damaged
    parent = repository.snapshots()[-1]
    tables: dict[tuple[str, str], list[Row]] = {}
    for table, rows in MAKER.tables_of(name)[-1].items():
        tables[table] = list(rows)
        tables[table][7] = (*tables[table][7][:-1], b"one more day")
    taken = take_snapshot(repository, tables, 9, parent=parent)
    assert read_snapshot(repository, taken) == tables
    repository.internals.blocks.forget()
    assert read_snapshot(repository, taken) == tables


def changed(rows: list[Row], day: int) -> list[Row]:
    return [
        (key, b"day %d" % day if place % 40 == day else text)
        for place, (key, text) in enumerate(rows)
    ]


def two_at_once(repository: Repository, days: int = 3) -> list[tuple[Snapshot, Tables]]:
    """Two first runs, one of which does not compress, and some more."""
    states: list[Tables] = [{("shop", "orders"): sample_rows(400)}] * 2
    snapshots = take_at_once(repository, states, (DEFAULT_LEVEL, NO_COMPRESSION))
    for day in range(2, 2 + days):
        states.append({("shop", "orders"): changed(sample_rows(400), day)})
        snapshots.append(take_snapshot(repository, states[-1], day, parent=snapshots[-1]))
    return list(zip(snapshots, states, strict=True))


def drop_one_copy(repository: Repository, *, by_column: bool) -> None:
    """As a prune does that keeps the other one."""
    place = repository.internals
    copies: dict[BlockId, dict[bool, Location]] = {}
    for header, where in headers(repository):
        if not where.depth and header.type is BlockType.DATA:
            copies.setdefault(header.id, {})[header.is_by_column] = where
    going = {
        (both[by_column].pack_type, both[by_column].pack)
        for both in copies.values()
        if len(both) == 2
    }
    staying = {both[not by_column].pack for both in copies.values() if len(both) == 2}
    assert going
    assert not staying & {name for _, name in going}
    remove_packs(place.storage, place.index, {name for _, name in going}, lambda: None)
    for kind, name in going:
        place.storage.delete(names.pack(kind, name))
    place.blocks.forget()


@pytest.mark.parametrize("by_column", [False, True])
def test_stated_arrangements_serve_from_either_copy(
    by_column: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Repository.create(MemoryStorage(), None, MIDDLING) as repository:
        history = two_at_once(repository)
        deltas = [one for one, _ in headers(repository) if one.bases]
        assert deltas
        assert all(one.filter is Filter.DELTA_ARRANGED for one in deltas)
        drop_one_copy(repository, by_column=by_column)
        monkeypatch.setattr(BaseSearch, "find", None)  # nothing has to be searched
        for snapshot, tables in history:
            assert read_snapshot(repository, snapshot) == tables
        report = check(repository, True, SilentMonitor())
        assert (report.errors, report.ambiguous_blocks) == ([], 0)


def test_an_older_repository_gets_deltas_of_settled_bases_alone() -> None:
    with Repository.create(MemoryStorage(), None, MIDDLING, features=(DELTAS,)) as repository:
        two_at_once(repository)
        assert unreadable_before(repository) == set()
        one = take_snapshot(repository, {("shop", "x"): sample_rows(300, salt="x")}, 10)
        take_snapshot(
            repository, {("shop", "x"): changed(sample_rows(300, salt="x"), 3)}, 11, parent=one
        )
        found = {one.filter for one, _ in headers(repository) if one.bases}
        assert found == {Filter.DELTA_COLUMNS}
        assert unreadable_before(repository) == set()
        assert check(repository, True, SilentMonitor()).ambiguous_blocks == 0


def test_the_sample_of_this_format_states_arrangements(tmp_path: Path) -> None:
    copy = golden_copy("v1-arranged-at-once-pruned-plain", tmp_path)
    with open_plain(LocalStorage(copy)) as repository:
        repository.internals.index.refresh()
        found = {one.filter for one, _ in headers(repository) if one.bases}
    assert found == {Filter.DELTA_ARRANGED}
