"""What the kernel has to know of a table: how many columns, how each renders, which are the key."""

from __future__ import annotations

import msgspec

from rowvault.core.model import TableDefinition


class RowLayout(msgspec.Struct, frozen=True):
    """The shape of a table's rows, in the kernel's terms."""

    kinds: bytes
    """One ValueKind number per column."""
    introducers: tuple[bytes, ...]
    """Per column: the bytes in front of X'...', mostly empty."""
    key: tuple[int, ...]
    """Column indices in key order; empty: the whole row is the key."""

    @property
    def column_count(self) -> int:
        """How many fields a row has."""
        return len(self.kinds)

    @classmethod
    def of(cls, table: TableDefinition) -> RowLayout:
        """The layout of a table's stored columns."""
        return cls(
            kinds=bytes(column.kind for column in table.columns),
            # A space, because `_cp932X'...'` would be one name and a string.
            introducers=tuple(
                f"{column.introducer} ".encode() if column.introducer else b""
                for column in table.columns
            ),
            key=table.key,
        )


class CutRule(msgspec.Struct, frozen=True):
    """Where blocks end: sizes in raw bytes, and the secrets that decide."""

    minimum: int
    scale: int
    """The scale of the Weibull distribution; the mean block is 0.906 of it."""
    maximum: int
    cut_key: bytes
    """16 bytes: SipHash-2-4 over a row's key decides whether a block ends behind it."""
    row_key: bytes
    """16 bytes: keys the hash of each row, whose sum stands for the set of rows."""
    gear_key: bytes
    """32 bytes: seeds the gear table that cuts rows larger than `maximum`."""
