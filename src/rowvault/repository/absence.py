"""What is not there, and why: an absence that nobody has caused on purpose is damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rowvault.core.errors import MissingError
from rowvault.repository import names
from rowvault.repository.records.snapshot import Snapshot

if TYPE_CHECKING:
    from rowvault.repository.repository import Repository


def unexplained(location: str, packs: int, forgotten: int = 0) -> MissingError:
    """The error about packs without any snapshot that they are known to be of.

    `forgotten`: snapshots in the trash, where nothing records that these are all there were.
    """
    count = "1 pack" if packs == 1 else f"{packs} packs"
    lacks = f"beside {forgotten} forgotten" if forgotten else "not even a forgotten one"
    return MissingError(
        f"The repository at {location} holds {count}, but no snapshot, {lacks}. "
        "A copy that has not arrived to its end looks like this, and so does one whose snapshots/ "
        "was emptied: copy the repository again, or bring the files in snapshots/ back. Only if "
        "no backup has ever ended here, or all snapshots were removed on purpose: "
        "`rowvault prune --allow-remove-all` removes the packs"
    )


def refuse_unexplained_emptiness(repository: Repository) -> None:
    """Raises MissingError where there are packs, and nothing that they could be of.

    A ledger must record that no snapshot is left. Without one a forgotten snapshot, or a run at
    work or that has died, may have made the packs.
    """
    internals = repository.internals
    if repository.listings() or repository.snapshot_set.is_recorded_empty():
        return
    trash = repository.trash.listings()
    if not repository.ledger.is_on() and (trash or internals.snapshot_store.sessions()):
        return
    packs = len(internals.storage.list(names.PACKS))
    if packs:
        raise unexplained(repository.location, packs, len(trash))


def refuse_unexplained_absence(repository: Repository, snapshot: Snapshot) -> None:
    """Raises MissingError where a snapshot that was listed is not there, and nobody forgot it.

    Nothing where the version that made it did not state its session, and it is not in the trash: a
    prune may have removed it.
    """
    if snapshot.session is None or repository.internals.snapshot_store.was_forgotten(snapshot):
        return
    if any(one.id == snapshot.id for one in repository.listings()):
        return  # it came back meanwhile
    raise MissingError(
        f"The repository at {repository.location} has lost "
        f"{names.snapshot(snapshot.time, snapshot.id)}, which was there and which nobody has "
        "forgotten; bring that file back from a copy"
    )
