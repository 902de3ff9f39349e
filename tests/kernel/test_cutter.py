"""Where blocks end, and what is said of each."""

from __future__ import annotations

import hashlib
from array import array
from types import ModuleType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.strategies import (
    RULE,
    SEEDED_LAYOUT,
    Table,
    parts,
    seeded_batch,
    tables,
)
from rowvault.codec import compiled, plain
from rowvault.codec.layout import CutRule, RowLayout
from rowvault.codec.rows import RowBatch, decode_row, encode_batch, encode_row

SEEDED_ROWS = 400
SEEDED_RULE = msgspec.structs.replace(RULE, minimum=500, scale=2000, maximum=8000)

RawTuple = tuple[bytes, int, int, bytes, bytes, int]


def cut(kernel: ModuleType, layout: RowLayout, rule: CutRule, *batches: RowBatch) -> list[RawTuple]:
    cutter = kernel.Cutter(layout, rule)
    blocks = [block for batch in batches for block in cutter.feed(*batch)]
    return blocks + cutter.finish()


rules = st.builds(
    msgspec.structs.replace,
    st.just(RULE),
    minimum=st.integers(1, 120),
    scale=st.sampled_from([1, 2, 63, 64, 150, 1000]),
    maximum=st.integers(120, 600),
)


@given(table=tables(), rule=rules)
def test_both_kernels_cut_alike(table: Table, rule: CutRule) -> None:
    assert cut(compiled, table.layout, rule, table.batch) == cut(
        plain, table.layout, rule, table.batch
    )


@given(table=tables(), rule=rules, splits=st.lists(st.integers(0, 40), max_size=8))
def test_cuts_do_not_depend_on_the_batches(
    kernel: ModuleType, table: Table, rule: CutRule, splits: list[int]
) -> None:
    whole = cut(kernel, table.layout, rule, table.batch)
    assert cut(kernel, table.layout, rule, *parts(table.batch, splits)) == whole


@given(table=tables(), rule=rules)
def test_from_any_cut_onward_the_rest_comes_out_again(
    kernel: ModuleType, table: Table, rule: CutRule
) -> None:
    blocks = cut(kernel, table.layout, rule, table.batch)
    row_count = 0
    for i, block in enumerate(blocks):
        if block[5] in (0, 1):
            rest = encode_batch(table.rows[row_count:])
            assert cut(kernel, table.layout, rule, rest) == blocks[i:]
        row_count += block[1]


@given(table=tables(), rule=rules)
def test_blocks_are_the_rows_and_say_what_they_hold(
    kernel: ModuleType, table: Table, rule: CutRule
) -> None:
    blocks = cut(kernel, table.layout, rule, table.batch)
    assert b"".join(block[0] for block in blocks) == table.batch.rows
    assert sum(block[1] for block in blocks) == len(table.rows)
    hashes = [plain.row_hash(rule.row_key, encode_row(row)) for row in table.rows]
    row_sum = sum(int.from_bytes(block[4], "little") for block in blocks)
    assert (row_sum - sum(int.from_bytes(h, "little") for h in hashes)) % (1 << 256) == 0
    for raw, row_count, rendered_bytes, _, _, fragment in blocks:
        assert 0 < len(raw) <= rule.maximum
        if fragment == 0:
            ends = kernel.row_ends(raw, table.layout.column_count)
            assert len(ends) == row_count
            layout = table.layout
            assert rendered_bytes == len(
                kernel.render_tuples(raw, ends, layout.kinds, layout.introducers)
            )
        else:
            assert (row_count > 0) == (rendered_bytes > 0) == (fragment == 1)


@given(table=tables(max_rows=20), rule=rules)
def test_fragments_are_one_row_larger_than_the_maximum(table: Table, rule: CutRule) -> None:
    run: list[RawTuple] = []
    for block in cut(compiled, table.layout, rule, table.batch):
        if block[5] in (0, 1):
            assert not run
        if block[5] == 0:
            continue
        run.append(block)
        if block[5] == 3:
            assert [b[5] for b in run] == [1, *[2] * (len(run) - 2), 3]
            assert all(rule.minimum <= len(b[0]) for b in run[:-1])
            assert len({b[3] for b in run}) == 1
            assert {b[4] for b in run[1:]} == {bytes(32)}
            raw = b"".join(b[0] for b in run)
            assert len(raw) > rule.maximum
            assert decode_row(raw, 0, table.layout.column_count)[1] == len(raw)
            run = []
    assert not run


def test_the_cuts_of_a_seeded_table_stay_where_they_are(kernel: ModuleType) -> None:
    """If this fails, every repository would store every table anew."""
    blocks = cut(kernel, SEEDED_LAYOUT, SEEDED_RULE, seeded_batch(0, SEEDED_ROWS))
    assert [(len(block[0]), block[1], block[5]) for block in blocks] == PINNED_BLOCKS
    everything = hashlib.sha256(repr(blocks).encode()).hexdigest()
    assert everything == PINNED_DIGEST


def test_the_fragments_of_a_long_row_stay_where_they_are(kernel: ModuleType) -> None:
    noise = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(200))
    layout = RowLayout(b"\1\3", (b"", b""), (0,))
    rule = msgspec.structs.replace(RULE, minimum=200, scale=500, maximum=2000)
    blocks = cut(kernel, layout, rule, encode_batch([(b"7", noise)]))
    assert [len(block[0]) for block in blocks] == PINNED_FRAGMENTS
    assert {block[3] for block in blocks} == {b"\1\0017"}


def test_a_byte_put_into_a_long_row_changes_few_fragments(kernel: ModuleType) -> None:
    noise = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(1000))
    layout = RowLayout(b"\3", (b"",), ())
    rule = msgspec.structs.replace(RULE, minimum=200, scale=500, maximum=2000)
    before = cut(kernel, layout, rule, encode_batch([(noise,)]))
    after = cut(kernel, layout, rule, encode_batch([(noise[:9000] + b"!" + noise[9000:],)]))
    lost = {block[0] for block in before} - {block[0] for block in after}
    assert len(before) > 30
    assert len(lost) <= 4


def block_ends(first: int, last: int, rule: CutRule) -> list[int]:
    """The numbers of the rows behind which blocks end, of a reader that starts at `first`."""
    ends, row = [], first
    for block in cut(compiled, SEEDED_LAYOUT, rule, seeded_batch(first, last))[:-1]:
        row += block[1]
        ends.append(row)
    return ends


def test_cuts_of_different_starts_soon_coincide() -> None:
    """A worker that reads on past its edge meets the next worker's cuts within a few blocks."""
    rule = msgspec.structs.replace(RULE, minimum=500, scale=2000, maximum=8000)
    whole = block_ends(0, 20_000, rule)
    assert len(whole) > 500
    blocks_until_equal = []
    for start in range(100, 15_000, 111):
        own = block_ends(start, start + 2000, rule)
        common = set(whole) & set(own)
        assert common
        blocks_until_equal.append(own.index(min(common)))
        at = own.index(min(common))
        assert own[at:] == whole[whole.index(own[at]) :][: len(own) - at]
    assert sum(blocks_until_equal) / len(blocks_until_equal) < 6
    assert max(blocks_until_equal) < 40


def test_sizes_spread_around_the_scale() -> None:
    """The mean of a Weibull distribution of shape 4 is 0.906 of its scale."""
    layout = RowLayout(b"\1\2", (b"", b""), (0,))
    rule = msgspec.structs.replace(RULE, minimum=1000, scale=4000, maximum=16_000)
    batch = encode_batch((b"%d" % i, b"x" * 40) for i in range(40_000))
    sizes = [len(block[0]) for block in cut(compiled, layout, rule, batch)[:-1]]
    mean = sum(sizes) / len(sizes)
    assert 0.86 * rule.scale < mean < 0.96 * rule.scale
    assert min(sizes) >= rule.minimum
    assert max(sizes) < 2 * rule.scale


def test_an_update_outside_of_the_key_moves_no_cut(kernel: ModuleType) -> None:
    """As long as lengths stay, the key alone decides."""
    layout = RowLayout(b"\1\2", (b"", b""), (0,))
    before = encode_batch((b"%d" % i, b"x" * 9) for i in range(300))
    after = encode_batch((b"%d" % i, b"y" * 9) for i in range(300))
    old, new = (cut(kernel, layout, RULE, batch) for batch in (before, after))
    assert [(block[1], block[3]) for block in old] == [(block[1], block[3]) for block in new]


def test_the_first_key_holds_the_key_fields_in_key_order(kernel: ModuleType) -> None:
    layout = RowLayout(b"\1\2\2", (b"",) * 3, (2, 0))
    (block,) = cut(kernel, layout, RULE, encode_batch([(b"12", None, b"abc")]))
    assert block[3] == b"\1" + b"\3abc" + b"\00212"


@pytest.mark.parametrize(("length", "is_plain"), [(509, True), (510, False)])
def test_a_long_key_is_hashed(kernel: ModuleType, length: int, is_plain: bool) -> None:
    """Up to 512 bytes with its length prefix, here of three bytes, it is kept as it is."""
    layout = RowLayout(b"\2", (b"",), (0,))
    rule = msgspec.structs.replace(RULE, maximum=4000)
    batch = encode_batch([(b"k" * length,)])
    (block,) = cut(kernel, layout, rule, batch)
    hashed = b"\0" + plain.row_hash(rule.row_key, batch.rows)[:16]
    assert block[3] == (b"\1" + batch.rows if is_plain else hashed)


def test_without_a_key_the_first_row_is_hashed(kernel: ModuleType) -> None:
    layout = RowLayout(b"\1\2", (b"", b""), ())
    batch = encode_batch([(b"1", b"a")])
    (block,) = cut(kernel, layout, RULE, batch)
    assert block[3] == b"\0" + plain.row_hash(RULE.row_key, batch.rows)[:16]


def test_a_row_that_does_not_fit_begins_the_next_block(kernel: ModuleType) -> None:
    layout = RowLayout(b"\2", (b"",), ())
    rule = msgspec.structs.replace(RULE, minimum=300, scale=1 << 22, maximum=300)
    rows = [(b"a" * 99,), (b"b" * 99,), (b"c" * 101,), (b"d" * 297,), (b"e",)]
    blocks = cut(kernel, layout, rule, encode_batch(rows))
    assert [(len(block[0]), block[1]) for block in blocks] == [(200, 2), (102, 1), (300, 1), (2, 1)]


def test_pending_tells_what_is_in_no_block(kernel: ModuleType) -> None:
    layout = RowLayout(b"\2", (b"",), ())
    cutter = kernel.Cutter(layout, RULE)
    assert (cutter.pending_rows, cutter.pending_bytes) == (0, 0)
    assert cutter.feed(*encode_batch([(b"abc",), (None,)])) == []
    assert (cutter.pending_rows, cutter.pending_bytes) == (2, 5)
    assert cutter.feed(b"", array("I")) == []
    assert len(cutter.finish()) == 1
    assert (cutter.pending_rows, cutter.pending_bytes) == (0, 0)
    assert cutter.finish() == []


@pytest.mark.parametrize(
    ("rows", "ends", "said"),
    [
        (b"\1a\1b\1", [2, 5], "row 1, byte 4"),
        (b"\1a\3b", [2, 4], "row 1, byte 2"),
        (b"\1a\1b!", [2, 5], "row 1, byte 4"),
        (b"\1a\xff", [2, 3], "row 1, byte 2"),
        (b"\1a\xfc\x03\0abc", [2, 8], "row 1, byte 2"),
        (b"\1a\xfd\xff\0\0" + bytes(255), [2, 261], "row 1, byte 2"),
        (b"\1a\xfe\xff\0\0\0\0\0\0\0" + bytes(255), [2, 266], "row 1, byte 2"),
        (b"\1a\xfe\xff\xff\xff\xff\xff\xff\xff\xff", [2, 11], "row 1, byte 2"),
        (b"\1a\xfc\xff", [2, 4], "row 1, byte 2"),
        (b"\1a\1b", [2, 2], "row 1, byte 2"),
        (b"\1a\1b", [2, 5], "row 1, byte 2"),
        (b"\1a\1b", [4, 2], "row 0, byte 2"),
        (b"\1a\1b", [2], "row 1, byte 2"),
        (b"\1a\1b", [], "row 0, byte 0"),
    ],
)
def test_malformed_rows_are_named(
    kernel: ModuleType, rows: bytes, ends: list[int], said: str
) -> None:
    cutter = kernel.Cutter(RowLayout(b"\2", (b"",), ()), RULE)
    with pytest.raises(ValueError, match=said):
        cutter.feed(rows, array("I", ends))
    with pytest.raises(ValueError, match="before"):
        cutter.feed(b"\1a", array("I", [2]))
    with pytest.raises(ValueError, match="before"):
        cutter.finish()


@pytest.mark.parametrize(
    "change",
    [
        {"minimum": 0},
        {"minimum": 401},
        {"maximum": (1 << 22) + 1},
        {"scale": 0},
        {"scale": (1 << 22) + 1},
        {"cut_key": bytes(15)},
        {"row_key": bytes(17)},
        {"gear_key": bytes(16)},
    ],
)
def test_a_rule_that_cannot_be_is_refused(kernel: ModuleType, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"rule|bytes"):
        kernel.Cutter(SEEDED_LAYOUT, msgspec.structs.replace(RULE, **change))


@pytest.mark.parametrize("number", range(12))
def test_the_largest_rule_stays_within_128_bits(number: int) -> None:
    top = 1 << 22
    rule = msgspec.structs.replace(RULE, minimum=top // 4, scale=top, maximum=top)
    layout = RowLayout(b"\1\3", (b"", b""), (0,))
    keys = [b"%d" % (10 * number + i) for i in range(4)]
    batch = encode_batch((key, bytes(top // 4 - 100)) for key in keys)
    ends = [0, *batch.ends]
    expected = 4
    for row in (1, 2, 3):
        chance = plain.siphash24(rule.cut_key, encode_row([keys[row]])) >> 32
        if chance * top**4 < (ends[row + 1] ** 4 - ends[row] ** 4) << 32:
            expected = row + 1
            break
    assert cut(compiled, layout, rule, batch)[0][1] == expected


@pytest.mark.parametrize(
    "layout",
    [
        RowLayout(b"", (), ()),
        RowLayout(b"\0", (b"",), ()),
        RowLayout(b"\5", (b"",), ()),
        RowLayout(b"\1", (), ()),
        RowLayout(b"\1", (b"",), (1,)),
        RowLayout(b"\1", (b"",), (-1,)),
        RowLayout(b"\1", (b"",), (0, 0)),
    ],
)
def test_a_layout_that_cannot_be_is_refused(kernel: ModuleType, layout: RowLayout) -> None:
    with pytest.raises(ValueError, match=r"column|introducer"):
        kernel.Cutter(layout, RULE)


PINNED_BLOCKS = [
    (1449, 28, 0),
    (1506, 27, 0),
    (1826, 33, 0),
    (1780, 9, 0),
    (1937, 34, 0),
    (2182, 40, 0),
    (2334, 23, 0),
    (2340, 41, 0),
    (1553, 30, 0),
    (1340, 23, 0),
    (1502, 3, 0),
    (1731, 30, 0),
    (2267, 39, 0),
    (2928, 28, 0),
    (552, 12, 0),
]
PINNED_DIGEST = "40cb78e9d726c2d18166cd3d1210537712aa2c6cca356bcaa85eda4e5a5d3257"
PINNED_FRAGMENTS = [
    241,
    320,
    227,
    393,
    296,
    235,
    303,
    262,
    252,
    471,
    330,
    474,
    315,
    554,
    282,
    526,
    570,
    354,
]
