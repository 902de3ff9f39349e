"""Many small runs: the index stays a few segments, and whoever reads meanwhile misses nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rowvault.core.errors import StorageError
from rowvault.core.ids import PackName
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.index.index import BlockIndex, Segment, encode_segment, segment_name
from rowvault.repository.index.merge import merged, outgrown
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from support.sample_repository import SMALL, open_plain, read_snapshot, sample_rows, take_snapshot

RUNS = 70
MOST_SEGMENTS = 20


def tables(number: int) -> dict[tuple[str, str], list[tuple[bytes, ...]]]:
    return {("shop", "orders"): sample_rows(3, salt=str(number))}


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "place")


@pytest.fixture
def repository(storage: LocalStorage) -> Repository:
    return Repository.create(storage, None, SMALL)


def stored_bytes(storage: LocalStorage) -> int:
    return sum(storage.size(name) for name in storage.list(""))


def as_segment(data: bytes) -> Segment:
    return Segment(segment_name(data), memoryview(data))


def test_many_runs_keep_few_segments(storage: LocalStorage, repository: Repository) -> None:
    before = stored_bytes(storage)
    for number in range(RUNS):
        snapshot = take_snapshot(open_plain(storage), tables(number), number)
        after = stored_bytes(storage)
        assert snapshot.stored_bytes == after - before
        before = after
    assert len(storage.list("index/")) <= MOST_SEGMENTS
    for number, snapshot in enumerate(repository.snapshots()):
        assert read_snapshot(repository, snapshot) == tables(number)
    assert check(open_plain(storage), True, SilentMonitor()).errors == []
    again = take_snapshot(open_plain(storage), tables(3), RUNS)
    assert again.new_blocks == 0


def test_a_reader_at_work_follows(storage: LocalStorage, repository: Repository) -> None:
    take_snapshot(repository, tables(0), 0)
    reader = open_plain(storage)
    assert read_snapshot(reader, reader.find("latest")) == tables(0)
    for number in range(1, RUNS):
        take_snapshot(repository, tables(number), number)
        assert read_snapshot(reader, reader.find("latest")) == tables(number)
    assert read_snapshot(reader, reader.find(f"latest~{RUNS - 1}")) == tables(0)


def test_a_merge_between_listing_and_opening(storage: LocalStorage, repository: Repository) -> None:
    for number in range(5):
        take_snapshot(repository, tables(number), number)
    slow = LocalStorage(storage.location)
    reader = BlockIndex(slow)
    view = slow.view

    def merge_first(name: str) -> memoryview:
        slow.view = view  # type: ignore[method-assign]
        segments = [as_segment(bytes(view(one))) for one in storage.list("index/")]
        BlockIndex(storage).add(merged(segments))
        for one in segments:
            storage.delete(f"index/{one.name}")
        return view(name)

    slow.view = merge_first  # type: ignore[method-assign]
    reader.refresh()
    assert len(reader.segments) == 1
    assert len(reader.packs()) == len(storage.list("packs/"))


def test_a_merge_that_fails_fails_no_backup(
    storage: LocalStorage, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: BlockIndex) -> int:
        raise StorageError("no room")

    monkeypatch.setattr(BlockIndex, "merge", refuse)
    for number in range(12):
        take_snapshot(repository, tables(number), number)
    assert len(storage.list("index/")) == 12


def test_merging_keeps_every_record_once(storage: LocalStorage, repository: Repository) -> None:
    for number in range(5):
        take_snapshot(repository, tables(number), number)
    segments = [as_segment(storage.read(name)) for name in storage.list("index/")]
    once = merged(segments)
    assert merged(reversed(segments)) == once
    assert merged([*segments, as_segment(once)]) == once
    whole = as_segment(once)
    assert list(whole.records()) == sorted(whole.records())
    assert len(whole) == sum(len(one) for one in segments)
    for one in segments:
        for pack in one.packs:
            assert list(whole.locations(pack)) == list(one.locations(pack))


def test_only_equals_are_merged() -> None:
    empty = as_segment(encode_segment([]))
    assert outgrown([empty] * 7) == []
    assert outgrown([empty] * 8) == [empty] * 8


def test_segments_take_no_descriptors(storage: LocalStorage, repository: Repository) -> None:
    index = BlockIndex(storage)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(30):
        index.add(encode_segment([(1, PackName(f"{number:064x}"), [])]))  # type: ignore[list-item]
    assert len(os.listdir("/proc/self/fd")) == before
