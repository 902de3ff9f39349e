"""What the kernel is told of a table."""

from __future__ import annotations

from rowvault.codec.layout import RowLayout
from rowvault.core.model import Column, TableDefinition, ValueKind


def test_a_layout_follows_the_columns() -> None:
    table = TableDefinition(
        database="shop",
        name="orders",
        columns=(
            Column("id", "int(11)", ValueKind.NUMBER),
            Column("note", "text", ValueKind.BYTES, "_cp932"),
            Column("token", "binary(8)", ValueKind.BYTES),
        ),
        key=(0,),
        key_is_ordered=True,
        statement=b"",
    )
    layout = RowLayout.of(table)
    assert layout.kinds == bytes((1, 3, 3))
    assert layout.column_count == 3
    assert layout.key == (0,)


def test_a_space_parts_the_introducer_from_its_literal() -> None:
    """A server reads _cp932X'8790' as a name and a string."""
    column = Column("note", "text", ValueKind.BYTES, "_cp932")
    plain = Column("token", "blob", ValueKind.BYTES)
    table = TableDefinition("", "t", (column, plain), (), False, b"")
    assert RowLayout.of(table).introducers == (b"_cp932 ", b"")
