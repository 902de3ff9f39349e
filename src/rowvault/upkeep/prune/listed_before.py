"""What the index lists when a prune begins, before the run's own session makes it whole again.

A session lists packs anew that no segment lists. So a segment that was damaged or removed is healed
by the prune that finds it; that it was so is told all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from rowvault.core.errors import DamageError, UnsupportedFormatError
from rowvault.core.ids import PackName
from rowvault.repository.index.search import IndexSearch
from rowvault.repository.index.stored_packs import StoredPacks
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackReader
from rowvault.repository.records.session_object import SessionState
from rowvault.repository.session import RepositoryInternals
from rowvault.upkeep.live_blocks import LiveMarks


class ListedBefore:
    """The index as it is now; `damage` compares it with what snapshots need."""

    def __init__(self, internals: RepositoryInternals) -> None:
        """Raises StorageError.

        Packs first, then the sessions, then the index: what a run has stored that has ended since
        is listed in it, and of one at work nothing is told.
        """
        self._internals = internals
        packs = StoredPacks(internals.storage, internals.keys)
        stored = packs.all()
        active = {
            document.id
            for document, _ in internals.snapshot_store.sessions()
            if document.state is SessionState.ACTIVE
        }
        internals.index.refresh()
        self._damaged = [*internals.index.damage.values()]
        self._search = IndexSearch(internals.index.segments)
        self._unlisted: list[tuple[PackType, PackName]] = [
            (kind, name)
            for name, kind in sorted(stored.items())
            if name not in internals.index.packs() and packs.session_of(kind, name) not in active
        ]

    def damage(self, marks: LiveMarks) -> Iterator[str]:
        """Segments that were damaged, and packs that one must have listed; `marks`: what lives.

        A pack that no segment lists is left by a run that was killed, unless a snapshot needs what
        stands nowhere else: before a snapshot is there, all of its packs are listed.
        """
        for error in self._damaged:
            kept = "it stays, and " if isinstance(error, UnsupportedFormatError) else ""
            yield f"{error}; {kept}prune lists anew, from the packs, what it has listed"
        is_later = any(isinstance(one, UnsupportedFormatError) for one in self._damaged)
        known = "no index segment that this version reads"
        fault = known if is_later else "an index segment is missing: none"
        for kind, name in self._unlisted:
            if self._is_needed(kind, name, marks):
                yield (f"{fault} lists pack {name}, which snapshots need; prune lists it anew")

    def _is_needed(self, kind: PackType, name: PackName, marks: LiveMarks) -> bool:
        try:
            entries = PackReader(self._internals.storage, self._internals.keys, kind, name).footer()
        except (DamageError, UnsupportedFormatError):
            return False  # it is named as what cannot be read
        return any(
            marks.is_marked(one.type, one.id) and not self._search.find(one.type, one.id)
            for one in entries
        )
