"""Statistics add up to what the files take, and say what a plain model of the rows says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.backup_metrics import backup_metrics, reading_speed
from rowvault.upkeep.statistics import FILE_KINDS, Statistics, gather
from support.sample_repository import SMALL, Tables, open_plain, sample_rows, take_snapshot

OLD: Tables = {("shop", "orders"): sample_rows(120), ("shop", "empty"): []}
NEW: Tables = {
    ("shop", "orders"): [*OLD["shop", "orders"][:100], *sample_rows(30, salt="n")[20:]],
    ("shop", "copy"): OLD["shop", "orders"],
    ("shop", "large"): [(b"1", b"x" * 3000 + bytes(range(65, 91)) * 40)],
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two snapshots; the second one has rows of the first."""
    repository = Repository.create(LocalStorage(tmp_path / "vault"), None, SMALL)
    take_snapshot(repository, OLD, 0, ["first"])
    take_snapshot(repository, NEW, 1)
    return repository


def look(repository: Repository, chosen: Snapshot | None = None) -> Statistics:
    return gather(repository, chosen, SilentMonitor())


def blocks_of(repository: Repository, *snapshots: Snapshot) -> dict[bytes, int]:
    """Ids of the snapshots' row blocks, each once, and their raw bytes."""
    return {
        entry.id: entry.raw_bytes
        for snapshot in snapshots
        for record in repository.manifest(snapshot).tables()
        for entry in repository.tree(record.root).entries()
    }


def assert_exact(found: Statistics, place: Path) -> None:
    """Every byte stands in one of the sums, and the sum is that of the files."""
    assert found.total_bytes == sum(f.stat().st_size for f in place.rglob("*") if f.is_file())
    assert found.files.keys() == {*FILE_KINDS, "other"}
    assert found.files["other"] == 0
    assert found.overhead_bytes > 0
    packs = found.files["data_packs"] + found.files["tree_packs"]
    parts = found.overhead_bytes + found.unlisted_bytes + found.stored.frame_bytes
    assert packs == parts


def test_every_byte_is_counted_once(repository: Repository, tmp_path: Path) -> None:
    found = look(repository)
    assert_exact(found, tmp_path / "vault")
    assert found.unlisted_bytes == found.stored.unused.blocks == 0
    snapshots = repository.snapshots()
    model = blocks_of(repository, *snapshots)
    rows = found.stored.all_rows
    assert (rows.blocks, rows.raw_bytes) == (len(model), sum(model.values()))
    assert found.exclusive_bytes is None
    assert [one.id for one in found.snapshots] == [one.id for one in snapshots]


def test_savings_lead_from_rows_to_frames(repository: Repository) -> None:
    found = look(repository)
    savings, rows = found.savings, found.stored.all_rows
    saved = savings.dedup_bytes + savings.compression_bytes + savings.delta_bytes
    assert found.raw_bytes - saved == rows.stored_bytes
    assert savings.dedup_bytes == found.raw_bytes - rows.raw_bytes
    assert savings.delta_bytes == 0


def test_what_only_one_snapshot_needs_is_unused_without_it(
    repository: Repository, tmp_path: Path
) -> None:
    first, second = repository.snapshots()
    alone = look(repository, first)
    assert alone.stored.all_rows.raw_bytes == sum(blocks_of(repository, first).values())
    assert alone.exclusive_bytes
    assert look(repository).stored.unused.stored_bytes == 0
    repository.forget(first)
    left = look(repository)
    assert left.stored.unused.stored_bytes == alone.exclusive_bytes
    assert_exact(left, tmp_path / "vault")
    whole = look(repository, second)
    assert whole.needed_bytes == left.needed_bytes == whole.exclusive_bytes
    assert whole.needed_bytes == left.stored.frame_bytes - left.stored.unused.stored_bytes


def test_copies_in_other_packs_are_unused(repository: Repository, tmp_path: Path) -> None:
    before = look(repository)
    with repository.begin("test", SilentMonitor()) as session:
        session.distrust(repository.internals.index.packs())
        for block_id in blocks_of(repository, repository.find("latest")):
            session.put_data(repository.read_data(block_id))  # type: ignore[arg-type]
        session.flush()
    after = look(repository)
    assert_exact(after, tmp_path / "vault")
    copies = after.stored.unused.blocks
    assert copies == len(blocks_of(repository, repository.find("latest")))
    assert after.stored.all_rows.blocks == before.stored.all_rows.blocks
    assert after.needed_bytes > 0


def test_packs_that_cannot_be_read_are_told_of(repository: Repository, tmp_path: Path) -> None:
    pack = next(iter((tmp_path / "vault" / "packs" / "data").rglob("*/*")))
    pack.write_bytes(pack.read_bytes()[:-1])
    monitor = SilentMonitor()
    found = gather(open_plain(LocalStorage(tmp_path / "vault")), None, monitor)
    assert found.unlisted_bytes == pack.stat().st_size
    assert any(pack.name in message for message in monitor.warnings)
    assert_exact(found, tmp_path / "vault")


def test_nothing_is_counted_where_nothing_is(tmp_path: Path) -> None:
    repository = Repository.create(LocalStorage(tmp_path / "vault"), None, SMALL)
    found = look(repository)
    assert (found.raw_bytes, found.needed_bytes, found.savings.dedup_bytes) == (0, 0, 0)
    assert found.total_bytes == sum(
        f.stat().st_size for f in (tmp_path / "vault").rglob("*") if f.is_file()
    )


def test_the_four_figures(repository: Repository) -> None:
    one = repository.find("latest")
    runs = [
        msgspec.structs.replace(
            one, raw_bytes=1000 * seconds, seconds=float(seconds * k), time=one.time + timedelta(k)
        )
        for k, seconds in enumerate((10, 20, 30, 40, 50, 60), start=1)
    ]
    figures = backup_metrics(runs[-1], runs, 6000, 500.0, None)
    assert figures.backup_ratio.value == runs[-1].stored_bytes / 60_000
    assert figures.restore_ratio.value == 0.1
    assert figures.backup_time.measured_s == 360
    # The last five ran at 500, 333, 250, 200 and 167 bytes a second.
    assert figures.backup_time.bytes_per_s == 250
    assert figures.backup_time.estimated_s == 240
    assert figures.restore_time.measured_s is None
    assert figures.restore_time.estimated_s == 120
    assert backup_metrics(runs[0], runs, 0, None, 100.0).restore_time.estimated_s == 100
    assert backup_metrics(runs[0], runs, 0, None, None).restore_time.estimated_s is None
    empty = msgspec.structs.replace(one, raw_bytes=0, seconds=0.0)
    assert backup_metrics(empty, [empty], 0, None, None).backup_ratio.value is None
    assert backup_metrics(empty, [empty], 0, None, None).backup_time.estimated_s is None


def test_reading_has_a_speed(repository: Repository, tmp_path: Path) -> None:
    speed = reading_speed(repository, repository.find("latest"))
    assert speed is not None
    assert speed > 0
    empty = Repository.create(LocalStorage(tmp_path / "other"), None, SMALL)
    assert reading_speed(empty, take_snapshot(empty, {("shop", "empty"): []})) is None
