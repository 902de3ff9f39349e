"""Which packs need no place in memory once they are stored."""

from __future__ import annotations

import random

from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.storage.protocol import Content
from support.memory_storage import MemoryStorage
from support.sample_repository import SMALL, open_plain

BLOCK_BYTES = 1000


class NotingStorage(MemoryStorage):
    """Notes which packs are bulk, and which are not."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__(objects)
        self.bulk: list[tuple[str, bool]] = []

    def create(self, name: str, data: Content, *, is_bulk: bool = False) -> None:
        """See Storage.create."""
        super().create(name, data, is_bulk=is_bulk)
        self.bulk.append((name.rpartition("/")[0], is_bulk))


def test_data_packs_are_bulk_and_nothing_else_is() -> None:
    objects: dict[str, bytes] = {}
    Repository.create(MemoryStorage(objects), None, SMALL).close()
    storage = NotingStorage(objects)
    random_bytes = random.Random("bulk").randbytes
    with open_plain(storage).begin("test", SilentMonitor()) as session:
        for _ in range(25):
            session.put_data(random_bytes(BLOCK_BYTES))
            session.put_node(random_bytes(BLOCK_BYTES))
        session.flush()
    data = [is_bulk for place, is_bulk in storage.bulk if place.startswith("packs/data")]
    others = [is_bulk for place, is_bulk in storage.bulk if not place.startswith("packs/data")]
    assert len(data) > 4
    assert all(data)
    assert len(others) > 4
    assert not any(others)
