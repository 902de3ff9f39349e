"""Walks every snapshot down to its blocks, each shared subtree once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set

from rowvault.codec.chunker import FIRST_FRAGMENT, LAST_FRAGMENT, WHOLE_ROWS
from rowvault.codec.frames import BlockType
from rowvault.core.ids import BlockId, SnapshotId
from rowvault.core.model import TableDefinition
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.trees.gaps import BAD, Gap, joined, key_columns, range_text
from rowvault.repository.trees.manifest import TableRecord, decode_record, split_rows
from rowvault.repository.trees.node import Entry, InnerEntry, LeafEntry
from rowvault.repository.trees.tree import TreeReader, TreeRoot
from rowvault.upkeep.check.report import CheckError, CheckReport, DamageKind

Reader = Callable[[BlockId], bytes]
Explain = Callable[[BlockType, Sequence[BlockId]], Sequence[str | None]]

_NAMED_RANGES = 8


class TreeCheck:
    """Finds what each snapshot cannot give back, and names it by table and key range."""

    def __init__(
        self, read_data: Reader, read_node: Reader, explain: Explain, report: CheckReport
    ) -> None:
        self._read_data = read_data
        self._read_node = read_node
        self._explain = explain
        self._report = report
        self._whole: set[bytes] = set()
        """Nodes and manifest blocks below which everything can be read."""
        self._found: dict[tuple[str, str], list[SnapshotId]] = {}

    def check(self, snapshot: Snapshot) -> None:
        """Walks one snapshot."""
        parts: list[bytes] = []
        for entry in self._manifest_entries(snapshot):
            raw = self._manifest_block(snapshot, entry)
            if entry.fragment <= FIRST_FRAGMENT:
                parts = []
            if raw is None:
                continue
            parts.append(raw)
            if entry.fragment not in (WHOLE_ROWS, LAST_FRAGMENT):
                continue
            if self._check_rows(snapshot, b"".join(parts)) and entry.fragment == WHOLE_ROWS:
                self._whole.add(entry.id)

    def finish(self, listed: Set[SnapshotId]) -> None:
        """Puts what was found into the report, the snapshots that share it together.

        Those that are not `listed` any more were forgotten, and perhaps pruned, meanwhile.
        """
        for (label, text), found in self._found.items():
            snapshots = [one for one in found if one in listed]
            if not snapshots:
                continue
            where = "snapshot " if len(snapshots) == 1 else "snapshots "
            message = f"{label} in {where}{', '.join(snapshots)}: {text}"
            self._report.errors.append(
                CheckError(DamageKind.UNREADABLE, message, label, tuple(snapshots))
            )

    def _manifest_entries(self, snapshot: Snapshot) -> Iterator[LeafEntry]:
        reader = TreeReader(self._read_node, snapshot.manifest)
        gaps: list[Gap] = []
        for entry in self._readable_leaves(reader, reader.root_entry, None, gaps):
            if entry.id not in self._whole:
                yield entry
        for gap in gaps:
            self._note(snapshot, "manifest", f"a part of it cannot be read ({gap.reason})")

    def _readable_leaves(
        self, reader: TreeReader, entry: InnerEntry, following: bytes | None, gaps: list[Gap]
    ) -> Iterator[LeafEntry]:
        try:
            children = reader.children(entry)
        except BAD as error:
            gaps.append(Gap(entry.first_key, following, entry.sums.entries, str(error)))
            return
        for index, child in enumerate(children):
            behind = children[index + 1].first_key if index + 1 < len(children) else following
            if isinstance(child, LeafEntry):
                yield child
            else:
                yield from self._readable_leaves(reader, child, behind, gaps)

    def _manifest_block(self, snapshot: Snapshot, entry: LeafEntry) -> bytes | None:
        try:
            return self._read_data(entry.id)
        except BAD as error:
            self._note(snapshot, "manifest", f"a part of it cannot be read ({error})")
            return None

    def _check_rows(self, snapshot: Snapshot, raw: bytes) -> bool:
        """Whether everything that these manifest rows describe can be read."""
        whole = True
        try:
            for row in split_rows(raw):
                record = decode_record(row)
                if isinstance(record, TableRecord):
                    whole &= self._check_table(snapshot, record)
        except BAD as error:
            self._note(snapshot, "manifest", str(error))
            return False
        return whole

    def _check_table(self, snapshot: Snapshot, record: TableRecord) -> bool:
        gaps = list(joined(self._gaps(record.root)))
        if not gaps:
            return True
        named = [_describe(record.definition, gap) for gap in gaps[:_NAMED_RANGES]]
        if len(gaps) > _NAMED_RANGES:
            named.append(f"and {len(gaps) - _NAMED_RANGES} more ranges")
        self._note(snapshot, record.definition.label, "; ".join(named))
        return False

    def _gaps(self, root: TreeRoot) -> Iterator[Gap]:
        reader = TreeReader(self._read_node, root)
        return self._gaps_below(reader, reader.root_entry, None)

    def _gaps_below(
        self, reader: TreeReader, entry: InnerEntry, following: bytes | None
    ) -> Iterator[Gap]:
        if entry.id in self._whole:
            return
        try:
            children = reader.children(entry)
        except BAD as error:
            yield Gap(entry.first_key, following, entry.sums.entries, str(error))
            return
        blocks = [child.id for child in children if isinstance(child, LeafEntry)]
        reasons = dict(zip(blocks, self._explain(BlockType.DATA, blocks), strict=True))
        whole = True
        for index, child in enumerate(children):
            behind = children[index + 1].first_key if index + 1 < len(children) else following
            for gap in self._gaps_of(reader, child, behind, reasons):
                whole = False
                yield gap
        if whole:
            self._whole.add(entry.id)

    def _gaps_of(
        self,
        reader: TreeReader,
        child: Entry,
        following: bytes | None,
        reasons: Mapping[BlockId, str | None],
    ) -> Iterator[Gap]:
        if isinstance(child, InnerEntry):
            yield from self._gaps_below(reader, child, following)
            return
        reason = reasons[child.id]
        if reason is not None:
            yield Gap(child.first_key, following, 1, reason)

    def _note(self, snapshot: Snapshot, label: str, text: str) -> None:
        snapshots = self._found.setdefault((label, text), [])
        if snapshot.id not in snapshots:
            snapshots.append(snapshot.id)


def _describe(definition: TableDefinition, gap: Gap) -> str:
    blocks = "1 block" if gap.blocks == 1 else f"{gap.blocks} blocks"
    where = range_text(key_columns(definition), gap)
    return f"rows {where} ({blocks}) cannot be read: {gap.reason}"
