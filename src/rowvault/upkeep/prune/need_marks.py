"""Marks what snapshots need, for a prune: their blocks, and what the frames of those build on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from rowvault.codec.frames import BlockType
from rowvault.core.errors import DamageError, MissingError, UnsupportedFormatError
from rowvault.core.ids import BlockId, PackName, SnapshotId
from rowvault.core.monitor import Monitor
from rowvault.repository.index.index import Location
from rowvault.repository.index.proven import ProvenIndex
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.upkeep.delta_base_marks import BaseMarker
from rowvault.upkeep.live_blocks import LiveMarks, SnapshotWalk

_TOLD = 5
"""So many damages are told; a check names all."""

_Visit = Callable[[Snapshot, BlockType, Sequence[BlockId]], Sequence[bool]]
"""Told of blocks and of the snapshot that refers to them; for each False: it was there before."""


def refuse(damage: Sequence[DamageError | UnsupportedFormatError]) -> None:
    """Raises the damage, if there is any: nothing goes where it cannot be told what is needed."""
    if not damage:
        return
    told = "; ".join(str(one) for one in damage[:_TOLD])
    more = f"; and {len(damage) - _TOLD} more" if len(damage) > _TOLD else ""
    raise type(damage[0])(
        f"{told}{more}. Nothing was removed, for what is needed cannot be told. `rowvault check` "
        "names all damage: bring the objects back from a copy of the repository, or let go of "
        "what is lost by `rowvault repair`."
    ) from damage[0]


class NeedMarks:
    """What the snapshots of one repository need, by records that are proven.

    Where a block is in no pack, or a chain cannot be followed, methods raise DamageError.
    """

    def __init__(self, repository: Repository, proven: ProvenIndex, monitor: Monitor) -> None:
        self._internals = repository.internals
        self._proven = proven
        self._monitor = monitor
        self._walk = SnapshotWalk(repository.read_data, repository.read_node)
        self._unlisted_nodes: set[BlockId] = set()
        self._marks = LiveMarks(())
        self.walked: set[SnapshotId] = set()
        """Snapshots that were looked at."""

    def mark_all(self, snapshots: Iterable[Snapshot]) -> LiveMarks:
        """Marks over the records as they are now. Raises DamageError, StorageError."""
        marks = self._marks = LiveMarks(self._proven.segments)

        def visit(snapshot: Snapshot, kind: BlockType, ids: Sequence[BlockId]) -> list[bool]:
            return [
                not before if listed else self._is_new_unlisted(snapshot, kind, block_id)
                for block_id, (listed, before) in zip(ids, marks.mark(kind, ids), strict=True)
            ]

        self._mark(snapshots, visit)
        marker = BaseMarker(marks, self._proven, self._internals.blocks)
        marker.mark_all()
        refuse(marker.damage)
        return marks

    def since(self, snapshots: Iterable[Snapshot], condemned: set[PackName]) -> set[PackName]:
        """Condemned packs with any copy of what these need and was not marked before.

        Raises DamageError, StorageError.
        """
        marks = self._marks
        rescued: set[PackName] = set()
        marker = BaseMarker(marks, self._proven, self._internals.blocks)

        def rescue(block_id: bytes, places: Sequence[Location]) -> None:
            rescued.update(condemned.intersection(place.pack for place in places))

        def is_new(snapshot: Snapshot, kind: BlockType, block_id: BlockId, listed: bool) -> bool:
            rescue(block_id, self._proven.find(kind, block_id))
            if kind is BlockType.DATA:
                marker.mark_below(block_id, rescue)
            return listed or self._is_new_unlisted(snapshot, kind, block_id)

        def visit(snapshot: Snapshot, kind: BlockType, ids: Sequence[BlockId]) -> list[bool]:
            return [
                not before and is_new(snapshot, kind, block_id, listed)
                for block_id, (listed, before) in zip(ids, marks.mark(kind, ids), strict=True)
            ]

        self._mark(snapshots, visit)
        refuse(marker.damage)
        return rescued

    def _mark(self, snapshots: Iterable[Snapshot], visit: _Visit) -> None:
        for snapshot in snapshots:
            self._monitor.item(f"snapshot {snapshot.id}")
            try:
                self._walk.walk(snapshot, partial(visit, snapshot))
            except DamageError as error:
                refuse([error])
            self.walked.add(snapshot.id)

    def _is_new_unlisted(self, snapshot: Snapshot, kind: BlockType, block_id: BlockId) -> bool:
        """Of a block that was not listed when marking began."""
        if not self._proven.find(kind, block_id):
            claimed = sorted({place.pack for place in self._internals.index.find(kind, block_id)})
            where = f"pack {', '.join(claimed)} alone, which is damaged" if claimed else "no pack"
            raise MissingError(
                f"snapshot {snapshot.id} refers to {kind.name.lower()} block {block_id.hex()}, "
                f"which is in {where}"
            )
        if kind is not BlockType.NODE or block_id in self._unlisted_nodes:
            return False
        self._unlisted_nodes.add(block_id)
        return True
