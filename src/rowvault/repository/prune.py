"""Reclaims what no snapshot refers to, while others read and write (docs/format.md, "Prune").

1. Mark what the snapshots, and the parents of sessions at work, refer to, and what the frames of
   that build on.
2. Store what is live in packs that are mostly dead once more.
3. Empty the trash; condemn packs by one compare-and-swap of the ledger. Sessions that begin from
   now on rely on none of them.
4. Sessions that were at work before may have relied on them: wait until those have ended, then
   look what the snapshots that they made need; packs that are needed after all are rescued.
5. Take the others out of the index, then delete them.

A run that ends anywhere loses nothing; the next one goes on. One that was thought dead and comes
back fails at its next swap of the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import msgspec

from rowvault.codec.frames import BlockType
from rowvault.core.errors import (
    DamageError,
    ObjectMissingError,
    StorageError,
    UnsupportedFormatError,
)
from rowvault.core.ids import BlockId, PackName, SessionId, SnapshotId
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.absence import unexplained
from rowvault.repository.base_marks import BaseMarker
from rowvault.repository.index import Location
from rowvault.repository.index_removal import remove_packs
from rowvault.repository.live_blocks import LiveMarks, SnapshotWalk
from rowvault.repository.names import PackType
from rowvault.repository.pack import PackReader
from rowvault.repository.prune_plan import PrunePlan, make_plan
from rowvault.repository.prune_report import PruneReport, PruneRequest, describe
from rowvault.repository.renewal import Renewal
from rowvault.repository.repository import Repository
from rowvault.repository.session import WriteSession
from rowvault.repository.session_object import SessionState
from rowvault.repository.snapshot import Snapshot
from rowvault.repository.trash import TrashListing
from rowvault.repository.upkeep_lease import UpkeepLease

COMMAND = "prune"
"""What sessions of prunes state."""


def prune(repository: Repository, request: PruneRequest, monitor: Monitor) -> PruneReport:
    """Reclaims space.

    Raises LockedError while another prune or a repair is at work, DamageError where a snapshot that
    stays cannot be read, or where packs are there without any, StorageError.
    """
    return _Prune(repository, request, monitor).run()


class _Prune:
    """One run of `prune`."""

    def __init__(self, repository: Repository, request: PruneRequest, monitor: Monitor) -> None:
        self._repository = repository
        self._place = repository.place
        self._ledger = self._place.prune_ledger
        self._request = request
        self._monitor = monitor
        self._report = PruneReport()
        self._walk = SnapshotWalk(repository.read_data, repository.read_node)
        self._walked: set[SnapshotId] = set()
        self._unlisted_nodes: set[BlockId] = set()
        self._missing: set[SnapshotId] = set()
        self._lease = UpkeepLease(self._place, request, monitor)

    def run(self) -> PruneReport:
        """See `prune`."""
        self._lease.refuse_if_held()
        for message in self._lease.replaced:
            self._warn(f"{message}; what it condemned is found again")
        if self._request.dry_run:
            self._plan(None)
            return self._report
        with self._repository.begin(COMMAND, self._monitor) as session:
            self._lease.take(session.id)
            try:
                self._work(session)
            finally:
                self._lease.release()
        return self._report

    def _work(self, session: WriteSession) -> None:
        marks, plan, trash = self._plan(session)
        try:
            self._repack(session, marks, plan)
        except StorageError as error:
            plan.repack.clear()  # what is dead altogether can go all the same, and makes room
            self._warn(f"packs that are partly dead stay as they are: {error}")
        self._note_plan(plan)  # some packs may have resisted
        self._report.freed_bytes -= session.figures.stored_bytes
        condemned = self._lease.condemned() - plan.rescued
        fresh = {name for name in {*plan.dead, *plan.repack} if name not in condemned}
        self._empty_trash(trash)
        self._condemn(plan, fresh, plan.rescued, emptied=bool(trash))
        if not self._lease.state.rounds:
            return
        waiting = self._lease.wait()
        if waiting:
            self._report.waits_for = tuple(map(describe, waiting))
            self._report.pending_bytes = sum(
                self._size(kind, name) for kind, name in self._lease.condemned_packs()
            )
            return
        self._sweep(marks)

    # -- marking

    def _plan(
        self, session: WriteSession | None
    ) -> tuple[LiveMarks, PrunePlan, list[TrashListing]]:
        """What to do, as things stand now; with a session, after what it stores anew."""
        if self._request.dry_run:
            sessions = (one for one, _ in self._place.catalogue.sessions())
            live = [one for one in sessions if one.state is SessionState.ACTIVE]
        else:
            live = self._lease.live_sessions()
        parents = {one.parent for one in live}
        roots = self._snapshots()
        self._report.snapshots = len(roots)
        trash = self._repository.trash.listings()
        kept_trash = [one.document.snapshot for one in trash if one.document and one.id in parents]
        emptied = [one for one in trash if one.id not in parents]
        self._report.final = tuple(one.id for one in emptied)
        self._place.index.refresh()
        marks = LiveMarks(self._place.index.segments)
        self._monitor.phase("marking what is needed")
        self._mark([*roots, *kept_trash], self._marker(marks))
        BaseMarker(marks, self._place.index, self._place.blocks).mark_all()
        if self._missing:
            ids = ", ".join(sorted(self._missing))
            self._warn(f"blocks that snapshots {ids} refer to are in no pack; see `rowvault check`")
        if session is not None:
            self._renew(session, marks)
        plan = self._choose(marks, {one.id for one in live})
        if not roots and not trash:
            self._refuse_unexplained(plan)
        return marks, plan, emptied

    def _refuse_unexplained(self, plan: PrunePlan) -> None:
        """Raises MissingError where packs would go, and nobody has forgotten what they are of."""
        going = {*plan.dead, *plan.repack} - self._lease.condemned()
        if going and not self._request.allow_remove_all:
            raise unexplained(self._repository.location, len(going))

    def _renew(self, session: WriteSession, marks: LiveMarks) -> None:
        """Dead blocks on which a single live one builds are not kept for it."""
        index, blocks = self._place.index, self._place.blocks
        try:
            room = self._request.limits.max_repack_bytes
            self._report.renewed_blocks = Renewal(marks, index, blocks, session).run(room)
        except StorageError as error:
            self._warn(f"blocks that build on dead ones stay as they are: {error}")

    def _choose(self, marks: LiveMarks, live: set[SessionId]) -> PrunePlan:
        self._monitor.phase("choosing packs")
        plan = make_plan(
            marks,
            self._request.limits,
            stored=self._stored_packs(),
            condemned=self._lease.condemned(),
            untouchable=lambda kind, name: self._session_of(kind, name) in live,
            is_whole=self._is_whole,
        )
        for place in plan.unreadable:
            self._warn(
                f"pack {place.pack} holds a damaged copy of a block at byte {place.offset}; "
                "another copy is kept"
            )
        self._note_plan(plan)
        if self._request.dry_run:
            going = {*plan.dead, *plan.repack, *(self._lease.condemned() - plan.rescued)}
            sizes = [self._size(plan.uses[name].type, name) for name in going & plan.uses.keys()]
            self._report.freed_bytes = sum(sizes) - plan.repack_bytes
        return plan

    def _note_plan(self, plan: PrunePlan) -> None:
        report = self._report
        report.dead_packs = len(plan.dead)
        report.repacked_packs = len(plan.repack)
        report.repacked_bytes = plan.repack_bytes
        report.unused_bytes = plan.unused_bytes

    def _snapshots(self) -> list[Snapshot]:
        """All snapshots. Raises the damage of one whose needs nobody can tell."""
        found = []
        for listing in self._repository.listings():
            if listing.snapshot is None:
                assert listing.damage is not None
                raise type(listing.damage)(
                    f"{listing.damage}. Nothing was removed, for what that snapshot needs cannot "
                    "be told"
                ) from listing.damage
            found.append(listing.snapshot)
        return found

    def _mark(self, snapshots: Iterable[Snapshot], visit: _Visit) -> None:
        for snapshot in snapshots:
            self._monitor.item(f"snapshot {snapshot.id}")
            self._walk.walk(snapshot, partial(visit, snapshot))
            self._walked.add(snapshot.id)

    def _marker(self, marks: LiveMarks) -> _Visit:
        def visit(snapshot: Snapshot, kind: BlockType, ids: Sequence[BlockId]) -> list[bool]:
            return [
                not before if listed else self._is_new_unlisted(snapshot, kind, block_id)
                for block_id, (listed, before) in zip(ids, marks.mark(kind, ids), strict=True)
            ]

        return visit

    def _is_new_unlisted(self, snapshot: Snapshot, kind: BlockType, block_id: BlockId) -> bool:
        """Of a block that the index did not list when marking began."""
        if not self._place.index.find(kind, block_id):
            self._missing.add(snapshot.id)
        if kind is not BlockType.NODE or block_id in self._unlisted_nodes:
            return False
        self._unlisted_nodes.add(block_id)
        return True

    # -- the work

    def _repack(self, session: WriteSession, marks: LiveMarks, plan: PrunePlan) -> None:
        """Stores the live blocks of partly dead packs once more; packs that resist are kept."""
        if not plan.repack:
            return
        self._monitor.phase("storing live blocks anew")
        session.distrust({*plan.repack, *plan.dead, *self._lease.condemned()} - plan.rescued)
        for name in list(plan.repack):
            try:
                self._copy_live(session, marks, plan, name)
            except (DamageError, UnsupportedFormatError) as error:
                plan.repack.remove(name)
                self._warn(f"pack {name} stays, for it cannot be read whole: {error}")
        session.flush()

    def _copy_live(
        self, session: WriteSession, marks: LiveMarks, plan: PrunePlan, name: PackName
    ) -> None:
        """Moves frames as they are, so that none gets deeper than what builds on it allows."""
        reader = PackReader(self._place.storage, self._place.keys, plan.uses[name].type, name)
        for entry in reader.footer():
            if (name, entry.offset) in plan.spare or not marks.is_marked(entry.type, entry.id):
                continue
            header, payload = reader.read_frame(
                entry.type, entry.id, entry.offset, entry.frame_bytes, entry.depth
            )
            self._monitor.advance(0, len(payload))
            session.put_frame(header, payload)

    def _empty_trash(self, trash: Iterable[TrashListing]) -> None:
        """The ledger first: who publishes one of them only now learns that it is gone."""
        documents = [one.document for one in trash if one.document is not None]
        sessions = [one.snapshot.session for one in documents if one.snapshot.session is not None]
        if sessions:
            self._lease.swap(self._lease.state.with_removed(sessions))
        for one in trash:
            self._place.storage.delete(names.forgotten(one.time, one.id))
            self._place.catalogue.remove_all_tags(one.id)

    def _condemn(
        self, plan: PrunePlan, fresh: set[PackName], rescued: set[PackName], *, emptied: bool
    ) -> None:
        """One swap: the packs of this run join those of earlier ones, without the rescued."""
        packs = {(plan.uses[name].type, name) for name in fresh}
        old = {(kind, name) for kind, name in self._lease.condemned_packs() if name not in rescued}
        if not packs and not old:
            self._drop_rounds(())
            return
        if not packs and not emptied and not rescued:
            return  # what is condemned stays so; sessions that know it need not be waited for
        round_id = self._ledger.create_round(packs | old)
        self._drop_rounds((round_id,), self._lease.state.generation + 1)

    def _drop_rounds(self, rounds: tuple[str, ...], generation: int | None = None) -> None:
        """Puts these in the place of all rounds."""
        if self._lease.state.rounds != rounds:
            self._lease.swap(
                msgspec.structs.replace(
                    self._lease.state,
                    rounds=rounds,
                    generation=self._lease.state.generation if generation is None else generation,
                )
            )
        self._lease.delete_strays()

    def _sweep(self, marks: LiveMarks) -> None:
        """Removes what is condemned and not needed by what was committed meanwhile."""
        self._monitor.phase("removing")
        self._place.index.refresh()
        condemned = self._lease.condemned_packs()
        rescued = self._needed_since(marks, {name for _, name in condemned})
        going = {(kind, name) for kind, name in condemned if name not in rescued}
        self._lease.still_ours()
        storage = self._place.storage
        report = self._report
        report.freed_bytes -= remove_packs(
            storage, self._place.index, {name for _, name in going}, self._lease.still_ours
        )
        for kind, name in sorted(going):
            report.freed_bytes += self._size(kind, name)
            storage.delete(names.pack(kind, name))
            report.removed_packs += 1
        self._drop_rounds(())

    def _needed_since(self, marks: LiveMarks, condemned: set[PackName]) -> set[PackName]:
        """Condemned packs with what a snapshot needs that was not marked before, or its bases."""
        rescued: set[PackName] = set()
        index = self._place.index
        marker = BaseMarker(marks, index, self._place.blocks)

        def rescue(block_id: bytes, places: Sequence[Location]) -> None:
            rescued.update(_only_condemned(places, condemned))

        def is_new(snapshot: Snapshot, kind: BlockType, block_id: BlockId, listed: bool) -> bool:
            rescue(block_id, index.find(kind, block_id))
            if kind is BlockType.DATA:
                marker.mark_below(block_id, rescue)
            return listed or self._is_new_unlisted(snapshot, kind, block_id)

        def visit(snapshot: Snapshot, kind: BlockType, ids: Sequence[BlockId]) -> list[bool]:
            return [
                not before and is_new(snapshot, kind, block_id, listed)
                for block_id, (listed, before) in zip(ids, marks.mark(kind, ids), strict=True)
            ]

        self._mark(self._newer_roots(), visit)
        return rescued

    def _newer_roots(self) -> list[Snapshot]:
        """Snapshots, forgotten ones too, that were not marked.

        Snapshots twice, around the trash: one that comes back meanwhile is seen in one of them.
        """
        roots = {one.id: one for one in self._snapshots()}
        for listing in self._repository.trash.listings():
            if listing.document is not None:
                roots[listing.id] = listing.document.snapshot
        roots |= {one.id: one for one in self._snapshots()}
        return [one for one in roots.values() if one.id not in self._walked]

    # -- packs

    def _stored_packs(self) -> set[PackName]:
        found = set()
        for object_name in self._place.storage.list(names.PACKS):
            try:
                found.add(names.split_pack(object_name)[1])
            except DamageError:
                continue  # not a pack; `check` names it
        return found

    def _session_of(self, kind: PackType, name: PackName) -> SessionId | None:
        try:
            return PackReader(self._place.storage, self._place.keys, kind, name).header.session
        except (DamageError, UnsupportedFormatError):
            return None

    def _is_whole(self, place: Location) -> bool:
        """Whether a frame holds the block that its header names."""
        return self._place.blocks.is_whole(b"", place)

    def _size(self, kind: PackType, name: PackName) -> int:
        try:
            return self._place.storage.size(names.pack(kind, name))
        except ObjectMissingError:
            return 0  # a run before this one removed it

    def _warn(self, message: str) -> None:
        self._report.warnings.append(message)
        self._monitor.warning(message)


def _only_condemned(places: Sequence[Location], condemned: set[PackName]) -> set[PackName]:
    """The condemned packs with a block's least deep frames, unless another pack has one, too."""
    least = min((place.depth for place in places), default=0)
    packs = {place.pack for place in places if place.depth == least}
    return packs if packs <= condemned else set()


_Visit = Callable[[Snapshot, BlockType, Sequence[BlockId]], Sequence[bool]]
"""Told of blocks and of the snapshot that refers to them; for each False: it was there before."""
