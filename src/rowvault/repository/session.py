"""A write session: blocks in, packs and index out, and one commit that makes a snapshot of them.

Write order: packs, index segments, commit. State shared between threads:

| state | guarded by |
|---|---|
| `_new`, `stats` | `_known_lock` |
| `_usable_packs` | `_packs_lock` |
| `_open`, order of packs | `_pack_lock` |
| `_unindexed` | written by the pack writer's thread, read after that has ended or by itself |
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Container, Iterable, Sequence, Set
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

import msgspec

from rowvault.codec.compression import DEFAULT_LEVEL
from rowvault.codec.frames import MAXIMUM_DEPTH, BlockType, FrameHeader, encode_payload
from rowvault.codec.layout import CutRule
from rowvault.core.errors import (
    CorruptError,
    DamageError,
    ObjectMissingError,
    RepositoryError,
    StorageError,
    UnsupportedFormatError,
)
from rowvault.core.ids import BlockId, PackName, SessionId, SnapshotId
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.blocks.delta_chain import DeltaMaker, NewBlock, UsableChains
from rowvault.repository.blocks.reader import BlockReader
from rowvault.repository.crypto.secrets import IdMaker
from rowvault.repository.features import ARRANGED_BASES, DELTAS, Feature
from rowvault.repository.index.adoption import SEGMENT_RECORDS, adoptable, listed_packs, superseded
from rowvault.repository.index.footer_claims import FooterClaims
from rowvault.repository.index.index import BlockIndex, Location, StoredPack, segment_name, unlisted
from rowvault.repository.index.proven import ProvenIndex
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import OpenPack, PackKeys
from rowvault.repository.packs.read_ahead import FrameReadAhead
from rowvault.repository.packs.writer import PackWriter
from rowvault.repository.records.ledger import Change, ChangeKind
from rowvault.repository.records.live_session import LiveSession
from rowvault.repository.records.prune_ledger import HOLDERS, PruneLedger
from rowvault.repository.records.snapshot import Snapshot, SnapshotDraft
from rowvault.repository.records.snapshot_store import SnapshotStore
from rowvault.repository.trees.node import NodeRule
from rowvault.storage.protocol import Storage

_log = logging.getLogger(__name__)

_PACK_TYPE = {BlockType.DATA: PackType.DATA, BlockType.NODE: PackType.TREE}
Previous = Callable[[], Sequence[bytes]]
"""Asked what the parent snapshot has at a block's place: the first halves of the ids of at most two
blocks, that of which the block holds most first."""


class SessionStats(msgspec.Struct):
    """What a session has done so far."""

    blocks: int = 0
    """Data blocks that were put, also those that were there."""
    new_blocks: int = 0
    """Data blocks that were not there."""
    raw_new_bytes: int = 0
    """Raw bytes of the new blocks."""
    stored_bytes: int = 0
    """Growth of the repository's files: packs, index, and in the end snapshot and tags."""


class RepositoryInternals(msgspec.Struct, frozen=True):
    """What a session needs of its repository."""

    storage: Storage
    keys: PackKeys
    index: BlockIndex
    blocks: BlockReader
    snapshot_store: SnapshotStore
    prune_ledger: PruneLedger
    make_id: IdMaker
    pack_bytes: int
    manifest_cut_rule: CutRule
    node_rule: NodeRule
    features: Container[Feature]
    """Those that the repository has, once a session has begun; a writer keeps to them."""


class Session(Protocol):
    """What an engine needs of a session, be it a WriteSession or a DrySession."""

    stats: SessionStats
    manifest_cut_rule: CutRule
    node_rule: NodeRule
    parent: SnapshotId | None
    """The snapshot that the run builds on, which was there after the run began."""

    def put_data(self, raw: bytes, column_count: int = 0, base: Previous | None = None) -> BlockId:
        """The data block's id; `column_count` where it is whole rows of so many columns.

        `base` tells what the parent snapshot has at its place.
        """
        ...

    def put_node(self, raw: bytes) -> BlockId:
        """The tree node's id."""
        ...

    def end_data(self) -> None:
        """No data block follows, so the last ones may be written while the caller goes on."""
        ...

    def commit(self, draft: SnapshotDraft, tags: Iterable[str] = ()) -> Snapshot | None:
        """The snapshot; None where nothing is stored."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class WriteSession:
    """One run that writes; leaving it without a commit aborts it. `put_*` from any thread."""

    def __init__(
        self,
        internals: RepositoryInternals,
        command: str,
        monitor: Monitor,
        level: int = DEFAULT_LEVEL,
        parent: SnapshotId | None = None,
    ) -> None:
        self.stats = SessionStats()
        self.manifest_cut_rule = internals.manifest_cut_rule
        self.node_rule = internals.node_rule
        self._internals = internals
        self._monitor = monitor
        self._level = level
        self._new: set[bytes] = set()
        self._usable_packs: dict[PackName, int] = {}
        bases = BlockReader(
            FrameReadAhead(internals.storage), internals.keys, internals.index, internals.make_id
        )
        self._chains = UsableChains(bases, self._is_usable)
        self._deltas = DeltaMaker(
            bases,
            internals.index,
            self._chains,
            monitor,
            states_arrangements=ARRANGED_BASES in internals.features,
        )
        self._all_packs_are_there = False
        self._merges = True
        self._known_lock = threading.Lock()
        self._packs_lock = threading.Lock()
        self._pack_lock = threading.Lock()
        self._open: dict[PackType, OpenPack] = {}
        self._unindexed: list[StoredPack] = []
        self._ended = False
        self._broken = False
        self.adopted_packs = 0
        """Packs that no segment listed when the session began, and that one of its own lists."""
        self.false_claims: Sequence[CorruptError] = ()
        """Why segments that were removed when the session began had been forged or damaged."""
        self._footers = FooterClaims(internals.storage, internals.keys)
        # A prune or a repair has its own way to watch.
        live = internals.snapshot_store.remove_dead_sessions(by_observation=command not in HOLDERS)
        self._object = LiveSession(internals.storage, internals.snapshot_store, command, parent)
        self.id: SessionId = self._object.id
        self._condemned: frozenset[PackName] = frozenset()
        self.parent: SnapshotId | None = None
        """The snapshot that the run builds on, unless it was gone before the run began."""
        self._look_at_the_repository(parent, live)
        self._writer = PackWriter(internals.storage, internals.keys, self._pack_stored)

    def _look_at_the_repository(self, parent: SnapshotId | None, live: set[SessionId]) -> None:
        """Behind the session's beginning: no prune that has not seen it removes what it finds."""
        try:
            if parent is not None and self._internals.snapshot_store.is_listed(parent):
                self.parent = parent
            self._learn_what_is_condemned()
            self._adopt_packs(live)
        except BaseException:
            self._object.withdraw()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._ended:
            self.abort()

    def put_data(self, raw: bytes, column_count: int = 0, base: Previous | None = None) -> BlockId:
        """Stores a data block unless it is there; its id. Raises StorageError.

        `column_count` where it is whole rows of so many columns: they take less room then.
        `base`: what the parent of this session has at the block's place; it may be asked for a
        block that is new, or is there as a delta, and the answer must not change meanwhile.
        """
        return self._put(BlockType.DATA, raw, column_count, base)

    def put_node(self, raw: bytes) -> BlockId:
        """Stores a tree node unless it is there; its id. Raises StorageError."""
        return self._put(BlockType.NODE, raw)

    def put_frame(self, header: FrameHeader, payload: bytes) -> bool:
        """Stores a frame of another pack, as it is, unless one that is no deeper is there.

        Whether it was stored. Another one counts only after it was read and gave the block. Its
        base is the caller's affair. Raises StorageError.
        """
        found = self._internals.index.find(header.type, header.id)
        if any(
            one.depth <= header.depth
            and self._is_usable(one)
            and self._internals.blocks.is_whole(header.id, one)
            for one in found
        ):
            return False
        with self._known_lock:
            if header.id in self._new:
                return False
            self._new.add(header.id)
        self._append(header, payload)
        return True

    def move_frame(self, header: FrameHeader, payload: bytes) -> None:
        """Stores a frame as it is, wherever else its block stands. Raises StorageError."""
        self._append(header, payload)

    def distrust(self, packs: Set[PackName]) -> None:
        """From now on blocks that only these packs hold are stored again."""
        self._condemned = self._condemned | packs
        self._chains.forget()

    def keep_segments_apart(self) -> None:
        """From now on no segments are merged: a prune is about to replace some."""
        self._merges = False

    def end_data(self) -> None:
        """Has the last data blocks written in the background. Raises what failed before.

        All `put_data` should have returned; what one puts all the same goes into one more pack.
        """
        with self._pack_lock:
            self._submit([PackType.DATA])

    def flush(self) -> None:
        """Makes what was put durable and listed. All `put_*` must have returned."""
        self._store_rest()
        self._writer = PackWriter(self._internals.storage, self._internals.keys, self._pack_stored)

    def commit(self, draft: SnapshotDraft, tags: Iterable[str] = ()) -> Snapshot:
        """Makes everything durable, then the snapshot visible in one step.

        All `put_*` must have returned. Raises StorageError, and RepositoryError when somebody has
        ended this session; there is no snapshot then.
        """
        if self._ended or self._broken:
            raise RepositoryError(f"Session {self.id} has failed or ended, so it cannot commit.")
        self._store_rest()
        self._look_at_the_clock(draft.time)
        chosen_tags = tuple(sorted(set(tags)))
        snapshot = self._complete(draft, chosen_tags)
        document = self._object.commit(snapshot, chosen_tags)
        self._ended = True
        try:
            self._internals.snapshot_store.publish(document)
        except StorageError as error:  # committed all the same: whoever comes next publishes it
            self._monitor.warning(
                f"snapshot {snapshot.id} is committed, but not yet published: {error} "
                "The next command on this repository completes that."
            )
        return snapshot

    def abort(self) -> None:
        """Ends the session without a snapshot; packs that are durable serve the next run."""
        if self._ended:
            return
        self._ended = True
        self._writer.abandon()
        self._object.withdraw()

    def _put(
        self, kind: BlockType, raw: bytes, column_count: int = 0, base: Previous | None = None
    ) -> BlockId:
        block_id = self._internals.make_id(kind, raw)
        if self._reserve(kind, block_id, len(raw), base):
            try:
                previous = base() if base is not None and DELTAS in self._internals.features else ()
                new = NewBlock(block_id, raw, column_count)
                frame = self._deltas.make(new, previous) if previous else None
                self._append(*(frame or self._alone(kind, new)))
            except BaseException:
                self._broken = True  # others were told that this block is taken care of
                raise
        return block_id

    def _alone(self, kind: BlockType, new: NewBlock) -> tuple[FrameHeader, bytes]:
        coding, payload = encode_payload(new.raw, self._level, new.column_count)
        return FrameHeader(kind, coding, 0, len(new.raw), len(payload), new.id), payload

    def _reserve(
        self, kind: BlockType, block_id: BlockId, raw_bytes: int, base: Previous | None
    ) -> bool:
        """Whether the caller is the one who has to store the block."""
        is_stored = self._is_stored(kind, block_id, base)
        with self._known_lock:
            counted = kind is BlockType.DATA
            self.stats.blocks += counted
            if is_stored or block_id in self._new:
                return False
            self._new.add(block_id)
            if counted:
                self.stats.new_blocks += 1
                self.stats.raw_new_bytes += raw_bytes
            return True

    def _is_stored(self, kind: BlockType, block_id: BlockId, base: Previous | None) -> bool:
        """Listed in usable packs, with all that it builds on; else the block is stored once more.

        What the parent refers to is kept whole by every prune, so a delta that stands in the
        parent at the same place is not followed to its end.
        """
        found = self._believed_places(kind, block_id)
        if any(not one.depth for one in found):
            return True
        if found and base is not None and self.parent and self._all_packs_are_there:
            is_in_parent = any(block_id.startswith(one) for one in base())
        else:
            is_in_parent = False
        return is_in_parent or any(self._chains.holds(block_id, one) for one in found)

    def _believed_places(self, kind: BlockType, block_id: BlockId) -> list[Location]:
        """Usable places, by records that are sealed, or that the pack's own footer confirms."""
        index = self._internals.index
        found = list(filter(self._is_usable, index.find_sealed(kind, block_id)))
        if found or not index.has_unsealed:
            return found
        usable = filter(self._is_usable, index.find(kind, block_id))
        return [one for one in usable if self._footers.confirms(block_id, one)]

    def _is_usable(self, location: Location) -> bool:
        """In a pack that is there, long enough, and not about to be removed."""
        if location.pack in self._condemned or location.depth > MAXIMUM_DEPTH:
            return False
        with self._packs_lock:
            size = self._usable_packs.get(location.pack)
            if size is None:
                size = self._size_of(location.pack_type, location.pack)
                self._usable_packs[location.pack] = size
        return location.offset + location.frame_bytes <= size

    def _size_of(self, kind: PackType, pack: PackName) -> int:
        try:
            return self._internals.storage.size(names.pack(kind, pack))
        except ObjectMissingError:
            self._monitor.warning(
                f"pack {pack} is missing; its blocks are stored again where they are met. "
                "`rowvault check` names what else is lost."
            )
            return 0

    def _append(self, header: FrameHeader, payload: bytes) -> None:
        pack_type = _PACK_TYPE[header.type]
        with self._pack_lock:
            if self._ended:
                raise RepositoryError(f"Session {self.id} has ended.")
            pack = self._open.get(pack_type)
            if pack is None:
                memory = self._writer.spare_memory()
                pack = OpenPack(pack_type, self.id, self._internals.keys, memory)
                self._open[pack_type] = pack
            pack.append(header, payload)
            if pack.size >= self._internals.pack_bytes:
                del self._open[pack_type]
                # Under the lock: memory stays bounded when the disk is slower than the workers.
                self._writer.submit(pack)

    def _pack_stored(self, pack: OpenPack, name: PackName, size: int) -> None:
        """On the writer's thread: the pack is durable, so an index segment may name it."""
        self._unindexed.append((pack.type, name, pack.entries))
        with self._known_lock:
            self.stats.stored_bytes += size
        if sum(len(entries) for _, _, entries in self._unindexed) >= SEGMENT_RECORDS:
            self._store_segment()

    def _store_segment(self) -> None:
        packs, self._unindexed = self._unindexed, []
        if not packs:
            return
        stored = self._add_segment(packs)
        with self._known_lock:
            self.stats.stored_bytes += stored
            self._new.difference_update(entry.id for _, _, entries in packs for entry in entries)

    def _add_segment(self, packs: Sequence[StoredPack]) -> int:
        """Stores a segment, and takes it back where somebody has ended this session meanwhile.

        The packs of an ended session may be removed at any time, so nothing may list them anew.
        """
        data = self._internals.index.encode(packs)
        stored = self._internals.index.add(data)
        try:
            self._object.confirm()
        except RepositoryError:
            self._internals.storage.delete(names.segment(segment_name(data)))
            raise
        return stored

    def _store_rest(self) -> None:
        with self._pack_lock:
            self._submit(list(self._open))
        self._writer.finish()
        self._store_segment()
        self._merge_segments()

    def _submit(self, pack_types: Iterable[PackType]) -> None:
        for pack_type in pack_types:
            pack = self._open.pop(pack_type, None)
            if pack is not None:
                self._writer.submit(pack)

    def _merge_segments(self) -> None:
        if self._condemned or not self._merges:
            return  # a prune is about to replace segments that list them
        try:
            self.stats.stored_bytes += self._internals.index.merge()
        except (DamageError, StorageError) as error:  # the index serves as it is
            _log.info("index segments stay apart: %s", error)

    def _complete(self, draft: SnapshotDraft, tags: tuple[str, ...]) -> Snapshot:
        """The document, whose stored_bytes count its own object and those of its tags."""
        snapshot = Snapshot(
            **msgspec.structs.asdict(draft),
            id=SnapshotId(os.urandom(8).hex()),
            session=self.id,
            blocks=self.stats.blocks,
            new_blocks=self.stats.new_blocks,
            stored_bytes=self.stats.stored_bytes,
        )
        snapshot_store = self._internals.snapshot_store
        others = self.stats.stored_bytes
        others += sum(len(snapshot_store.seal_tag(snapshot, tag)) for tag in tags)
        stem = names.snapshot(snapshot.time, snapshot.id).removeprefix(names.SNAPSHOTS)
        others += snapshot_store.ledger.bytes_of(Change(ChangeKind.ADDED, stem, self.id))
        while True:  # a longer figure makes the document longer, at most by a digit or two
            stored_bytes = others + len(snapshot_store.seal_snapshot(snapshot))
            if stored_bytes == snapshot.stored_bytes:
                break
            snapshot = msgspec.structs.replace(snapshot, stored_bytes=stored_bytes)
        self.stats.stored_bytes = snapshot.stored_bytes
        return snapshot

    def _look_at_the_clock(self, time: datetime) -> None:
        """Snapshots are ordered by time, so one from the future stays the newest for a while."""
        newest = self._internals.snapshot_store.newest_name()
        if newest is not None and newest[0] > max(time, datetime.now(UTC)):
            self._monitor.warning(
                f"snapshot {newest[1]} is of {newest[0]:%Y-%m-%d %H:%M:%S} UTC, which this "
                "machine's clock has not reached: `latest` passes it over, and what counts "
                "snapshots does not count it. Look whether the clock is right."
            )

    def _learn_what_is_condemned(self) -> None:
        """What a prune has condemned before this session began, it may remove at any time."""
        generation, self._condemned = self._internals.prune_ledger.condemned()
        if self._condemned:
            self._object.acknowledge(generation)

    def _adopt_packs(self, live: set[SessionId]) -> None:
        """Gives packs that no segment lists a segment: a run was killed, or theirs is damaged.

        Packs are listed before the index is, and packs of live sessions are left to those.
        """
        objects = self._internals.storage.list(names.PACKS)
        index = self._internals.index
        index.refresh()
        there = {name.rpartition("/")[2] for name in objects}
        self._all_packs_are_there = index.packs() <= there
        for damage in index.damage.values():
            if isinstance(damage, DamageError):
                self._monitor.warning(f"{damage}; it is made anew from the packs")
        self.stats.stored_bytes += index.remove_damaged()
        known = index.packs()
        packs = [one for one in unlisted(objects, listed_packs(index))
                 if one[1] not in self._condemned]  # fmt: skip
        internals = self._internals
        for some in adoptable(internals.storage, internals.keys, packs, live, self._left_unused):
            _log.info("adopting %d packs of earlier runs", len(some))
            self.adopted_packs += sum(name not in known for _, name, _ in some)
            self.stats.stored_bytes += self._add_segment(some)
        self._drop_superseded()

    def _left_unused(self, name: PackName, error: DamageError | UnsupportedFormatError) -> None:
        self._monitor.warning(f"left unused: {error}")

    def _drop_superseded(self) -> None:
        """Removes segments that are not sealed, and whose packs sealed ones list."""
        index = self._internals.index
        segments = superseded(index)
        if not segments:
            return
        proven = ProvenIndex(self._internals.storage, self._internals.keys, index)
        proven.refresh({})
        self.false_claims = list(proven.false_claims(segments))
        for error in self.false_claims:
            self._monitor.warning(f"{error}; the segment is removed, and the packs are listed anew")
        for segment in segments:
            self._internals.storage.delete(names.segment(segment.name))
            self.stats.stored_bytes -= segment.stored_bytes
        index.refresh()
