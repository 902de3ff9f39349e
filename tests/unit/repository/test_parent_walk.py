"""Which of the parent's blocks stood at a block's place."""

from __future__ import annotations

import pytest

from rowvault.core.errors import CorruptError
from rowvault.core.ids import BlockId
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.trees.node import LeafEntry, NodeRule
from rowvault.repository.trees.parent_walk import ParentTable, ParentTree
from rowvault.repository.trees.tree import TreeReader, TreeWriter

RULE = NodeRule(2, 4, 8, b"k" * 32)


def identifier(number: int) -> BlockId:
    return BlockId(number.to_bytes(4, "big") * 8)


def half(number: int) -> bytes:
    return identifier(number)[:16]


def reader(keys: list[bytes], size: int = 100) -> TreeReader:
    """A tree of blocks with these first keys."""
    nodes: dict[BlockId, bytes] = {}

    def put(raw: bytes) -> BlockId:
        name = BlockId(len(nodes).to_bytes(32, "big"))
        nodes[name] = raw
        return name

    tree = TreeWriter(put, RULE)
    for number, key in enumerate(keys):
        tree.add(LeafEntry(key, identifier(number), size, 1, 1, 0))
    return TreeReader(nodes.__getitem__, tree.finish())


def table(keys: list[bytes]) -> ParentTable:
    return ParentTable(lambda: reader(keys), SilentMonitor())


KEYS = [b"k%d" % number for number in range(500)]


def test_equal_first_keys_are_found_in_any_order() -> None:
    tree = ParentTree(reader(KEYS))
    assert [tree.find(key) for key in reversed(KEYS)] == list(reversed(range(500)))
    assert tree.find(b"none") is None
    walk = table(KEYS).walk()
    for number in (400, 3, 77):
        walk.step(KEYS[number], 100)
        assert walk.blocks() == [half(number)]


def test_a_block_across_a_cut_has_two_counterparts() -> None:
    walk = table(KEYS).walk()
    walk.step(KEYS[5], 130)
    assert walk.blocks() == [half(5), half(6)]
    walk.step(b"inside block 6", 170)
    assert walk.blocks() == [half(7), half(6)]
    walk.step(KEYS[8], 100)
    assert walk.blocks() == [half(8)]


def test_a_block_behind_one_that_nobody_asked_for() -> None:
    walk = table(KEYS).walk()
    walk.step(KEYS[10], 60)
    walk.step(b"inside block 10", 40)
    assert walk.blocks() == [half(10)]


def test_a_place_is_guessed_only_for_a_few_blocks() -> None:
    walk = table(KEYS).walk()
    walk.step(KEYS[10], 100)
    walk.blocks()
    found = []
    for number in range(20):
        walk.step(b"new %d" % number, 100)
        found.append(bool(walk.blocks()))
    assert found == [True] * 9 + [False] * 11


def test_fragments_of_one_row_follow_one_another() -> None:
    walk = table([b"a", b"row", b"row", b"row", b"z"]).walk()
    found = []
    for _ in range(3):
        walk.step(b"row", 100)
        found.append(walk.blocks())
    assert found == [[half(1)], [half(2)], [half(3)]]


def test_nothing_is_there_before_the_first_or_behind_the_last() -> None:
    walk = table([b"a"]).walk()
    assert walk.blocks() == []
    walk.step(b"a", 100)
    walk.blocks()
    walk.step(b"b", 100)
    assert walk.blocks() == []


def test_a_parent_that_cannot_be_read_gives_no_bases() -> None:
    def broken() -> TreeReader:
        raise CorruptError("damaged")

    warnings: list[str] = []

    class Monitor(SilentMonitor):
        def warning(self, message: str) -> None:
            warnings.append(message)

    damaged = ParentTable(broken, Monitor())
    for _ in range(2):
        walk = damaged.walk()
        walk.step(b"a", 100)
        assert walk.blocks() == []
    assert len(warnings) == 1


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 255])
def test_all_sizes_of_the_table_work(count: int) -> None:
    tree = ParentTree(reader(KEYS[:count]))
    assert [tree.find(key) for key in KEYS[:count]] == list(range(count))
