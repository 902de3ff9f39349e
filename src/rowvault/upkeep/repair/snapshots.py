"""Makes the rest of a snapshot that has lost blocks into a snapshot of its own."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rowvault.codec import kernel
from rowvault.codec.chunker import LAST_FRAGMENT, WHOLE_ROWS, Cutter, RawBlock
from rowvault.codec.frames import BlockType
from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import RENDERER_VERSION
from rowvault.codec.rows import RowBatch
from rowvault.core.ids import BlockId
from rowvault.repository.blocks.delta_chain import UsableChains
from rowvault.repository.records.snapshot import Snapshot, SnapshotDraft
from rowvault.repository.repository import Repository
from rowvault.repository.session import WriteSession
from rowvault.repository.trees.gaps import Gap, joined, key_columns, pieces, range_text
from rowvault.repository.trees.manifest import (
    ManifestRow,
    ManifestWriter,
    TableRecord,
    decode_record,
    split_rows,
)
from rowvault.repository.trees.node import LeafEntry
from rowvault.repository.trees.tree import TreeRoot, TreeWriter

_MANIFEST_KEY = ("database", "kind", "name")
_SUM_MODULUS = 1 << 256
_TOLD = 200
"""So many losses of a snapshot are told one by one."""


class Losses:
    """What snapshots have lost. Every pack that the index lists must have been verified."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._chains = UsableChains(repository.internals.blocks, lambda location: True)
        self._whole: set[BlockId] = set()
        """Roots of tables that lost nothing."""

    def is_lost(self, block_id: BlockId) -> bool:
        """Whether no pack holds this data block, with all that it builds on."""
        found = self._repository.internals.index.find(BlockType.DATA, block_id)
        return not any(self._chains.holds(block_id, location) for location in found)

    def table(self, record: TableRecord) -> list[Gap]:
        """The key ranges that are lost."""
        if record.root.id in self._whole:
            return []
        reader = self._repository.tree(record.root)
        found = [one for one in pieces(reader, self.is_lost) if isinstance(one, Gap)]
        if not found:
            self._whole.add(record.root.id)
        return list(joined(found))

    def manifest(self, root: TreeRoot) -> Iterator[ManifestRow | Gap]:
        """The rows of a manifest that are there, and what is missing between them."""
        parts: list[bytes] = []
        for piece in pieces(self._repository.tree(root), self.is_lost):
            if isinstance(piece, Gap):
                yield piece
                continue
            entry, _ = piece
            parts.append(self._repository.read_data(entry.id))
            if entry.fragment in (WHOLE_ROWS, LAST_FRAGMENT):
                yield from split_rows(b"".join(parts))
                parts = []

    def of(self, snapshot: Snapshot) -> tuple[list[str], list[str]]:
        """(lost definitions, lost rows with their tables), in words; both empty: it is whole."""
        definitions: list[Gap] = []
        rows: list[str] = []
        for one in self.manifest(snapshot.manifest):
            if isinstance(one, Gap):
                definitions.append(one)
                continue
            record = decode_record(one)
            if isinstance(record, TableRecord):
                label = record.definition.label
                rows += [f"{label}: {note}" for note in row_notes(record, self.table(record))]
        return [_definition_note(gap) for gap in joined(definitions)], rows


class SnapshotRest:
    """Stores what is left of one snapshot through a session."""

    def __init__(self, repository: Repository, session: WriteSession, losses: Losses) -> None:
        self._repository = repository
        self._session = session
        self._losses = losses

    def store(self, snapshot: Snapshot, told: tuple[list[str], list[str]]) -> SnapshotDraft | None:
        """The draft of the rest, which names what is lost; None where nothing is left."""
        manifest = ManifestWriter(self._session)
        tables = rows = raw_bytes = kept = 0
        for one in self._losses.manifest(snapshot.manifest):
            if isinstance(one, Gap):
                continue
            kept += 1
            record = decode_record(one)
            if not isinstance(record, TableRecord):
                manifest.add_object(record.definition)
                continue
            record = self._rest_of(record)
            manifest.add_table(
                record.definition, record.root, record.row_sum, record.renderer, record.notes
            )
            tables += 1
            rows += record.root.sums.rows
            raw_bytes += record.root.sums.raw_bytes
        if not kept:
            return None
        draft = {name: getattr(snapshot, name) for name in SnapshotDraft.__struct_fields__}
        draft |= {"manifest": manifest.finish(), "tables": tables, "rows": rows}
        draft |= {"raw_bytes": raw_bytes, "mends": snapshot.id}
        draft["losses"] = (*snapshot.losses, *_bounded(told[0]))
        lost = _bounded([*told[0], *told[1]])
        draft["warnings"] = (*snapshot.warnings, *lost)
        draft["missing"] = (*snapshot.lacks, *lost)
        return SnapshotDraft(**draft)

    def _rest_of(self, record: TableRecord) -> TableRecord:
        gaps = self._losses.table(record)
        if not gaps:
            return record
        root, row_sum = self._cut_anew(record)
        notes = (*record.notes, *_bounded(row_notes(record, gaps)))
        return msgspec.structs.replace(
            record, root=root, row_sum=row_sum, renderer=RENDERER_VERSION, notes=notes
        )

    def _cut_anew(self, record: TableRecord) -> tuple[TreeRoot, bytes]:
        """The tree that a table of just these rows has, so that a restore proves equal to it."""
        layout = RowLayout.of(record.definition)
        cutter = Cutter(layout, self._repository.cut_rule)
        tree = TreeWriter(self._session.put_node, self._repository.node_rule)
        row_sum = 0
        for raw in self._row_runs(record):
            batch = RowBatch(raw, kernel.row_ends(raw, layout.column_count))
            row_sum += self._add(tree, cutter.feed(batch))
        row_sum += self._add(tree, cutter.finish())
        return tree.finish(), (row_sum % _SUM_MODULUS).to_bytes(32, "little")

    def _row_runs(self, record: TableRecord) -> Iterator[bytes]:
        parts: list[bytes] = []
        for piece in pieces(self._repository.tree(record.root), self._losses.is_lost):
            if isinstance(piece, Gap):
                continue
            parts.append(self._repository.read_data(piece[0].id))
            if piece[0].fragment in (WHOLE_ROWS, LAST_FRAGMENT):
                yield b"".join(parts)
                parts = []

    def _add(self, tree: TreeWriter, blocks: list[RawBlock]) -> int:
        for block in blocks:
            tree.add(
                LeafEntry(
                    block.first_key,
                    self._session.put_data(block.raw),
                    len(block.raw),
                    block.row_count,
                    block.rendered_bytes,
                    block.fragment,
                )
            )
        return sum(int.from_bytes(block.row_sum, "little") for block in blocks)


def row_notes(record: TableRecord, gaps: list[Gap]) -> list[str]:
    """Lost key ranges of a table, in words."""
    columns = key_columns(record.definition)
    return [f"rows {range_text(columns, gap)} are lost ({_up_to(gap.rows)})" for gap in gaps]


def _definition_note(gap: Gap) -> str:
    return f"definitions {range_text(_MANIFEST_KEY, gap)} are lost, tables with all their rows"


def _up_to(rows: int) -> str:
    return "1 row at most" if rows == 1 else f"{rows:,} rows at most"


def _bounded(messages: list[str]) -> list[str]:
    if len(messages) <= _TOLD:
        return messages
    return [*messages[:_TOLD], f"and {len(messages) - _TOLD} more losses like these"]
