"""The manifest: everything a snapshot holds, as a table of its own (docs/format.md, "Manifest").

Its rows have four columns, database, kind, name and value, the first three of which are the key;
rows stand in the byte order of their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

import msgspec

from rowvault.codec import kernel
from rowvault.codec.chunker import FIRST_FRAGMENT, LAST_FRAGMENT, WHOLE_ROWS, Cutter, RawBlock
from rowvault.codec.layout import CutRule, RowLayout
from rowvault.codec.rows import encode_batch, encode_row
from rowvault.core.decoding import decode_msgpack
from rowvault.core.errors import CorruptError, UnsupportedFormatError
from rowvault.core.ids import BlockId
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition, ValueKind
from rowvault.core.versions import reader_of
from rowvault.repository.trees.node import LeafEntry, NodeRule
from rowvault.repository.trees.node_cache import NodeCache
from rowvault.repository.trees.tree import TreeReader, TreeRoot, TreeWriter

_COLUMNS = 4
_KEY = (0, 1, 2)
LAYOUT = RowLayout(
    kinds=bytes((ValueKind.BYTES,)) * _COLUMNS, introducers=(b"",) * _COLUMNS, key=_KEY
)
_BATCH_ROWS = 64
_KINDS = frozenset(kind.value for kind in ObjectKind)

Record = TypeVar("Record", bound=msgspec.Struct)


class TableRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A table in a snapshot."""

    definition: TableDefinition
    root: TreeRoot
    row_sum: bytes
    """32 bytes, little-endian: the sum of all rows' keyed hashes modulo 2^256."""
    renderer: int
    """Version of the rendering that `rendered_bytes` are counted in."""
    notes: tuple[str, ...] = ()
    """What a person should know of this table's copy."""


class ObjectRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is not a table."""

    definition: ObjectDefinition


class _Head(msgspec.Struct, frozen=True):
    """Read first, so that a later version is refused by its number and not as damage."""

    version: int = 1
    """Records of the first version state none."""


class ManifestSink(Protocol):
    """Where blocks and nodes are put, and how they are cut: a session."""

    manifest_cut_rule: CutRule
    node_rule: NodeRule

    def put_data(self, raw: bytes) -> BlockId:
        """The data block's id."""
        ...

    def put_node(self, raw: bytes) -> BlockId:
        """The node's id."""
        ...


class ManifestWriter:
    """Collects records in any order, and writes the manifest's blocks and tree at the end."""

    def __init__(self, sink: ManifestSink) -> None:
        self._sink = sink
        self._cutter = Cutter(LAYOUT, sink.manifest_cut_rule)
        self._tree = TreeWriter(sink.put_node, sink.node_rule)
        self._rows: dict[bytes, tuple[bytes, bytes, bytes, bytes]] = {}

    def add_table(
        self,
        definition: TableDefinition,
        root: TreeRoot,
        row_sum: bytes,
        renderer: int,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Adds a table, see TableRecord. Raises ValueError when it is there already."""
        record = TableRecord(
            definition=definition, root=root, row_sum=row_sum, renderer=renderer, notes=notes
        )
        self._add(definition.database, ObjectKind.TABLE, definition.name, record)

    def add_object(self, definition: ObjectDefinition) -> None:
        """Adds anything else. Raises ValueError when it is there already."""
        record = ObjectRecord(definition=definition)
        self._add(definition.database, definition.kind, definition.name, record)

    def finish(self) -> TreeRoot:
        """The manifest's root."""
        keys = sorted(self._rows)
        for start in range(0, len(keys), _BATCH_ROWS):
            batch = encode_batch(self._rows[key] for key in keys[start : start + _BATCH_ROWS])
            self._store(self._cutter.feed(batch))
        self._store(self._cutter.finish())
        return self._tree.finish()

    def _add(self, database: str, kind: ObjectKind, name: str, record: msgspec.Struct) -> None:
        row = (
            database.encode(),
            kind.value.encode(),
            name.encode(),
            msgspec.msgpack.encode(record, order="deterministic"),
        )
        key = encode_row(row[:3])
        if key in self._rows:
            raise ValueError(f"the manifest holds {kind} {database}.{name} already")
        self._rows[key] = row

    def _store(self, blocks: Iterable[RawBlock]) -> None:
        for block in blocks:
            self._tree.add(
                LeafEntry(
                    first_key=block.first_key,
                    id=self._sink.put_data(block.raw),
                    raw_bytes=len(block.raw),
                    row_count=block.row_count,
                    rendered_bytes=block.rendered_bytes,
                    fragment=block.fragment,
                )
            )


class Manifest:
    """Reads a manifest; nothing is read before it is asked for. All methods raise DamageError."""

    def __init__(
        self,
        read_data: Callable[[BlockId], bytes],
        read_node: Callable[[BlockId], bytes],
        root: TreeRoot,
        kept: NodeCache | None = None,
    ) -> None:
        self._read_data = read_data
        self.tree = TreeReader(read_node, root, kept)

    def tables(self, database: str | None = None) -> Iterator[TableRecord]:
        """All tables, or those of one database, in the order of their keys."""
        for kind, value in self._rows(database):
            if kind == ObjectKind.TABLE:
                yield _decode(value, TableRecord)

    def names(self) -> Iterator[tuple[ObjectKind, str, str]]:
        """(kind, database, name) of tables and everything else; no definition is decoded."""
        for database, kind, name, _ in read_rows(self._read_data, self.tree.entries()):
            yield _kind(_text(kind)), _text(database), _text(name)

    def objects(self, database: str | None = None) -> Iterator[ObjectDefinition]:
        """Everything else, or that of one database, in the order of the keys."""
        for kind, value in self._rows(database):
            if kind != ObjectKind.TABLE:
                yield _decode_object(kind, value).definition

    def table(self, database: str, name: str) -> TableRecord | None:
        """One table, None where the snapshot does not hold it. Reads one block and its path."""
        key = (database.encode(), ObjectKind.TABLE.value.encode(), name.encode())
        encoded = encode_row(key)
        for row in read_rows(self._read_data, self.tree.covering(encoded, encoded)):
            if row[:3] == key:
                return _decode(row[3], TableRecord)
        return None

    def databases(self) -> list[str]:
        """The names of all databases that hold anything, sorted."""
        rows = read_rows(self._read_data, self.tree.entries())
        # Users and grants belong to no database.
        return sorted({_text(row[0]) for row in rows if row[0]})

    def _rows(self, database: str | None) -> Iterator[tuple[str, bytes]]:
        """(kind, value) of each row."""
        if database is None:
            entries = self.tree.entries()
        else:
            low = encode_row((database.encode(),))
            entries = self.tree.covering(low, low + b"\xff")  # above any length that can follow
        for row in read_rows(self._read_data, entries):
            if database is None or row[0] == database.encode():
                yield _text(row[1]), row[3]


ManifestRow = tuple[bytes, bytes, bytes, bytes]


def read_rows(
    read_data: Callable[[BlockId], bytes], entries: Iterable[LeafEntry]
) -> Iterator[ManifestRow]:
    """The manifest rows of these blocks; fragments of one row are joined.

    A range may begin within a row, which is then left out. Raises DamageError.
    """
    parts: list[bytes] | None = None
    for entry in entries:
        if entry.fragment <= FIRST_FRAGMENT:
            parts = []
        if parts is None:
            continue
        parts.append(read_data(entry.id))
        if entry.fragment in (WHOLE_ROWS, LAST_FRAGMENT):
            yield from split_rows(b"".join(parts))
            parts = None


def decode_record(row: ManifestRow) -> TableRecord | ObjectRecord:
    """The record of a manifest row. Raises CorruptError, UnsupportedFormatError."""
    if row[1] == ObjectKind.TABLE.value.encode():
        return _decode(row[3], TableRecord)
    return _decode_object(row[1].decode("utf-8", "replace"), row[3])


def split_rows(raw: bytes) -> Iterator[ManifestRow]:
    """The manifest rows in whole bytes. Raises CorruptError."""
    try:
        rows = kernel.row_values(raw, _COLUMNS)
    except ValueError as error:
        raise CorruptError(f"a manifest's rows are malformed: {error}") from error
    for database, kind, name, value in rows:
        if database is None or kind is None or name is None or value is None:
            raise CorruptError("a manifest row holds NULL")
        yield database, kind, name, value


def _decode_object(kind: str, value: bytes) -> ObjectRecord:
    _kind(kind)
    return _decode(value, ObjectRecord)


def _kind(name: str) -> ObjectKind:
    if name not in _KINDS:
        raise UnsupportedFormatError(
            f"the snapshot holds a {name!r}, a kind of object that this version does not know; "
            "use a newer rowvault"
        )
    return ObjectKind(name)


def _decode(value: bytes, record_type: type[Record]) -> Record:
    try:
        version = decode_msgpack(value, _Head).version
        return reader_of(_READERS, version, "a manifest record")(value, record_type)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptError(f"a manifest record cannot be read: {error}") from error


def _decode_first(value: bytes, record_type: type[Record]) -> Record:
    """Of version 1."""
    return decode_msgpack(value, record_type)


class _RecordReader(Protocol):
    """Reads records of one version."""

    def __call__(self, value: bytes, record_type: type[Record], /) -> Record: ...


_READERS: dict[int, _RecordReader] = {1: _decode_first}
"""Version -> its reader; a new version is put beside the others."""


def _text(field: bytes) -> str:
    try:
        return field.decode()
    except UnicodeDecodeError as error:
        raise CorruptError(f"a manifest row holds a name that is no text: {error}") from error
