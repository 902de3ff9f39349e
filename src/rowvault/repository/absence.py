"""What is not there, and why: an absence that nobody has caused on purpose is damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rowvault.core.errors import MissingError
from rowvault.repository import names
from rowvault.repository.snapshot import Snapshot

if TYPE_CHECKING:
    from rowvault.repository.repository import Repository


def unexplained(location: str, packs: int) -> MissingError:
    """The error about packs without any snapshot that they could be of."""
    count = "1 pack" if packs == 1 else f"{packs} packs"
    return MissingError(
        f"The repository at {location} holds {count}, but no snapshot, not even a forgotten one. "
        "A copy that has not arrived to its end looks like this, and so does one whose snapshots/ "
        "was emptied: copy the repository again, or bring the files in snapshots/ back. Only if "
        "no backup has ever ended here, or all snapshots were removed on purpose: "
        "`rowvault prune --allow-remove-all` removes the packs"
    )


def refuse_unexplained_emptiness(repository: Repository) -> None:
    """Raises MissingError where there are packs, and nothing that they could be of.

    A snapshot, a forgotten one, or a run at work or that has died may have made them; or a backup
    that failed, where the ledger records that there is no snapshot.
    """
    place = repository.place
    if repository.listings() or repository.trash.listings() or place.catalogue.sessions():
        return
    if repository.snapshot_set.is_recorded_empty():
        return
    packs = len(place.storage.list(names.PACKS))
    if packs:
        raise unexplained(repository.location, packs)


def refuse_unexplained_absence(repository: Repository, snapshot: Snapshot) -> None:
    """Raises MissingError where a snapshot that was listed is not there, and nobody forgot it.

    Nothing where the version that made it did not state its session, and it is not in the trash: a
    prune may have removed it.
    """
    if snapshot.session is None or repository.place.catalogue.was_forgotten(snapshot):
        return
    if any(one.id == snapshot.id for one in repository.listings()):
        return  # it came back meanwhile
    raise MissingError(
        f"The repository at {repository.location} has lost "
        f"{names.snapshot(snapshot.time, snapshot.id)}, which was there and which nobody has "
        "forgotten; bring that file back from a copy"
    )
