"""Rows as the lines that LOAD DATA reads."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.strategies import Table, sized, tables
from rowvault.codec import compiled, kernel, plain
from rowvault.codec.rows import Value, encode_batch

MARKS = st.text("\t\n\\N\0\r\x1a'x", max_size=40).map(str.encode)


@pytest.fixture(params=[compiled, plain], ids=["compiled", "plain"])
def renderer(request: pytest.FixtureRequest) -> ModuleType:
    found: ModuleType = request.param
    return found


def read(lines: bytes, column_count: int) -> list[tuple[Value, ...]]:
    """The rows again, by the rules of the server's manual: one byte after the other."""
    fields: list[Value] = []
    field = bytearray()
    is_null = False
    position = 0
    while position < len(lines):
        byte = lines[position : position + 1]
        if byte == b"\\":
            position += 1
            escaped = lines[position : position + 1]
            is_null = (
                escaped == b"N"
                and not field
                and lines[position + 1 : position + 2]
                in (
                    b"\t",
                    b"\n",
                )
            )
            field += escaped
        elif byte in b"\t\n":
            fields.append(None if is_null else bytes(field))
            field.clear()
            is_null = False
        else:
            field += byte
        position += 1
    assert not field
    assert len(fields) % column_count == 0
    starts = range(0, len(fields), column_count)
    return [tuple(fields[start : start + column_count]) for start in starts]


@given(table=tables())
def test_both_kernels_render_alike(table: Table) -> None:
    rows, width = table.batch.rows, table.layout.column_count
    assert compiled.render_lines(rows, width) == plain.render_lines(rows, width)


@given(rows=st.lists(st.tuples(st.none() | MARKS, st.none() | sized | MARKS), max_size=20))
def test_a_reader_of_lines_finds_the_values(rows: list[tuple[Value, ...]]) -> None:
    assert read(kernel.render_lines(encode_batch(rows).rows, 2), 2) == rows


def test_what_means_something_to_the_server_is_escaped(renderer: ModuleType) -> None:
    rows = encode_batch([(b"1", b"a\tb\nc\\d"), (None, b""), (b"\\N", b"\0\r\x1a'\"")]).rows
    lines = [b"1\ta\\\tb\\\nc\\\\d\n", b"\\N\t\n", b"\\\\N\t\0\r\x1a'\"\n"]
    assert renderer.render_lines(rows, 2) == b"".join(lines)


def test_every_byte_at_every_place_of_a_long_value(renderer: ModuleType) -> None:
    for place in range(40):
        for byte in (0, 9, 10, 13, 26, 92, 255):
            value = b"x" * place + bytes([byte]) + b"y" * (39 - place)
            assert read(renderer.render_lines(encode_batch([(value,)]).rows, 1), 1) == [(value,)]


def test_no_rows_are_nothing(renderer: ModuleType) -> None:
    assert renderer.render_lines(b"", 3) == b""


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (b"\1a\1", "row 0, byte 2: a value that runs past the end of its row"),
        (b"\1a\1b\1a", "row 1, byte 6: the row ends where a length should be"),
        (b"\1a\xff", "row 0, byte 2: not the start of a length"),
        (b"\1a\xfc\1", "row 0, byte 2: the row ends where a length should be"),
        (b"\1a\xfc\1\0x", "row 0, byte 2: a length that is not in its shortest form"),
        (b"\1a\xfe" + b"\xff" * 8, "row 0, byte 2: a value that runs past the end of its row"),
    ],
)
def test_malformed_rows_are_refused(renderer: ModuleType, rows: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        renderer.render_lines(rows, 2)


@pytest.mark.parametrize("count", [0, -1, 65536])
def test_no_table_has_so_many_columns(renderer: ModuleType, count: int) -> None:
    with pytest.raises(ValueError, match="column"):
        renderer.render_lines(b"", count)
