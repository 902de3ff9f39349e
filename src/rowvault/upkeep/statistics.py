"""What a repository's bytes are: by kind of file, by what frames hold, by snapshot.

Exact: every byte of every object stands in one of the sums. Memory: a few bits for each record of
the index, and the ids of the manifests' blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from rowvault.codec.frames import BlockType
from rowvault.core.errors import DamageError, ObjectMissingError, UnsupportedFormatError
from rowvault.core.ids import BlockId, PackName
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.absence import refuse_unexplained_emptiness
from rowvault.repository.index.segment import PREFIX_BYTES, Location
from rowvault.repository.packs.pack import PackEntry, PackReader
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.repository.trees.tree import TreeReader
from rowvault.upkeep.delta_base_marks import BaseMarker
from rowvault.upkeep.live_blocks import LiveMarks, SnapshotWalk

FILE_KINDS = {
    "config": "config",
    "keys": "keys/",
    "data_packs": "packs/data/",
    "tree_packs": "packs/tree/",
    "index": "index/",
    "snapshots": "snapshots/",
    "tags": "tags/",
    "sessions": "sessions/",
    "trash": "trash/",
    "ledger": "ledger/",
    "upkeep": "gc/",
}
"""How each kind of object is called, and where its objects stand."""


@dataclass(slots=True)
class Amount:
    """Blocks, and their sizes in bytes."""

    blocks: int = 0
    raw_bytes: int = 0
    stored_bytes: int = 0
    """Of their frames: header, payload and tag."""

    def add(self, raw_bytes: int, stored_bytes: int) -> None:
        """One block more."""
        self.blocks += 1
        self.raw_bytes += raw_bytes
        self.stored_bytes += stored_bytes


@dataclass(slots=True)
class Stored:
    """Frames by what they hold. A block that stands in several packs counts once as what it is."""

    rows: dict[int, Amount] = field(default_factory=dict)
    """By depth: how many frames each one builds on, one on the other; 0: it stands alone."""
    bases: Amount = field(default_factory=Amount)
    """Rows that no snapshot has any more, and that deltas build on."""
    manifests: Amount = field(default_factory=Amount)
    nodes: Amount = field(default_factory=Amount)
    unused: Amount = field(default_factory=Amount)
    """What is not needed, copies of what stands elsewhere too, and what condemned packs hold."""

    @property
    def all_rows(self) -> Amount:
        """Rows of any depth."""
        total = Amount()
        for one in self.rows.values():
            total.blocks += one.blocks
            total.raw_bytes += one.raw_bytes
            total.stored_bytes += one.stored_bytes
        return total

    @property
    def frame_bytes(self) -> int:
        """Of all frames."""
        parts = (self.all_rows, self.bases, self.manifests, self.nodes, self.unused)
        return sum(part.stored_bytes for part in parts)


@dataclass(frozen=True, slots=True)
class Savings:
    """How the rows of snapshots became the rows that are stored. Sizes in bytes."""

    dedup_bytes: int
    """Rows of snapshots that are the rows of others, or of other tables."""
    compression_bytes: int
    delta_bytes: int
    """Estimated: against the blocks of deltas compressed like those that stand alone."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """A repository, or one snapshot of it. Sizes in bytes."""

    files: dict[str, int]
    """By kind, see FILE_KINDS; and `other`, which is none of ours."""
    snapshots: tuple[Snapshot, ...]
    """All, oldest first."""
    raw_bytes: int
    """Rows of all snapshots, or of the one, as often as they are there."""
    stored: Stored
    """What the snapshots, or the one, need; the rest is unused."""
    unlisted_bytes: int
    """Packs that the index does not list, or that cannot be read."""
    exclusive_bytes: int | None
    """Of one snapshot: frames that no other one needs."""
    needed_bytes: int
    """Frames that a restore of the figures' snapshot reads, each once."""

    @property
    def total_bytes(self) -> int:
        """Of all files."""
        return sum(self.files.values())

    @property
    def overhead_bytes(self) -> int:
        """Of packs: headers and footers."""
        packs = self.files["data_packs"] + self.files["tree_packs"]
        return packs - self.unlisted_bytes - self.stored.frame_bytes

    @property
    def savings(self) -> Savings:
        """Dedup, compression and deltas, each on what the one before left."""
        rows, alone = self.stored.all_rows, self.stored.rows.get(0, Amount())
        delta_raw = rows.raw_bytes - alone.raw_bytes
        ratio = alone.stored_bytes / alone.raw_bytes if alone.raw_bytes else 1.0
        compressed = alone.stored_bytes + round(delta_raw * ratio)
        return Savings(
            self.raw_bytes - rows.raw_bytes,
            rows.raw_bytes - compressed,
            compressed - rows.stored_bytes,
        )


def gather(repository: Repository, chosen: Snapshot | None, monitor: Monitor) -> Statistics:
    """Statistics of all snapshots, or with `chosen` of one and of what only that one needs.

    What cannot be read is warned of and left out. Raises DamageError where a tree cannot be read or
    packs are there without any snapshot, and StorageError.
    """
    gathering = _Gathering(repository, monitor)
    return gathering.run(chosen)


class _Gathering:
    def __init__(self, repository: Repository, monitor: Monitor) -> None:
        self._repository = repository
        self._internals = repository.internals
        self._monitor = monitor
        self._manifest_ids: set[BlockId] = set()

    def run(self, chosen: Snapshot | None) -> Statistics:
        self._monitor.phase("looking at snapshots")
        snapshots = self._repository.snapshots()
        if not snapshots:
            refuse_unexplained_emptiness(self._repository)
        self._internals.index.refresh()
        subject = chosen or (snapshots[-1] if snapshots else None)
        own = self._marks([subject] if subject else [])
        others = self._marks(one for one in snapshots if subject is None or one.id != subject.id)
        needed = [own] if chosen else [own, others]
        self._monitor.phase("looking at packs")
        stored = Stored()
        listed_bytes = self._count_packs(stored, needed)
        files, packs_bytes = self._files()
        return Statistics(
            files=files,
            snapshots=tuple(snapshots),
            raw_bytes=sum(one.raw_bytes for one in ([chosen] if chosen else snapshots)),
            stored=stored,
            unlisted_bytes=packs_bytes - listed_bytes,
            exclusive_bytes=self._marked_bytes(own, others) if chosen else None,
            needed_bytes=self._marked_bytes(own, None),
        )

    def _marks(self, snapshots: Iterable[Snapshot]) -> LiveMarks:
        marks = LiveMarks(self._internals.index.segments)
        walk = SnapshotWalk(self._repository.read_data, self._repository.read_node)

        def visit(kind: BlockType, ids: Sequence[BlockId]) -> list[bool]:
            return [not before for _, before in marks.mark(kind, ids)]

        for snapshot in snapshots:
            self._monitor.item(f"snapshot {snapshot.id}")
            walk.walk(snapshot, visit)
            reader = TreeReader(self._repository.read_node, snapshot.manifest)
            self._manifest_ids.update(entry.id for entry in reader.entries())
        marker = BaseMarker(marks, self._internals.index, self._internals.blocks)
        marker.mark_all()
        for error in marker.damage:
            self._monitor.warning(f"left out: {error}; `rowvault check` tells more")
        return marks

    def _count_packs(self, stored: Stored, marks: Sequence[LiveMarks]) -> int:
        """Bytes of the packs that the index lists and that can be read."""
        listed_bytes = 0
        condemned = self._internals.prune_ledger.condemned()[1]
        for kind, name in sorted(self._internals.index.typed_packs()):
            try:
                pack = PackReader(self._internals.storage, self._internals.keys, kind, name)
                entries = pack.footer()
                listed_bytes += self._internals.storage.size(names.pack(kind, name))
            except (DamageError, UnsupportedFormatError, ObjectMissingError) as error:
                self._monitor.warning(f"left out: {error}; `rowvault check` tells more")
                continue
            for entry, places in self._internals.index.find_entries(entries):
                # Of several frames of one block, one is it and the others are copies.
                is_first = _first(places) == (entry.depth, name, entry.offset)
                counts = name not in condemned and is_first
                part = self._part(stored, entry, marks) if counts else stored.unused
                part.add(entry.raw_bytes, entry.frame_bytes)
        return listed_bytes

    def _part(self, stored: Stored, entry: PackEntry, marks: Sequence[LiveMarks]) -> Amount:
        if not any(one.is_marked(entry.type, entry.id) for one in marks):
            return stored.unused
        if not any(one.is_referred(entry.type, entry.id) for one in marks):
            return stored.bases
        if entry.type is BlockType.NODE:
            return stored.nodes
        if entry.id in self._manifest_ids:
            return stored.manifests
        return stored.rows.setdefault(entry.depth, Amount())

    def _marked_bytes(self, marks: LiveMarks, but: LiveMarks | None) -> int:
        """Frames of what is marked, and not marked in `but`, each block once."""
        total = 0
        for prefix, location in _marked(marks, but):
            places = self._internals.index.find(location.type, BlockId(prefix))
            if _first(places) == (location.depth, location.pack, location.offset):
                total += location.frame_bytes
        return total

    def _files(self) -> tuple[dict[str, int], int]:
        """(bytes by kind, bytes of all packs)."""
        files = dict.fromkeys([*FILE_KINDS, "other"], 0)
        for name in self._internals.storage.list(""):
            try:
                size = self._internals.storage.size(name)
            except ObjectMissingError:
                continue  # somebody else removed it
            files[_kind_of(name)] += size
        return files, files["data_packs"] + files["tree_packs"]


def _first(places: Iterable[Location]) -> tuple[int, PackName, int] | None:
    """Of the places of one block, the one that is taken for it: the least deep, as a prune does."""
    return min(((one.depth, one.pack, one.offset) for one in places), default=None)


def _marked(marks: LiveMarks, but: LiveMarks | None) -> Iterator[tuple[bytes, Location]]:
    """(half of the id, place) of each record that is marked, and not in `but`."""
    for number, segment in enumerate(marks.segments):
        others: Iterable[tuple[bytes, bool]] = but.records(number) if but else repeat((b"", False))
        for (record, is_live), (_, is_elsewhere) in zip(
            marks.records(number), others, strict=False
        ):
            if is_live and not is_elsewhere:
                yield record[:PREFIX_BYTES], segment.decode(record)


def _kind_of(name: str) -> str:
    for kind, prefix in FILE_KINDS.items():
        if name == prefix or (prefix.endswith("/") and name.startswith(prefix)):
            return kind
    return "other"
