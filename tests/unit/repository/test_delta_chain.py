"""Which blocks become deltas, of what, and how deep chains get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from rowvault.codec.frames import MAXIMUM_DEPTH, FrameHeader
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.index.segment import PREFIX_BYTES
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    MIDDLING,
    Row,
    put_table,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

ORDERS = ("shop", "orders")


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository.create(MemoryStorage(), None, MIDDLING) as repository:
        yield repository


def headers(repository: Repository) -> list[FrameHeader]:
    index, blocks = repository.internals.index, repository.internals.blocks
    return [
        blocks.header(record[:PREFIX_BYTES], segment.decode(record))
        for segment in index.segments
        for record in segment.records()
    ]


def deltas(repository: Repository) -> list[FrameHeader]:
    return [header for header in headers(repository) if header.bases]


@pytest.mark.slow
def test_many_versions_are_never_deep(repository: Repository) -> None:
    """The base of version n is n with its lowest set bit cleared, or where the line begins."""
    rows, random = sample_rows(12), Random(1)
    parent: Snapshot | None = None
    for number in range(300):
        rows[number % 12] = (rows[number % 12][0], b"%0200d" % random.getrandbits(30))
        parent = take_snapshot(repository, {ORDERS: rows}, number, parent=parent)
    found = deltas(repository)
    depths = {header.depth for header in found}
    assert max(depths) <= MAXIMUM_DEPTH
    assert len(depths) >= 5
    by_id = {header.id[:16]: header for header in headers(repository)}
    for header in found:
        for base in header.bases:
            assert by_id[base].depth < header.depth
            assert by_id[base].version < header.version or len(header.bases) == 2
    for snapshot in repository.snapshots()[-3:]:
        read_snapshot(repository, snapshot)


def test_a_block_that_shares_little_stands_alone(repository: Repository) -> None:
    parent = take_snapshot(repository, {ORDERS: sample_rows(200)}, 0)
    take_snapshot(repository, {ORDERS: sample_rows(200, salt="x")}, 1, parent=parent)
    assert deltas(repository) == []


def test_a_block_across_an_old_cut_has_two_bases(repository: Repository) -> None:
    rows = sample_rows(600)
    parent = take_snapshot(repository, {ORDERS: rows}, 0)
    before = len(headers(repository))
    with repository.begin("look", SilentMonitor()) as session:
        entries = list(repository.tree(put_table(session, repository, rows)).entries())
    behind = entries[2].row_count + entries[1].row_count + entries[0].row_count
    shorter = rows[: behind - 1] + rows[behind:]  # the row at the cut is gone
    last = take_snapshot(repository, {ORDERS: shorter}, 1, parent=parent)
    assert read_snapshot(repository, last)[ORDERS] == shorter
    assert len(deltas(repository)) >= 1
    new = [one for one in headers(repository) if one.raw_bytes > 3000][before:]
    assert all(one.bases for one in new)


def test_an_added_column_and_another_name_keep_bases(repository: Repository) -> None:
    rows = [(key, text + text) for key, text in sample_rows(300)]
    parent = take_snapshot(repository, {ORDERS: rows}, 0)
    wider = [(key, text + b"0") for key, text in rows]
    last = take_snapshot(repository, {("shop", "renamed"): wider}, 1, parent=parent)
    assert read_snapshot(repository, last)[("shop", "renamed")] == wider
    assert deltas(repository)


def test_a_revert_stores_nothing(repository: Repository) -> None:
    first = {ORDERS: sample_rows(200)}
    second = {ORDERS: [*sample_rows(200)[:100], (b"100.5", b"new"), *sample_rows(200)[100:]]}
    one = take_snapshot(repository, first, 0)
    two = take_snapshot(repository, second, 1, parent=one)
    with repository.begin("test", SilentMonitor(), parent=two.id) as session:
        put_table(session, repository, first[ORDERS])
        assert session.stats.new_blocks == 0


def test_a_repository_without_the_feature_gets_no_deltas() -> None:
    storage = MemoryStorage()
    changed = sample_rows(200)
    changed[50] = (b"51", b"changed")
    with Repository.create(storage, None, MIDDLING, features=()) as repository:
        parent = take_snapshot(repository, {ORDERS: sample_rows(200)}, 0)
        take_snapshot(repository, {ORDERS: changed}, 1, parent=parent)
        assert deltas(repository) == []


def thinned(repository: Repository, days: int, kept: set[int]) -> list[list[Row]]:
    """A history of which only some days are kept, and one more that builds on nothing."""
    rows, parent, expected = sample_rows(60), None, []
    for number in range(days):
        rows = list(rows)
        rows[number % 60] = (rows[number % 60][0], (b"day %d" % number).ljust(64))
        parent = take_snapshot(repository, {ORDERS: rows}, number, parent=parent)
        if number in kept:
            expected.append(rows)
    for number, snapshot in enumerate(repository.snapshots()):
        if number not in kept:
            repository.forget(snapshot)
    return expected


@pytest.mark.parametrize("kept", [{23}, {0, 23}, {0, 7, 8, 23}, set(range(0, 24, 3))])
def test_a_prune_keeps_no_base_for_a_single_block(repository: Repository, kept: set[int]) -> None:
    expected = thinned(repository, 24, kept)
    depth = max(header.depth for header in deltas(repository))
    request = PruneRequest(limits=PruneLimits(max_unused=0))
    report = prune(repository, request, SilentMonitor())
    assert [read_snapshot(repository, one)[ORDERS] for one in repository.snapshots()] == expected
    assert check(repository, True, SilentMonitor()).errors == []
    assert report.renewed_blocks > 0
    assert max((header.depth for header in deltas(repository)), default=0) <= depth
    referred = {
        entry.id[:16]
        for snapshot in repository.snapshots()
        for record in repository.manifest(snapshot).tables()
        for entry in repository.tree(record.root).entries()
    }
    built_on = Counter(base for header in deltas(repository) for base in header.bases)
    assert all(base in referred or count > 1 for base, count in built_on.items())
    again = prune(repository, request, SilentMonitor())
    assert (again.renewed_blocks, again.freed_bytes) == (0, 0)


def test_a_prune_that_stores_little_anew_leaves_bases(repository: Repository) -> None:
    expected = thinned(repository, 24, {23})
    limits = PruneLimits(max_unused=0, max_repack_bytes=0)
    report = prune(repository, PruneRequest(limits=limits), SilentMonitor())
    assert report.renewed_blocks == 0
    assert [read_snapshot(repository, one)[ORDERS] for one in repository.snapshots()] == expected
