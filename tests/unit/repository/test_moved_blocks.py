"""A reader beside a prune that stores blocks anew and removes the packs they were in."""

from __future__ import annotations

import pytest

from rowvault.codec.frames import FrameHeader
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.index.index import Location
from rowvault.repository.repository import Repository
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    CHEAP,
    MIDDLING,
    SMALL,
    open_plain,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

ALL = PruneRequest(limits=PruneLimits(max_unused=0))


def test_another_thread_may_have_looked_at_the_index_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then the index is found unchanged by the second one, who needs it all the same."""
    storage = MemoryStorage()
    shared, own = sample_rows(300), sample_rows(300, salt="gone")
    Repository.create(storage, None, SMALL, CHEAP).close()
    with open_plain(storage) as writer:
        mixed = [row for pair in zip(shared, own, strict=True) for row in pair]
        victim = take_snapshot(writer, {("d", "t"): mixed, ("d", "u"): shared}, 0)
        kept = take_snapshot(writer, {("d", "u"): shared}, 1)
    with open_plain(storage) as reader:
        assert read_snapshot(reader, kept) == {("d", "u"): shared}
        index = reader.internals.index
        with open_plain(storage) as pruner:
            pruner.forget(victim)
            assert prune(pruner, ALL, SilentMonitor()).removed_packs
        refresh = index.refresh

        def refreshed_by_two() -> bool:
            refresh()
            return refresh()

        monkeypatch.setattr(index, "refresh", refreshed_by_two)
        assert read_snapshot(reader, kept) == {("d", "u"): shared}


def test_a_check_looks_again_for_a_delta_that_a_prune_moves_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    storage = MemoryStorage()
    orders, own = sample_rows(300), sample_rows(300, salt="gone")
    changed = [(orders[0][0], b"changed".ljust(64)), *orders[1:]]
    Repository.create(storage, None, MIDDLING, CHEAP).close()
    with open_plain(storage) as writer:
        first = take_snapshot(writer, {("d", "t"): orders}, 0)
        victim = take_snapshot(writer, {("d", "t"): changed, ("d", "u"): own}, 1, parent=first)
        take_snapshot(writer, {("d", "t"): changed}, 2, parent=victim)
        writer.forget(victim)
    with open_plain(storage) as reader:
        read_header = reader.internals.blocks.header
        moved = []

        def header(prefix: bytes, place: Location) -> FrameHeader:
            if not moved:
                with open_plain(storage) as pruner:
                    prune(pruner, ALL, SilentMonitor())
                    moved.append(place.pack not in {one.pack for one in places(pruner)})
            return read_header(prefix, place)

        monkeypatch.setattr(reader.internals.blocks, "header", header)
        report = check(reader, False, SilentMonitor())
    assert moved == [True]
    assert report.errors == []


def places(repository: Repository) -> list[Location]:
    """Of all frames."""
    index = repository.internals.index
    index.refresh()
    return [one.decode(record) for one in index.segments for record in one.records()]
