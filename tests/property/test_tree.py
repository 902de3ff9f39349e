"""Trees: one shape for one content, small changes small, differences as a plain model sees them."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_right
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.core.errors import CorruptError, DamageError, UnsupportedFormatError
from rowvault.core.ids import BlockId
from rowvault.repository.trees.difference import differing
from rowvault.repository.trees.node import (
    InnerEntry,
    LeafEntry,
    NodeRule,
    Sums,
    decode_node,
    encode_node,
)
from rowvault.repository.trees.tree import TreeReader, TreeRoot, TreeWriter

RULE = NodeRule(2, 4, 8, b"k" * 32)
WIDE = NodeRule(12, 48, 192, b"k" * 32)


class Nodes:
    """Nodes in memory, and how often each was asked for."""

    def __init__(self) -> None:
        self.stored: dict[BlockId, bytes] = {}
        self.new = 0
        self.read = 0

    def put(self, raw: bytes) -> BlockId:
        identifier = BlockId(hashlib.sha256(raw).digest())
        self.new += identifier not in self.stored
        self.stored[identifier] = raw
        return identifier

    def get(self, identifier: BlockId) -> bytes:
        self.read += 1
        return self.stored[identifier]

    def write(self, entries: list[LeafEntry], rule: NodeRule = RULE) -> TreeRoot:
        writer = TreeWriter(self.put, rule)
        for item in entries:
            writer.add(item)
        return writer.finish()

    def reader(self, root: TreeRoot) -> TreeReader:
        return TreeReader(self.get, root)


def entry(key: int, content: int = 0, fragment: int = 0) -> LeafEntry:
    first_key = b"\x01" + key.to_bytes(4, "big")
    identifier = hashlib.sha256(f"{key} {content}".encode()).digest()
    return LeafEntry(first_key, BlockId(identifier), 100 + content, 1 + key % 3, 120, fragment)


versions = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), max_size=200).map(
    lambda pairs: [entry(key, content) for key, content in sorted(dict(pairs).items())]
)


@given(versions)
def test_a_tree_reads_back_and_adds_up(entries: list[LeafEntry]) -> None:
    nodes = Nodes()
    root = nodes.write(entries)
    assert list(nodes.reader(root).entries()) == entries
    total = Sums()
    for one in entries:
        total += one.sums
    assert root.sums == total
    for raw in nodes.stored.values():
        node = decode_node(raw)
        assert encode_node(node.level, node.entries) == raw
        assert len(node.entries) <= RULE.maximum


@given(versions, versions)
def test_equal_content_is_an_equal_root(left: list[LeafEntry], right: list[LeafEntry]) -> None:
    assert (Nodes().write(left).id == Nodes().write(right).id) == (left == right)


@given(versions, st.integers(-5, 500))
def test_seek_finds_the_entry_that_holds_a_row(entries: list[LeafEntry], row: int) -> None:
    nodes = Nodes()
    reader = nodes.reader(nodes.write(entries))
    ends = list(accumulate(one.row_count for one in entries))
    found = list(reader.seek(lambda sums: sums.rows, row))
    start = bisect_right(ends, row)
    assert [one for _, one in found] == entries[start:]
    assert [before.rows for before, _ in found] == [0, *ends][start : len(entries)]


def test_seek_reads_one_node_per_level() -> None:
    nodes = Nodes()
    root = nodes.write([entry(key) for key in range(5000)], WIDE)
    reader = nodes.reader(root)
    nodes.read = 0
    next(reader.seek(lambda sums: sums.rendered_bytes, 300_000))
    assert nodes.read == root.level + 1


@given(st.lists(st.integers(0, 400), min_size=1, max_size=150), st.integers(0, 401), st.data())
def test_covering_never_misses_a_key(keys: list[int], key: int, data: st.DataObject) -> None:
    """Also where some first keys are hashes, and where a row stands in fragments."""
    entries: list[LeafEntry] = []
    true_keys: list[int] = []
    for one in sorted(set(keys)):
        fragments = data.draw(st.sampled_from([(0,), (0,), (0,), (1, 3), (1, 2, 2, 3)]))
        hidden = data.draw(st.integers(0, 9)) == 0
        for number, fragment in enumerate(fragments):
            item = entry(one, number, fragment)
            if hidden:
                item = LeafEntry(b"\x00" + bytes(16), item.id, 1, 1, 1, fragment)
            entries.append(item)
            true_keys.append(one)
    nodes = Nodes()
    wanted = key.to_bytes(4, "big")
    found = list(nodes.reader(nodes.write(entries)).covering(wanted, wanted))
    holding = [item for item, one in zip(entries, true_keys, strict=True) if one == key]
    if not holding and key > true_keys[0]:
        last_before = entries[bisect_right(true_keys, key) - 1]
        holding = [last_before] if last_before.fragment == 0 else []
    assert [item for item in found if item in holding] == holding
    if all(one.first_key[:1] == b"\x01" and not one.fragment for one in entries):
        assert len(found) <= 1


@pytest.mark.parametrize("change", ["update", "insert", "delete"])
def test_a_change_writes_nodes_on_its_path_only(change: str) -> None:
    rnd = random.Random(1)
    entries = [entry(key * 2) for key in range(6000)]
    nodes = Nodes()
    levels = nodes.write(entries, WIDE).level + 1
    written = []
    for _ in range(20):
        changed = list(entries)
        at = rnd.randrange(len(entries))
        if change == "update":
            changed[at] = entry(at * 2, 1)
        elif change == "insert":
            changed.insert(at + 1, entry(at * 2 + 1))
        else:
            del changed[at]
        nodes.new = 0
        nodes.write(changed, WIDE)
        written.append(nodes.new)
    if change == "update":
        assert max(written) == levels
    assert sum(written) / len(written) <= 2 * levels


def test_nodes_have_the_size_they_aim_at() -> None:
    nodes = Nodes()
    nodes.write([entry(key) for key in range(20_000)], WIDE)
    sizes = [len(decode_node(raw).entries) for raw in nodes.stored.values()]
    leaves = sorted(sizes)[1:]
    assert 32 <= sum(leaves) / len(leaves) <= 64
    assert max(sizes) <= WIDE.maximum


@given(versions, versions)
def test_differing_finds_just_what_differs(left: list[LeafEntry], right: list[LeafEntry]) -> None:
    nodes = Nodes()
    runs = list(differing(nodes.reader(nodes.write(left)), nodes.reader(nodes.write(right))))
    only_left = [one for run in runs for one in run.left]
    only_right = [one for run in runs for one in run.right]
    assert only_left == [one for one in left if one not in right]
    assert only_right == [one for one in right if one not in left]
    if runs:
        assert runs[-1].synchronised
    _check_synchronisation(runs, left, right)


def _check_synchronisation(runs: list, left: list[LeafEntry], right: list[LeafEntry]) -> None:
    """Between two synchronisation points, the keys of both sides lie in one range."""
    highest = b""
    group: list[bytes] = []
    for run in runs:
        group += [one.first_key for one in (*run.left, *run.right)]
        if run.synchronised:
            assert not group or min(group) > highest
            highest = max([highest, *group])
            group = []


@pytest.mark.parametrize("inserted", [1, 63, 65, 500, 5000])
def test_a_large_insertion_is_stepped_over(inserted: int) -> None:
    left = [entry(key) for key in range(4000)]
    new = [entry(100_000 + key) for key in range(inserted)]
    right = left[:2000] + new + left[2000:]
    nodes = Nodes()
    readers = [nodes.reader(nodes.write(side, WIDE)) for side in (left, right)]
    nodes.read = 0
    runs = list(differing(*readers))
    assert sum(len(run.left) for run in runs) <= 2 * WIDE.maximum
    assert {one.id for run in runs for one in run.right} >= {one.id for one in new}
    assert sum(len(run.right) for run in runs) <= inserted + 2 * WIDE.maximum
    assert nodes.read <= 30 + inserted // 16


def test_equal_subtrees_are_not_read() -> None:
    left = [entry(key) for key in range(20_000)]
    right = list(left)
    for key in (5, 10_000, 19_999):
        right[key] = entry(key, 1)
    nodes = Nodes()
    readers = [nodes.reader(nodes.write(side, WIDE)) for side in (left, right)]
    nodes.read = 0
    runs = list(differing(*readers))
    assert [len(run.left) for run in runs] == [1, 1, 1]
    assert all(run.synchronised for run in runs)
    assert nodes.read <= 3 * 2 * 3


def test_repeated_blocks_are_counted() -> None:
    """A table without key may hold the same block many times."""
    same = [entry(7)] * 300
    nodes = Nodes()
    runs = list(differing(nodes.reader(nodes.write(same[:100])), nodes.reader(nodes.write(same))))
    assert sum(len(run.right) for run in runs) - sum(len(run.left) for run in runs) == 200


@given(st.binary(max_size=200))
def test_any_bytes_are_a_node_or_damage(data: bytes) -> None:
    try:
        node = decode_node(data)
    except (DamageError, UnsupportedFormatError):  # the latter for a version that is not known
        return
    assert encode_node(node.level, node.entries) == data


@given(versions.filter(bool), st.data())
def test_an_altered_node_never_decodes_to_the_same(
    entries: list[LeafEntry], data: st.DataObject
) -> None:
    raw = encode_node(0, entries)
    at = data.draw(st.integers(0, len(raw) - 1))
    altered = raw[:at] + bytes((raw[at] ^ data.draw(st.integers(1, 255)),)) + raw[at + 1 :]
    try:
        assert decode_node(altered).entries != tuple(entries)
    except (DamageError, UnsupportedFormatError):
        pass


def test_sums_that_do_not_agree_are_damage() -> None:
    nodes = Nodes()
    root = nodes.write([entry(key) for key in range(100)])
    wrong = TreeRoot(root.id, root.level, root.sums + Sums(rows=1))
    with pytest.raises(CorruptError, match="parent describes"):
        list(nodes.reader(wrong).entries())
    level_too_high = TreeRoot(root.id, root.level + 1, root.sums)
    with pytest.raises(CorruptError, match="parent describes"):
        list(nodes.reader(level_too_high).entries())


def test_an_empty_table_has_a_tree() -> None:
    nodes = Nodes()
    root = nodes.write([])
    assert (root.level, root.sums) == (0, Sums())
    assert nodes.stored[root.id] == b"\x01\x00\x00"
    assert list(nodes.reader(root).entries()) == []
    full = nodes.write([entry(1)])
    (run,) = differing(nodes.reader(root), nodes.reader(full))
    assert (run.left, run.right, run.synchronised) == ([], [entry(1)], True)


def test_inner_entries_keep_the_sums_of_their_subtree() -> None:
    nodes = Nodes()
    root = nodes.write([entry(key, 0, key % 4) for key in range(200)])
    children = nodes.reader(root).children(nodes.reader(root).root_entry)
    assert all(isinstance(child, InnerEntry) for child in children)
    total = Sums()
    for child in children:
        total += child.sums
    assert total == root.sums
    assert root.sums.statements == 100
