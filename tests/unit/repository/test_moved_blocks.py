"""A reader beside a prune that stores blocks anew and removes the packs they were in."""

from __future__ import annotations

import pytest

from rowvault.core.monitor import SilentMonitor
from rowvault.repository.prune import prune
from rowvault.repository.prune_plan import PruneLimits
from rowvault.repository.prune_report import PruneRequest
from rowvault.repository.repository import Repository
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    CHEAP,
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
        index = reader.place.index
        with open_plain(storage) as pruner:
            pruner.forget(victim)
            assert prune(pruner, ALL, SilentMonitor()).removed_packs
        refresh = index.refresh

        def refreshed_by_two() -> bool:
            refresh()
            return refresh()

        monkeypatch.setattr(index, "refresh", refreshed_by_two)
        assert read_snapshot(reader, kept) == {("d", "u"): shared}
