"""A repair of every kind of damage: what could be read still can, what is lost is named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from damage.test_damage_matrix import (
    ACTIONS,
    NEW,
    OLD,
    base,
    files,
    flip,
    open_it,
    place,
    run_check,
)
from rowvault.core.errors import DamageError, LockedError, MissingError, RowvaultError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.report import PruneRequest
from rowvault.upkeep.repair.engine import repair
from rowvault.upkeep.repair.report import RepairReport
from support.sample_repository import read_snapshot, read_table, take_snapshot

__all__ = ["base", "place"]

KINDS = ["keys", "packs/data", "packs/tree", "index", "snapshots", "tags", "trash", "gc"]


def run_repair(place: Path, *, dry_run: bool = False) -> RepairReport:
    with open_it(place) as repository:
        return repair(repository, SilentMonitor(), dry_run=dry_run)


def contents(place: Path) -> dict[str, bytes]:
    """Every object of a repository, by name."""
    return {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).digest()
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def whole_tables(repository: Repository) -> set[tuple[str, str]]:
    """(snapshot, table) of all that can be read as it was stored."""
    found = set()
    for snapshot in repository.snapshots():
        for (database, name), rows in (OLD if snapshot.time.hour == 10 else NEW).items():
            try:
                record = repository.manifest(snapshot).table(database, name)
                if record is not None and read_table(repository, record.root) == rows:
                    found.add((snapshot.id, name))
            except DamageError:
                continue
    return found


def assert_mended(place: Path, readable_before: set[tuple[str, str]], report: RepairReport) -> None:
    assert run_check(place).errors == []
    with open_it(place) as repository:
        for snapshot in repository.snapshots():
            assert snapshot.is_whole is (snapshot.mends is None)
            expected = OLD if snapshot.time.hour == 10 else NEW
            for record in repository.manifest(snapshot).tables():
                rows = read_table(repository, record.root)
                whole = expected[record.definition.database, record.definition.name]
                assert set(rows) <= set(whole)
                assert record.root.sums.rows == len(rows)
                assert (rows == whole) is not bool(record.notes)
                assert all("rows from" in note and "lost" in note for note in record.notes)
        left = whole_tables(repository)
    replaced = {one.id: one.replacement or one.id for one in report.snapshots}
    assert {(replaced.get(one, one), table) for one, table in readable_before} <= left
    assert run_repair(place).found_nothing


@pytest.fixture
def pruned(place: Path) -> Path:
    """With a forgotten snapshot, and a prune's ledger."""
    with open_it(place) as repository:
        prune(repository, PruneRequest(), SilentMonitor())
        repository.forget(repository.find("latest~1"))
    return place


def assert_refused(place: Path) -> None:
    """A snapshot that vanished may be brought back: nothing is mended before a person decides."""
    stood = contents(place)
    for dry_run in (True, False):
        with pytest.raises(DamageError, match="accept-state"):
            run_repair(place, dry_run=dry_run)
    assert contents(place) == stood
    with open_it(place) as repository:
        repository.snapshot_set.accept()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_mended(pruned: Path, kind: str, action: str) -> None:
    victim = files(pruned, kind)[0]
    original = victim.read_bytes()
    ACTIONS[action](victim)
    try:
        with open_it(pruned) as repository:
            before = whole_tables(repository)
    except RowvaultError:
        assert kind == "keys"
        victim.write_bytes(original)
        return
    if kind in ("snapshots", "trash") and action == "delete":
        assert_refused(pruned)
    stood = contents(pruned)
    planned = run_repair(pruned, dry_run=True)
    assert contents(pruned) == stood
    report = run_repair(pruned)
    assert (planned.damaged_packs, planned.missing_packs, planned.salvaged_blocks) == (
        report.damaged_packs,
        report.missing_packs,
        report.salvaged_blocks,
    )
    assert_mended(pruned, before, report)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", ["packs/data", "packs/tree", "index", "tags"])
def test_all_objects_of_a_kind_are_damaged(place: Path, kind: str, action: str) -> None:
    with open_it(place) as repository:
        snapshots = {one.id for one in repository.snapshots()}
    for victim in files(place, kind):
        ACTIONS[action](victim)
    with open_it(place) as repository:
        before = whole_tables(repository)
    report = run_repair(place)
    assert_mended(place, before, report)
    if kind.startswith("packs"):
        told = {one.id for one in report.snapshots}
        with open_it(place) as repository:
            whole = {one for one, _ in whole_tables(repository)}
        assert snapshots - whole <= told


@pytest.mark.parametrize("action", ACTIONS)
def test_all_snapshots_are_damaged(place: Path, action: str) -> None:
    """Their packs stay, for a copy may bring the snapshots back: no prune removes them unasked."""
    victims = files(place, "snapshots")
    for victim in victims:
        ACTIONS[action](victim)
    if action == "delete":
        assert_refused(place)
    else:
        dropped = {one.object for one in run_repair(place).dropped}
        assert dropped == {str(victim.relative_to(place)) for victim in victims}
    assert run_check(place).errors == []  # that they are gone is on record
    stood = contents(place)
    with open_it(place) as repository, pytest.raises(MissingError, match="allow-remove-all"):
        prune(repository, PruneRequest(), SilentMonitor())
    assert files(place, "packs")
    assert not stood.keys() - contents(place).keys()
    with open_it(place) as repository:
        take_snapshot(repository, OLD, 5)
    assert run_check(place).errors == []


@pytest.mark.parametrize("at", [0.05, 0.3, 0.6, 0.9])
def test_one_flipped_bit_of_rows_costs_one_block(place: Path, at: float) -> None:
    victim = max(files(place, "packs/data"), key=lambda path: path.stat().st_size)
    flip(at)(victim)
    report = run_repair(place)
    assert_mended(place, set(), report)
    assert report.damaged_packs == 1
    assert report.salvaged_blocks > 3
    for one in report.snapshots:
        assert one.replacement
        assert all("rows from id=" in loss or "definitions" in loss for loss in one.losses)


def test_a_damaged_snapshot_can_be_taken_back_when_its_pack_comes_back(place: Path) -> None:
    victim = max(files(place, "packs/data"), key=lambda path: path.stat().st_size)
    original = victim.read_bytes()
    flip(0.5)(victim)
    report = run_repair(place)
    assert report.snapshots
    victim.write_bytes(original)
    with open_it(place) as repository:
        with repository.begin("test", SilentMonitor()):
            pass
        for one in report.snapshots:
            repository.trash.take_back(one.id)
        old = [one for one in repository.snapshots() if one.time.hour == 10 and not one.mends]
        assert read_snapshot(repository, old[0]) == OLD


def test_a_repair_works_alone(place: Path) -> None:
    stood = contents(place)
    with (
        open_it(place) as other,
        other.begin("backup", SilentMonitor()),
        pytest.raises(LockedError, match="backup"),
    ):
        run_repair(place)
    assert contents(place).keys() - {"gc/sightings"} == stood.keys()


def test_nothing_to_do_changes_nothing_that_is_read(place: Path) -> None:
    stood = contents(place)
    assert run_repair(place).found_nothing
    now = contents(place)
    assert {name: one for name, one in now.items() if not name.startswith("gc/")} == stood


def test_damaged_sessions_and_orphans_go(place: Path) -> None:
    (place / "sessions").mkdir(exist_ok=True)
    (place / "sessions" / ("0" * 32)).write_bytes(b"ROWVSEAL" + bytes(100))
    orphan = place / "packs" / "data" / "ab" / ("ab" + "0" * 62)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"ROWVPACK and no more")
    before = whole_tables(open_it(place))
    report = run_repair(place)
    assert [one.object for one in report.dropped] == ["sessions/" + "0" * 32]
    assert report.damaged_packs == 1
    assert not orphan.exists()
    assert_mended(place, before, report)
