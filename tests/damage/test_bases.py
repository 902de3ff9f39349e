"""Damage of a block that others build on: it reaches them all, is named, and spreads no further."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.core.ids import PackName
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import names
from rowvault.repository.blocks.reader import BlockReader
from rowvault.repository.index.index import Location
from rowvault.repository.index.segment import PREFIX_BYTES
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.repair.engine import repair
from support.sample_repository import (
    MIDDLING,
    Row,
    Tables,
    open_plain,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

DAYS = 4
UNTOUCHED = sample_rows(40, salt="untouched")


def day(number: int) -> Tables:
    """Each day changes one more row of the first block; none gets longer, so no cut moves."""
    rows: list[Row] = [
        (key, (b"day %d" % place).ljust(64) if place < number else text)
        for place, (key, text) in enumerate(sample_rows(300))
    ]
    return {("shop", "orders"): rows, ("shop", "untouched"): UNTOUCHED}


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """A snapshot, and three that build on it."""
    storage = LocalStorage(tmp_path / "place")
    parent: Snapshot | None = None
    with Repository.create(storage, None, MIDDLING) as repository:
        for number in range(DAYS):
            parent = take_snapshot(repository, day(number), number, parent=parent)
    return storage


def deltas(repository: Repository) -> list[tuple[bytes, Location]]:
    """(half of the id, place) of all frames that build on others."""
    index = repository.internals.index
    index.refresh()
    return [
        (record[:PREFIX_BYTES], segment.decode(record))
        for segment in index.segments
        for record in segment.records()
        if segment.decode(record).depth
    ]


def the_base(repository: Repository) -> Location:
    """Where the block stands on which all deltas of this history build."""
    blocks: BlockReader = repository.internals.blocks
    found = {
        place
        for prefix, delta in deltas(repository)
        for header in [blocks.header(prefix, delta)]
        for base in header.bases
        for place in blocks.base_places(header, base)
        if not place.depth
    }
    (place,) = found
    return place


def flip(storage: LocalStorage, pack: PackName, offset: int) -> None:
    path = Path(storage.location) / next(
        name for name in storage.list(names.PACKS) if name.endswith(pack)
    )
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def ids(storage: LocalStorage) -> list[str]:
    with open_plain(storage) as repository:
        return [one.id for one in repository.snapshots()]


def test_damage_is_named_for_all_that_build_on_it(storage: LocalStorage) -> None:
    with open_plain(storage) as repository:
        assert len(deltas(repository)) == DAYS - 1
        base = the_base(repository)
    flip(storage, base.pack, base.offset + base.frame_bytes - 1)
    with open_plain(storage) as repository:
        errors = check(repository, True, SilentMonitor()).errors
    reached = {snapshot for error in errors for snapshot in error.snapshots}
    assert reached == set(ids(storage))
    told = [error.message for error in errors if error.snapshots]
    assert all("rows from id=1 to before id=" in one for one in told)
    assert sum("it builds on block" in one for one in told) == len(told) - 1
    assert not any("untouched" in one for one in told)
    assert sum(not error.snapshots for error in errors) == 1  # the frame itself


def test_a_lost_base_is_named_without_reading_data(storage: LocalStorage) -> None:
    with open_plain(storage) as repository:
        base = the_base(repository)
    storage.delete(names.pack(base.pack_type, base.pack))
    with open_plain(storage) as repository:
        errors = check(repository, False, SilentMonitor()).errors
    assert {snapshot for error in errors for snapshot in error.snapshots} == set(ids(storage))
    assert any("it builds on block" in error.message for error in errors)


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_the_next_backup_heals_what_it_can_see(storage: LocalStorage, how: str) -> None:
    with open_plain(storage) as repository:
        base = the_base(repository)
    if how == "lost":
        storage.delete(names.pack(base.pack_type, base.pack))
    else:
        flip(storage, base.pack, base.offset + base.frame_bytes - 1)
    with open_plain(storage) as repository:
        parent = repository.snapshots()[-1]
        for number in (DAYS, DAYS - 1):  # a block that changed, and one that did not
            taken = take_snapshot(repository, day(number), 10 + number, parent=parent)
            if how == "lost" or number == DAYS:
                assert read_snapshot(repository, taken) == day(number)


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_repair_lets_go_of_what_builds_on_it(storage: LocalStorage, how: str) -> None:
    with open_plain(storage) as repository:
        base = the_base(repository)
    if how == "lost":
        storage.delete(names.pack(base.pack_type, base.pack))
    else:
        flip(storage, base.pack, base.offset + base.frame_bytes - 1)
    with open_plain(storage) as repository:
        report = repair(repository, SilentMonitor())
        assert len(report.snapshots) == DAYS
        assert check(repository, True, SilentMonitor()).errors == []
        for number, snapshot in enumerate(repository.snapshots()):
            rest = read_snapshot(repository, snapshot)
            if how == "damaged":
                assert rest["shop", "untouched"] == UNTOUCHED
                whole = day(number)["shop", "orders"]
                assert rest["shop", "orders"] == whole[-len(rest["shop", "orders"]) :]
            assert 0 < len(rest["shop", "orders"]) < 300 or how == "lost"


def test_repair_saves_deltas_of_damaged_packs(storage: LocalStorage) -> None:
    with open_plain(storage) as repository:
        _, delta = deltas(repository)[-1]
        size = storage.size(names.pack(delta.pack_type, delta.pack))
    flip(storage, delta.pack, size - 1)  # the end magic: no frame is hurt
    with open_plain(storage) as repository:
        report = repair(repository, SilentMonitor())
        assert (report.damaged_packs, report.snapshots) == (1, [])
        assert check(repository, True, SilentMonitor()).errors == []
        for number, snapshot in enumerate(repository.snapshots()):
            assert read_snapshot(repository, snapshot) == day(number)
