"""Mends a repository: saves what is whole, lets go of what is not, says what is lost.

1. Index segments that are damaged or missing are made anew from the packs, by the session itself.
2. Every pack is read. Runs that begin from now on rely on no damaged one.
3. The whole blocks of damaged packs go into new packs. When these are durable and listed, the
   damaged packs leave the index and are removed. A delta is saved as it is; it is lost where all of
   what it builds on is not there.
4. Blocks that a reader of an earlier version may take for something else are stored once more, for
   the copies of what they build on are arranged in more ways than one.
5. Small objects that are damaged are removed.
6. A snapshot that lost blocks gives way to one of the rest, and is forgotten, not removed.

A run that ends anywhere has taken nothing away that could be read; the next one goes on.
"""

from __future__ import annotations

from rowvault.core.errors import DamageError, StorageError, UnsupportedFormatError
from rowvault.core.monitor import Monitor
from rowvault.repository import names
from rowvault.repository.absence import refuse_unexplained_emptiness
from rowvault.repository.crypto.key_slot import decode_slot
from rowvault.repository.index.removal import remove_packs
from rowvault.repository.packs.salvage import whole_frames
from rowvault.repository.records.ledger import Change, ChangeKind
from rowvault.repository.records.prune_ledger import TypedPack
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.repository.session import WriteSession
from rowvault.storage.scratch import scratch
from rowvault.upkeep.check.packs import PackCheck
from rowvault.upkeep.check.report import CheckReport, DamageKind
from rowvault.upkeep.prune.lease import UpkeepLease
from rowvault.upkeep.prune.report import PruneRequest
from rowvault.upkeep.repair.ambiguous_blocks import store_anew
from rowvault.upkeep.repair.report import DroppedObject, MendedSnapshot, RepairReport
from rowvault.upkeep.repair.snapshots import Losses, SnapshotRest

COMMAND = "repair"
"""What sessions of repairs state."""


def repair(repository: Repository, monitor: Monitor, *, dry_run: bool = False) -> RepairReport:
    """Mends what can be mended. A dry run does the same on a scratch layer, and changes nothing.

    Raises LockedError while another run is at work, MissingError where there are packs and no
    snapshot at all, StorageError, UnsupportedFormatError where a later version wrote a pack.
    """
    if not dry_run:
        return _Repair(repository, monitor).run()
    repository.snapshot_set.examine().require_none()
    with (
        scratch(repository.internals.storage) as storage,
        repository.elsewhere(storage) as copy,
    ):
        return _Repair(copy, monitor).run()


class _Repair:
    """One run of `repair`."""

    def __init__(self, repository: Repository, monitor: Monitor) -> None:
        self._repository = repository
        self._internals = repository.internals
        self._storage = self._internals.storage
        self._monitor = monitor
        self._report = RepairReport()
        self._lease = UpkeepLease(self._internals, PruneRequest(), monitor)

    def run(self) -> RepairReport:
        """See `repair`."""
        self._lease.refuse_if_busy()
        self._repository.snapshot_set.settle().require_none()
        refuse_unexplained_emptiness(self._repository)
        self._internals.index.refresh()
        for error in self._internals.index.damage.values():
            if isinstance(error, UnsupportedFormatError):
                self._leave(error)
            else:
                self._report.segments += 1
        with self._repository.begin(COMMAND, self._monitor) as session:
            self._report.listed_packs = session.adopted_packs
            self._lease.take(session.id)
            try:
                self._mend(session)
            finally:
                self._lease.release()
        return self._report

    def _mend(self, session: WriteSession) -> None:
        damaged, missing = self._look_at_packs()
        if damaged | missing:
            self._lease.condemn(damaged | missing)
            session.distrust({name for _, name in damaged | missing})
            self._salvage(session, damaged)
            self._remove(damaged, missing)
        self._monitor.phase("storing blocks anew whose bases are ambiguous")
        self._report.renewed_blocks = store_anew(
            self._internals.index, self._internals.blocks, session
        )
        self._monitor.phase("mending small objects")
        self._drop_small_objects()
        self._monitor.phase("looking for what is lost")
        self._mend_snapshots()

    # -- packs

    def _look_at_packs(self) -> tuple[set[TypedPack], set[TypedPack]]:
        """(damaged, missing).

        Raises StorageError for a pack that the storage cannot read, UnsupportedFormatError for one
        that a later version wrote.
        """
        self._monitor.phase("reading packs")
        found = CheckReport()
        check = PackCheck(self._internals, found, self._monitor, reads=lambda name: True)
        check.run()
        damaged: set[TypedPack] = set(check.unused)
        missing: set[TypedPack] = set()
        for error in found.errors:
            if error.kind is DamageKind.UNSUPPORTED:
                raise UnsupportedFormatError(f"{error.message}. Nothing was removed.")
            if error.kind is DamageKind.UNREADABLE:
                raise StorageError(
                    f"{error.message}. Nothing was changed: what the storage cannot read now may "
                    "be whole; mend the storage, or remove the file, and try again."
                )
            pack = names.split_pack(error.object)
            (missing if error.kind is DamageKind.MISSING else damaged).add(pack)
        self._report.damaged_packs = len(damaged)
        self._report.missing_packs = len(missing)
        return damaged, missing

    def _salvage(self, session: WriteSession, damaged: set[TypedPack]) -> None:
        self._monitor.phase("saving whole blocks")
        for kind, name in sorted(damaged):
            self._monitor.item(f"pack {name}")
            data = self._storage.read(names.pack(kind, name))
            for header, payload in whole_frames(
                data, kind, self._internals.keys, self._internals.make_id
            ):
                session.put_frame(header, payload)
                self._report.salvaged_blocks += 1
        session.flush()

    def _remove(self, damaged: set[TypedPack], missing: set[TypedPack]) -> None:
        """The index first: no reader is sent to a pack that is not there."""
        packs = {name for _, name in damaged | missing}
        remove_packs(self._storage, self._internals.index, packs, self._lease.still_ours)
        self._lease.still_ours()
        for kind, name in sorted(damaged):
            self._storage.delete(names.pack(kind, name))

    # -- small objects

    def _drop_small_objects(self) -> None:
        for message in self._lease.replaced:
            self._dropped(names.PRUNE_STATE, f"{message}; what it condemned, a prune finds again")
        self._drop_slots()
        snapshot_store = self._internals.snapshot_store
        listings = self._repository.listings()
        for name, damage in snapshot_store.session_damage.items():
            self._drop_damaged(name, damage, "if it had committed, its snapshot is lost")
        for listing in listings:
            if listing.damage is None:
                for name, damage in snapshot_store.tag_damage(listing.id).items():
                    self._drop_damaged(name, damage, "the tag is lost")
                continue
            name = names.snapshot(listing.time, listing.id)
            self._strike_off(name.removeprefix(names.SNAPSHOTS), listing.damage)
            if self._drop_damaged(name, listing.damage, "the snapshot is lost"):
                snapshot_store.remove_all_tags(listing.id)
        for name, damage in self._repository.upkeep_damage().items():
            self._strike_off(name.removeprefix(names.TRASH), damage)
            self._drop_damaged(name, damage, _upkeep_loss(name))

    def _strike_off(self, name: str, damage: DamageError | UnsupportedFormatError) -> None:
        """Records that a snapshot which cannot be read is gone, before its object goes."""
        if isinstance(damage, UnsupportedFormatError):
            return  # it stays
        self._repository.ledger.extend(
            lambda state: [
                Change(ChangeKind.REMOVED, name, session)
                for known in (state.listed, state.forgotten)
                for session in [known.get(name)]
                if session is not None
            ]
        )

    def _drop_slots(self) -> None:
        for name in self._storage.list(names.KEYS):
            try:
                decode_slot(self._storage.read(name), name)
            except DamageError as error:
                self._drop(name, f"{error}; the password or key of this slot opens nothing now")
            except UnsupportedFormatError as error:
                self._leave(error)

    def _drop_damaged(
        self, name: str, error: DamageError | UnsupportedFormatError, loss: str
    ) -> bool:
        if isinstance(error, UnsupportedFormatError):
            self._leave(error)
            return False
        self._drop(name, f"{error}; {loss}")
        return True

    def _drop(self, name: str, message: str) -> None:
        self._storage.delete(name)
        self._dropped(name, message)

    def _dropped(self, name: str, message: str) -> None:
        self._report.dropped.append(DroppedObject(name, message))

    def _leave(self, error: Exception) -> None:
        message = f"left as it is: {error}"
        self._report.warnings.append(message)
        self._monitor.warning(message)

    # -- snapshots

    def _mend_snapshots(self) -> None:
        snapshots = self._repository.snapshots()
        replaced = {one.mends: one for one in snapshots if one.mends is not None}
        losses = Losses(self._repository)
        for snapshot in snapshots:
            self._monitor.item(f"snapshot {snapshot.id}")
            try:
                told = losses.of(snapshot)
            except UnsupportedFormatError as error:
                self._leave(error)
                continue
            if not (told[0] or told[1]):
                continue
            rest = replaced.get(snapshot.id) or self._replace(snapshot, losses, told)
            self._repository.forget(snapshot)
            self._report.snapshots.append(
                MendedSnapshot(snapshot.id, None if rest is None else rest.id, (*told[0], *told[1]))
            )

    def _replace(
        self, snapshot: Snapshot, losses: Losses, told: tuple[list[str], list[str]]
    ) -> Snapshot | None:
        with self._repository.begin(COMMAND, self._monitor) as session:
            draft = SnapshotRest(self._repository, session, losses).store(snapshot, told)
            if draft is None:
                return None
            return session.commit(draft, self._repository.tags(snapshot.id))


def _upkeep_loss(name: str) -> str:
    if name == names.REMOVED_KEYS:
        return "a removed key whose file comes back would open the repository"
    if name.startswith(names.TRASH):
        return "this forgotten snapshot cannot be brought back"
    return "a prune makes it anew"
