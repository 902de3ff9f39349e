"""Blocks that are read together: what each alone would give, in fewer reads."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from rowvault.codec.frames import BlockType
from rowvault.core.errors import CorruptError, DamageError, MissingError, RowvaultError
from rowvault.core.ids import BlockId
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    CHEAP,
    MIDDLING,
    SMALL,
    open_plain,
    sample_rows,
    take_snapshot,
)


class CountingStorage(MemoryStorage):
    """Counts reads of parts of objects."""

    reads = 0

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        self.reads += 1
        return super().read_range(name, offset, length)


@pytest.fixture
def storage() -> CountingStorage:
    return CountingStorage()


@pytest.fixture
def repository(storage: CountingStorage) -> Iterator[Repository]:
    """One table in several packs, and a version of it whose blocks are partly deltas."""
    with Repository.create(storage, None, MIDDLING, CHEAP) as made:
        rows = sample_rows(2000)
        first = take_snapshot(made, {("d", "t"): rows}, 0)
        rows[::200] = [(key, b"changed") for key, _ in rows[::200]]
        take_snapshot(made, {("d", "t"): rows}, 1, parent=first)
    with open_plain(storage) as opened:
        yield opened


def blocks_of(repository: Repository, snapshot: Snapshot) -> list[BlockId]:
    record = repository.manifest(snapshot).table("d", "t")
    assert record is not None
    return [entry.id for entry in repository.tree(record.root).entries()]


def alone(repository: Repository, block_id: BlockId) -> bytes | type[RowvaultError]:
    try:
        return repository.read_data(block_id)
    except RowvaultError as error:
        return type(error)


def together(
    repository: Repository, block_ids: Sequence[BlockId]
) -> list[bytes | type[RowvaultError]]:
    found = repository.read_data_near(block_ids)
    return [type(one) if isinstance(one, RowvaultError) else one for one in found]


@pytest.mark.parametrize("spec", ["latest", "latest~1"])
def test_all_of_a_table_are_what_each_is(repository: Repository, spec: str) -> None:
    blocks = blocks_of(repository, repository.find(spec))
    assert len(blocks) > 20
    assert together(repository, blocks) == [alone(repository, one) for one in blocks]


@pytest.mark.parametrize("seed", range(3))
def test_any_order_will_do_and_what_is_not_there_is_told_in_its_place(
    repository: Repository, seed: int
) -> None:
    rng = random.Random(seed)
    blocks = blocks_of(repository, repository.find("latest"))
    unknown = BlockId(rng.randbytes(32))
    wanted = [*rng.choices(blocks, k=30), unknown, *reversed(blocks[:5]), unknown]
    found = together(repository, wanted)
    assert found == [alone(repository, one) for one in wanted]
    assert found.count(MissingError) == 2
    assert together(repository, []) == []


def test_neighbours_are_read_in_one_go(repository: Repository, storage: CountingStorage) -> None:
    blocks = blocks_of(repository, repository.find("latest~1"))
    assert all(isinstance(one, bytes) for one in together(repository, blocks))
    packs = {repository.internals.index.find(BlockType.DATA, one)[0].pack for one in blocks}
    before = storage.reads
    together(repository, blocks)
    assert storage.reads - before <= 2 * len(packs) < len(blocks) // 3


def test_damage_of_one_is_told_for_that_one(
    repository: Repository, storage: CountingStorage
) -> None:
    blocks = blocks_of(repository, repository.find("latest~1"))
    sound = together(repository, blocks)
    place = repository.internals.index.find(BlockType.DATA, blocks[7])[0]
    name = next(name for name in storage.objects if name.endswith(place.pack))
    data = bytearray(storage.objects[name])
    data[place.offset + place.frame_bytes // 2] ^= 1
    storage.objects[name] = bytes(data)
    assert together(repository, blocks) == [*sound[:7], CorruptError, *sound[8:]]
    (told,) = (one for one in repository.read_data_near(blocks) if isinstance(one, DamageError))
    assert blocks[7].hex() in str(told)
    assert place.pack in str(told)
    storage.objects[name] = bytes(data[: place.offset + place.frame_bytes // 2])
    with open_plain(storage) as again:
        assert together(again, blocks) == [alone(again, one) for one in blocks]


def test_blocks_that_a_prune_has_moved_are_found_in_their_new_place() -> None:
    storage = MemoryStorage()
    shared, own = sample_rows(300), sample_rows(300, salt="gone")
    Repository.create(storage, None, SMALL, CHEAP).close()
    with open_plain(storage) as writer:
        mixed = [row for pair in zip(shared, own, strict=True) for row in pair]
        victim = take_snapshot(writer, {("d", "u"): mixed, ("d", "t"): shared}, 0)
        kept = take_snapshot(writer, {("d", "t"): shared}, 1)
    with open_plain(storage) as reader:
        blocks = blocks_of(reader, kept)
        sound = together(reader, blocks)
        with open_plain(storage) as pruner:
            pruner.forget(victim)
            request = PruneRequest(limits=PruneLimits(max_unused=0))
            assert prune(pruner, request, SilentMonitor()).removed_packs
        assert together(reader, blocks) == sound
