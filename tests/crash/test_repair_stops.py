"""A repair that stops at any storage call: what could be read still can; the next one goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from crash.test_prune_stops import dying_process
from rowvault.codec.rows import decode_row
from rowvault.core.errors import DamageError, StorageError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage, Storage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.repair.engine import repair
from rowvault.upkeep.repair.report import RepairReport
from support.failing_storage import FillingStorage, KilledError, StoppingAtChanges
from support.memory_storage import MemoryStorage, copied
from support.sample_repository import (
    SMALL,
    Row,
    open_plain,
    sample_rows,
    take_snapshot,
)

__all__ = ["dying_process"]

OLD = {("shop", "orders"): sample_rows(80)}
NEW = {("shop", "orders"): sample_rows(80)[:50] + sample_rows(80, salt="n")[50:]}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Two snapshots; a data pack with a flipped bit, a damaged tag."""
    place = tmp_path / "base"
    with Repository.create(LocalStorage(place), None, SMALL) as repository:
        take_snapshot(repository, OLD, 0, ["first"])
        take_snapshot(repository, NEW, 1)
    pack = max((place / "packs/data").rglob("*"), key=lambda path: path.stat().st_size)
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    tag = next(path for path in (place / "tags").rglob("*") if path.is_file())
    tag.write_bytes(b"")
    return place


def do_repair(storage: Storage) -> RepairReport:
    with open_plain(storage) as repository:
        return repair(repository, SilentMonitor())


def rows_given(storage: Storage) -> set[tuple[int, Row]]:
    """(hour, row) of every row that any listed snapshot gives, block by block."""
    found: set[tuple[int, Row]] = set()
    with open_plain(storage) as repository:
        for snapshot in repository.snapshots():
            for record in repository.manifest(snapshot).tables():
                for entry in repository.tree(record.root).entries():
                    try:
                        raw = repository.read_data(entry.id)
                    except DamageError:
                        continue
                    found |= {(snapshot.time.hour, row) for row in rows_in(raw)}
    return found


def rows_in(raw: bytes) -> list[Row]:
    rows: list[Row] = []
    position = 0
    while position < len(raw):
        values, position = decode_row(raw, position, 2)
        rows.append(tuple(value for value in values if value is not None))
    return rows


def assert_goes_on(storage: MemoryStorage, expected: set[tuple[int, Row]]) -> None:
    """What could be read can be, before and behind the repair that ends."""
    assert rows_given(storage) == expected
    do_repair(storage)
    with open_plain(storage) as repository:
        assert check(repository, True, SilentMonitor()).errors == []
        assert [one.time.hour for one in repository.snapshots()] == [10, 11]
    assert rows_given(storage) == expected
    assert do_repair(storage).found_nothing
    assert storage.list("sessions/") == []
    assert [name for name in storage.list("gc/") if "round" in name] == []


@pytest.fixture
def damaged(base: Path) -> MemoryStorage:
    """What the storage holds."""
    storage = LocalStorage(base)
    return copied(storage)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.usefixtures("dying_process")
def test_stopped_at_every_call(damaged: MemoryStorage, after: bool) -> None:
    expected = rows_given(damaged)
    assert 100 < len(expected) < 160
    counting = StoppingAtChanges(damaged.copy(), 10**9, after=False)
    do_repair(counting)
    assert counting.calls > 10
    for stop_at in range(1, counting.calls + 1):
        storage = damaged.copy()
        with pytest.raises(KilledError):
            do_repair(StoppingAtChanges(storage, stop_at, after=after))
        assert_goes_on(storage, expected)


def test_a_full_disk_at_every_write(damaged: MemoryStorage) -> None:
    expected = rows_given(damaged)
    outcomes = set()
    for room in range(0, 36000, 3000):
        storage = damaged.copy()
        try:
            do_repair(FillingStorage(storage, room))
            outcomes.add("repaired")
        except StorageError:
            outcomes.add("failed")
        assert_goes_on(storage, expected)
    assert outcomes == {"repaired", "failed"}
