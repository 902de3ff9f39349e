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

from collections.abc import Sequence

import msgspec

from rowvault.core.errors import (
    DamageError,
    MissingError,
    StorageError,
    UnsupportedFormatError,
)
from rowvault.core.ids import PackName, SessionId
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.absence import unexplained
from rowvault.repository.features import ARRANGED_BASES
from rowvault.repository.index.proven import ProvenIndex
from rowvault.repository.index.removal import remove_packs
from rowvault.repository.index.stored_packs import StoredPacks
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackReader
from rowvault.repository.records.ledger import CHECKPOINT_EVERY, Change, ChangeKind
from rowvault.repository.records.session_object import SessionDocument
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.records.trash import TrashListing
from rowvault.repository.repository import Repository
from rowvault.repository.session import WriteSession
from rowvault.upkeep.block_copies import BlockCopies
from rowvault.upkeep.live_blocks import LiveMarks
from rowvault.upkeep.prune.forecast import Forecast, removal_growth, would_adopt
from rowvault.upkeep.prune.lease import UpkeepLease
from rowvault.upkeep.prune.listed_before import ListedBefore
from rowvault.upkeep.prune.need_marks import NeedMarks, refuse
from rowvault.upkeep.prune.plan import PrunePlan, entries_to_move, make_plan
from rowvault.upkeep.prune.report import PruneReport, PruneRequest, describe
from rowvault.upkeep.rebase import Rebase

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
        self._internals = repository.internals
        self._ledger = self._internals.prune_ledger
        self._request = request
        self._monitor = monitor
        self._report = PruneReport()
        self._proven = ProvenIndex(
            self._internals.storage, self._internals.keys, self._internals.index
        )
        self._needs = NeedMarks(repository, self._proven, monitor)
        self._forecast = Forecast(self._internals.pack_bytes, seals=self._internals.index.seals)
        self._packs = StoredPacks(self._internals.storage, self._internals.keys)
        self._lease = UpkeepLease(self._internals, request, monitor)

    def run(self) -> PruneReport:
        """See `prune`."""
        self._lease.refuse_if_held()
        for message in self._lease.replaced:
            self._warn(f"{message}; what it condemned is found again")
        snapshot_set = self._repository.snapshot_set
        before = ListedBefore(self._internals)
        if self._request.dry_run:
            snapshot_set.examine().require_none()
            self._foresee(before)
            return self._report
        snapshot_set.settle().require_none()
        with self._repository.begin(COMMAND, self._monitor) as session:
            refuse(session.false_claims)
            session.keep_segments_apart()
            self._lease.take(session.id)
            try:
                self._work(session, before)
            finally:
                self._lease.release()
        return self._report

    def _foresee(self, before: ListedBefore) -> None:
        """What `_work` would do, reckoned in the same steps."""
        marks, plan, trash, live = self._plan(None, before)
        for name in list(plan.repack):
            self._foresee_moves(marks, plan, name)
        self._forecast.flush()
        adopted, left = would_adopt(
            self._internals,
            {one.id for one in live},
            self._lease.condemned() | self._proven.unreadable.keys(),
        )
        condemned = self._lease.condemned() - plan.rescued - self._proven.unreadable.keys()
        fresh = {*plan.dead, *plan.repack} - condemned
        going = (fresh | condemned) & plan.uses.keys()
        sizes = sum(self._packs.size(plan.uses[name].type, name) for name in going)
        report = self._report
        report.freed_bytes = -self._forecast.grown_bytes
        report.freed_bytes += sum(one.stored_bytes for one in self._internals.index.segments)
        report.freed_bytes -= sum(one.stored_bytes for one in (*adopted, *left))
        anew = bool(fresh or (condemned and (trash or plan.rescued)))
        waiting = self._lease.would_wait(live, anew=anew) if fresh or condemned else []
        if waiting:
            report.waits_for, report.pending_bytes = tuple(map(describe, waiting)), sizes
            return
        report.removed_packs = len(going)
        report.freed_bytes += sizes - removal_growth([*adopted, *left], going)

    def _foresee_moves(self, marks: LiveMarks, plan: PrunePlan, name: PackName) -> None:
        reader = PackReader(
            self._internals.storage, self._internals.keys, plan.uses[name].type, name
        )
        try:
            for entry in list(entries_to_move(reader, marks, plan)):
                self._forecast.add(entry.type, entry.frame_bytes)
        except (DamageError, UnsupportedFormatError) as error:
            plan.repack.remove(name)
            self._damaged(f"pack {name} stays, for it cannot be read whole: {error}")

    def _work(self, session: WriteSession, before: ListedBefore) -> None:
        marks, plan, trash, _ = self._plan(session, before)
        try:
            self._repack(session, marks, plan)
        except StorageError as error:
            plan.repack.clear()  # what is dead altogether can go all the same, and makes room
            self._warn(f"packs that are partly dead stay as they are: {error}")
        self._note_plan(plan)  # some packs may have resisted
        self._report.freed_bytes -= session.stats.stored_bytes
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
                self._packs.size(kind, name) for kind, name in self._lease.condemned_packs()
            )
            return
        self._sweep()

    # -- marking

    def _plan(
        self, session: WriteSession | None, before: ListedBefore
    ) -> tuple[LiveMarks, PrunePlan, list[TrashListing], list[SessionDocument]]:
        """What to do, as things stand after what it stores anew, and who is at work."""
        live = self._lease.seem_live() if self._request.dry_run else self._lease.live_sessions()
        parents = {one.parent for one in live}
        roots = self._snapshots()
        self._report.snapshots = len(roots)
        trash = self._repository.trash.listings()
        kept_trash = [one.document.snapshot for one in trash if one.document and one.id in parents]
        emptied = [one for one in trash if one.id not in parents]
        self._report.final = tuple(one.id for one in emptied)
        stored = self._look_at_packs()
        self._monitor.phase("marking what is needed")
        marks = self._needs.mark_all([*roots, *kept_trash])
        for message in before.damage(marks):
            self._damaged(message)
        self._renew(session, marks)
        plan = self._choose(marks, stored, {one.id for one in live})
        if not roots and not (trash and self._repository.snapshot_set.is_recorded_empty()):
            self._refuse_unexplained(plan, len(trash))
        return marks, plan, emptied, live

    def _refuse_unexplained(self, plan: PrunePlan, forgotten: int) -> None:
        """Raises MissingError where packs would go that nobody is known to have let go of.

        Forgotten snapshots explain nothing where no ledger says that these are all there were.
        """
        going = {*plan.dead, *plan.repack} - self._lease.condemned()
        if going and not self._request.allow_remove_all:
            raise unexplained(self._repository.location, len(going), forgotten)

    def _look_at_packs(self) -> dict[PackName, PackType]:
        """The packs that are there, after the index; what is said of them is proven."""
        self._internals.index.refresh()
        stored = self._packs.all()
        self._monitor.phase("looking at packs")
        self._proven.refresh(stored)
        there = stored.keys() | self._lease.condemned()
        missing = (
            MissingError(f"pack {name} is not there, which index segment {segment.name} lists")
            for segment in self._internals.index.segments
            for name in sorted(set(segment.packs) - there)
        )
        unsealed = self._internals.index.unsealed_segments
        refuse([*self._proven.false_claims(unsealed), *missing])
        for name, error in self._proven.unreadable.items():
            self._damaged(f"pack {name} stays, for its footer is damaged: {error}")
        return stored

    def _renew(self, session: WriteSession | None, marks: LiveMarks) -> None:
        """Dead blocks on which a single live one builds are not kept for it."""
        frames = session or self._forecast
        states = ARRANGED_BASES in self._internals.features
        renewal = Rebase(
            marks, self._proven, self._internals.blocks, frames, states_arrangements=states
        )
        try:
            renewal.run(self._request.limits.max_repack_bytes)
        except StorageError as error:
            self._warn(f"blocks that build on dead ones stay as they are: {error}")
        except DamageError as error:
            refuse([error])
        self._report.renewed_blocks = renewal.blocks
        self._report.renewed_bytes = renewal.stored_bytes

    def _choose(
        self, marks: LiveMarks, stored: dict[PackName, PackType], live: set[SessionId]
    ) -> PrunePlan:
        self._monitor.phase("choosing packs")
        plan = make_plan(
            marks,
            self._request.limits.without(self._report.renewed_bytes),
            stored=stored.keys(),
            condemned=self._lease.condemned(),
            untouchable=lambda kind, name: self._packs.session_of(kind, name) in live,
            copies=BlockCopies(self._internals.blocks),
        )
        refuse([MissingError(one) for one in plan.lost])
        for location in plan.unreadable:
            self._damaged(
                f"pack {location.pack} holds a damaged copy of a block at byte {location.offset}; "
                "another copy is kept"
            )
        self._note_plan(plan)
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
            if listing.damage is not None:
                refuse([listing.damage])
            if listing.snapshot is not None:
                found.append(listing.snapshot)
        return found

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
                self._damaged(f"pack {name} stays, for it cannot be read whole: {error}")
        session.flush()

    def _copy_live(
        self, session: WriteSession, marks: LiveMarks, plan: PrunePlan, name: PackName
    ) -> None:
        """Moves frames as they are, so that none gets deeper than what builds on it allows."""
        reader = PackReader(
            self._internals.storage, self._internals.keys, plan.uses[name].type, name
        )
        for entry in entries_to_move(reader, marks, plan):
            header, payload = reader.read_frame(
                entry.type, entry.id, entry.offset, entry.frame_bytes, entry.depth
            )
            self._monitor.advance(0, len(payload))
            session.move_frame(header, payload)

    def _empty_trash(self, trash: Sequence[TrashListing]) -> None:
        """The ledger first: who publishes one of them only now learns that it is gone."""
        ledger = self._repository.ledger
        gone = {names.forgotten(one.time, one.id).removeprefix(names.TRASH) for one in trash}
        documents = [one.document for one in trash if one.document is not None]
        sessions = {one.snapshot.session for one in documents}
        if ledger.is_on():  # it also knows those of objects that cannot be read
            recorded = ledger.read().forgotten
            sessions |= {SessionId(recorded[name]) for name in gone & recorded.keys()}
        removed = [one for one in sessions if one]
        if removed:
            self._lease.swap(self._lease.state.with_removed(removed))
        for one in trash:
            self._internals.storage.delete(names.forgotten(one.time, one.id))
            self._internals.snapshot_store.remove_all_tags(one.id)
        ledger.extend(
            lambda state: [
                Change(ChangeKind.REMOVED, name, session)
                for name, session in state.forgotten.items()
                if name in gone
            ]
        )
        ledger.compact(CHECKPOINT_EVERY)

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

    def _sweep(self) -> None:
        """Removes what is condemned and not needed by what was committed meanwhile."""
        self._monitor.phase("removing")
        roots = self._newer_roots()  # before the index, which lists all that they need
        self._look_at_packs()
        condemned = self._lease.condemned_packs()
        rescued = self._needs.since(roots, {name for _, name in condemned})
        rescued |= self._proven.unreadable.keys()
        going = {(kind, name) for kind, name in condemned if name not in rescued}
        self._lease.still_ours()
        storage = self._internals.storage
        report = self._report
        report.freed_bytes -= remove_packs(
            storage, self._internals.index, {name for _, name in going}, self._lease.still_ours
        )
        for kind, name in sorted(going):
            report.freed_bytes += self._packs.size(kind, name)
            storage.delete(names.pack(kind, name))
            report.removed_packs += 1
        self._drop_rounds(())

    def _newer_roots(self) -> list[Snapshot]:
        """Snapshots, forgotten ones too, that were not marked.

        Snapshots twice, around the trash: one that comes back meanwhile is seen in one of them.
        """
        roots = {one.id: one for one in self._snapshots()}
        for listing in self._repository.trash.listings():
            if listing.document is not None:
                roots[listing.id] = listing.document.snapshot
        roots |= {one.id: one for one in self._snapshots()}
        return [one for one in roots.values() if one.id not in self._needs.walked]

    def _damaged(self, message: str) -> None:
        if message in self._report.damage:
            return  # packs are looked at twice
        self._report.damage.append(message)
        self._monitor.warning(message)

    def _warn(self, message: str) -> None:
        self._report.warnings.append(message)
        self._monitor.warning(message)
