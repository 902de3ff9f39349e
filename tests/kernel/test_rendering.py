"""Values as SQL literals."""

from __future__ import annotations

import locale
import struct
import subprocess
import sys
from array import array
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.strategies import Table, tables
from rowvault.codec import compiled, plain
from rowvault.codec.rows import Value, encode_batch, encode_row
from rowvault.core.model import ValueKind


def render(kernel: ModuleType, kind: ValueKind, value: Value, introducer: bytes = b"") -> bytes:
    """The literal of one value; its announced length is checked on the way."""
    batch = encode_batch([(value,)])
    arguments = (*batch, bytes((kind,)), (introducer,))
    rendered = kernel.render_tuples(*arguments)
    assert len(rendered) == kernel.rendered_length(*arguments)
    assert (rendered[:1], rendered[-1:]) == (b"(", b")")
    return rendered[1:-1]


@given(table=tables())
def test_both_kernels_render_alike_and_know_the_length(table: Table) -> None:
    layout = table.layout
    arguments = (*table.batch, layout.kinds, layout.introducers)
    rendered = compiled.render_tuples(*arguments)
    assert rendered == plain.render_tuples(*arguments)
    assert compiled.rendered_length(*arguments) == len(rendered)
    assert plain.rendered_length(*arguments) == len(rendered)


def test_tuples_are_joined_by_comma_and_line_feed(kernel: ModuleType) -> None:
    batch = encode_batch([(b"1", b"it's"), (None, b""), (b"-2.50", None)])
    rendered = kernel.render_tuples(*batch, b"\1\2", (b"", b""))
    assert rendered == b"(1,'it\\'s'),\n(NULL,''),\n(-2.50,NULL)"


def test_no_rows_are_nothing(kernel: ModuleType) -> None:
    assert kernel.render_tuples(b"", array("I"), b"\1", (b"",)) == b""
    assert kernel.rendered_length(b"", array("I"), b"\1", (b"",)) == 0


@pytest.mark.parametrize("kind", list(ValueKind))
def test_null_is_null(kernel: ModuleType, kind: ValueKind) -> None:
    assert render(kernel, kind, None, b"_cp932 ") == b"NULL"


@pytest.mark.parametrize(
    "number", [b"0", b"-1", b"18446744073709551615", b"-0.50", b"1e-300", b"1.5E+10", b"00042"]
)
def test_numbers_stay_as_they_are(kernel: ModuleType, number: bytes) -> None:
    assert render(kernel, ValueKind.NUMBER, number) == number


@pytest.mark.parametrize("number", [b"", b"1,2", b"1)", b"'1'", b"0x1", b" 1", b"1\0", b"NULL"])
def test_what_is_no_number_never_becomes_sql(kernel: ModuleType, number: bytes) -> None:
    batch = encode_batch([(b"x", b"1"), (b"y", number)])
    with pytest.raises(ValueError, match=r"row 1, byte 6: not a number"):
        kernel.render_tuples(*batch, b"\2\1", (b"", b""))
    kernel.rendered_length(*batch, b"\2\1", (b"", b""))


@pytest.mark.parametrize("before", [0, 5, 15, 16, 40])
def test_each_byte_of_a_text_is_escaped_or_not(kernel: ModuleType, before: int) -> None:
    escapes = {0: b"\\0", 10: b"\\n", 13: b"\\r", 26: b"\\Z", 39: b"\\'", 92: b"\\\\"}
    for number in range(256):
        byte = bytes((number,))
        for behind in (b"", b"y" * 17):
            literal = render(kernel, ValueKind.TEXT, b"x" * before + byte + behind)
            assert literal == b"'" + b"x" * before + escapes.get(number, byte) + behind + b"'"


def test_bytes_are_hex_behind_their_introducer(kernel: ModuleType) -> None:
    every = bytes(range(256))
    assert render(kernel, ValueKind.BYTES, b"") == b"X''"
    assert render(kernel, ValueKind.BYTES, every) == b"X'" + every.hex().upper().encode() + b"'"
    assert render(kernel, ValueKind.BYTES, b"\x81\xe0", b"_cp932 ") == b"_cp932 X'81E0'"


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (b"i0", b"0"),
        (b"i-9223372036854775808", b"-9223372036854775808"),
        (b"t", b"''"),
        (b"tit's \\ \n", b"'it''s \\ \n'"),
        (b"ta\0b", b"CAST(X'610062' AS TEXT)"),
        (b"t\xff", b"'\xff'"),
        (b"b", b"X''"),
        (b"b\0'", b"X'0027'"),
    ],
)
def test_sqlite_values_follow_their_storage_class(
    kernel: ModuleType, value: bytes, literal: bytes
) -> None:
    assert render(kernel, ValueKind.DYNAMIC, value) == literal


@pytest.mark.parametrize(
    ("real", "literal"),
    [
        (0.0, b"0.0"),
        (-0.0, b"-0.0"),
        (1.0, b"1.0"),
        (0.1, b"0.10000000000000001"),
        (1e15, b"1000000000000000.0"),
        (1e17, b"1e+17"),
        (5e-324, b"4.9406564584124654e-324"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
        (-2.2250738585072014e-308, b"-2.2250738585072014e-308"),
        (float("inf"), b"9e999"),
        (float("-inf"), b"-9e999"),
        (float("nan"), b"NULL"),
    ],
)
def test_reals_read_as_the_same_real(kernel: ModuleType, real: float, literal: bytes) -> None:
    assert render(kernel, ValueKind.DYNAMIC, b"r" + struct.pack(">d", real)) == literal


@given(real=st.floats(allow_nan=False, allow_infinity=False))
def test_a_real_survives_its_literal(kernel: ModuleType, real: float) -> None:
    literal = render(kernel, ValueKind.DYNAMIC, b"r" + struct.pack(">d", real))
    assert struct.pack(">d", float(literal)) == struct.pack(">d", real)


COMMA_LOCALES = ("de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8")


def test_the_point_is_a_point_in_every_locale() -> None:
    """A comma of the C locale would part one value into two."""
    program = (
        "import locale, sys\n"
        "from array import array\n"
        "from rowvault.codec import compiled\n"
        "locale.setlocale(locale.LC_ALL, sys.argv[1])\n"
        "row = b'\\x09r' + bytes.fromhex('3ff8000000000000')\n"
        "print(compiled.render_tuples(row, array('I', [10]), b'\\x04', (b'',)).decode())"
    )
    names = [name for name in (*COMMA_LOCALES, "C") if is_known(name)]
    for name in names:
        result = subprocess.run(
            [sys.executable, "-c", program, name], capture_output=True, text=True, check=True
        )
        assert result.stdout == "(1.5)\n"


def is_known(name: str) -> bool:
    before = locale.setlocale(locale.LC_NUMERIC)
    try:
        locale.setlocale(locale.LC_NUMERIC, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_NUMERIC, before)
    return True


@pytest.mark.parametrize("value", [b"", b"x1", b"r", b"r" + bytes(7), b"r" + bytes(9), b"I1"])
def test_a_value_without_a_storage_class_is_refused(kernel: ModuleType, value: bytes) -> None:
    batch = encode_batch([(value,)])
    for function in (kernel.render_tuples, kernel.rendered_length):
        with pytest.raises(ValueError, match=r"row 0, byte 0: .* storage class"):
            function(*batch, b"\4", (b"",))


@pytest.mark.parametrize("value", [b"i", b"i-", b"i1.0", b"i+1", b"i1;", b"i" + b"9" * 20])
def test_a_sqlite_integer_is_digits(kernel: ModuleType, value: bytes) -> None:
    with pytest.raises(ValueError, match="not a number"):
        kernel.render_tuples(*encode_batch([(value,)]), b"\4", (b"",))


def test_a_layout_of_another_width_is_refused(kernel: ModuleType) -> None:
    batch = encode_batch([(b"1", b"2")])
    for kinds in (b"\1", b"\1\1\1"):
        with pytest.raises(ValueError, match="row 0"):
            kernel.render_tuples(*batch, kinds, (b"",) * len(kinds))


def test_the_ends_of_rows_are_found_again(kernel: ModuleType) -> None:
    batch = encode_batch([(b"1", None), (b"x" * 251, b""), (b"y" * 70_000, b"z")])
    assert kernel.row_ends(batch.rows, 2) == batch.ends
    assert kernel.row_ends(memoryview(batch.rows), 2) == batch.ends
    assert kernel.row_ends(b"", 2) == array("I")


@given(table=tables())
def test_both_kernels_find_the_ends(table: Table) -> None:
    batch = table.batch
    assert compiled.row_ends(batch.rows, table.layout.column_count) == batch.ends
    assert plain.row_ends(batch.rows, table.layout.column_count) == batch.ends


@given(table=tables())
def test_rows_are_taken_apart(table: Table) -> None:
    for kernel in (compiled, plain):
        assert kernel.row_values(table.batch.rows, table.layout.column_count) == table.rows


@pytest.mark.parametrize("column_count", [0, -1, 65536])
def test_a_row_has_columns(kernel: ModuleType, column_count: int) -> None:
    with pytest.raises(ValueError, match="column"):
        kernel.row_ends(b"", column_count)


def test_rows_cut_short_have_no_ends(kernel: ModuleType) -> None:
    rows = encode_row([b"abc", b"d"]) + encode_row([b"efg", None])
    for length in range(1, len(rows)):
        if length != 6:
            with pytest.raises(ValueError, match="row"):
                kernel.row_ends(rows[:length], 2)
