"""A repository's objects as they lie in its storage: its groups, and what else lies there.

A directory that is missing is never read as an empty one (docs/format.md, "Layout"). A file that
cannot be an object, as other programs leave them, is passed over and left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from rowvault.core.errors import GroupMissingError
from rowvault.repository import names
from rowvault.storage.protocol import Storage, is_part

_log = logging.getLogger(__name__)

Names = list[str]
"""Of objects; in the class below `list` is a method."""


class Objects:
    """A storage that lists nothing but objects. Used from any thread."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._absent: Names = []
        self._may_lack: frozenset[str] = frozenset()
        self._has_told = False
        self.location = storage.location
        self.create = storage.create
        self.swap = storage.swap
        self.read = storage.read
        self.read_range = storage.read_range
        self.view = storage.view
        self.size = storage.size
        self.top = storage.top
        self.delete = storage.delete
        self.make_group = storage.make_group

    def has_group(self, group: str) -> bool:
        """See Storage.has_group; one that may be absent counts as there."""
        return group in self._may_lack or self._storage.has_group(group)

    def list(self, prefix: str) -> Names:
        """See Storage.list; all of `packs/` in one go, and of a snapshot's tags also none."""
        found = [name for group in _groups_of(prefix) for name in self._list(group)]
        objects = [name for name in found if not _is_foreign(name, prefix)]
        if len(objects) < len(found) and not self._has_told:
            self._has_told = True
            foreign = next(name for name in found if _is_foreign(name, prefix))
            _log.warning(
                "%s: %s is no object of a repository. It is left alone, and so is all else of that "
                "kind; `rowvault check` lists it", self.location, foreign,
            )  # fmt: skip
        return objects

    def foreign(self) -> Names:
        """All that lies beside the objects, sorted; of a directory, `/` behind it, no more.

        Whoever asks tells it, so no warning comes of it any more.
        """
        self._has_told = True
        known = {group.partition("/")[0] + "/" for group in names.GROUPS} | {names.CONFIG}
        found = [name for name in self._storage.top() if name not in known]
        for group in sorted({*names.GROUPS, names.PACKS}):
            if self._storage.has_group(group):
                found += [one for one in self._storage.list(group) if _is_foreign(one, group)]
        return sorted(set(found))

    def missing(self, stated: Sequence[str]) -> Names:
        """The groups that must be there and are not; `stated`: those that the config names.

        A repository of an earlier version has groups once there is something to put into them.
        """
        absent = [group for group in names.GROUPS if not self._storage.has_group(group)]
        self._absent = absent
        if stated:
            return [group for group in absent if group in stated]
        has_begun = not set(names.GROUPS) <= {names.KEYS, *absent}
        return [group for group in absent if has_begun and group in names.FILLED_BY_A_BACKUP]

    def require(self, missing: Sequence[str]) -> None:
        """Raises GroupMissingError for these; what else `missing` found absent counts as empty.

        Nothing else does: where `list` does not find a group later on, it raises that.
        """
        if missing:
            raise GroupMissingError(self._explain(missing))
        self._may_lack = frozenset(self._absent)

    def make_groups(self) -> None:
        """Makes those that a repository of an earlier version may not have yet."""
        for group in sorted(self._may_lack):
            self.make_group(group)
        self._may_lack = frozenset()

    def _list(self, prefix: str) -> Names:
        try:
            return self._storage.list(prefix)
        except GroupMissingError:
            group = names.group_of(prefix)
            if group in self._may_lack or (prefix != group and self._storage.has_group(group)):
                return []
            raise GroupMissingError(self._explain([group])) from None

    def _explain(self, groups: Sequence[str]) -> str:
        listed = ", ".join(groups)
        places = " ".join(f"{self.location}/{group[:-1]}" for group in groups)
        are, it = ("is", "it") if len(groups) == 1 else ("are", "them")
        return (
            f"The repository at {self.location} is not whole: {listed} {are} missing. A copy that "
            "has not arrived to its end looks like this, and so does a disk that is not mounted; "
            "nothing was read as empty. Copy the repository again, or "
            f"bring {it} back. Only if there truly was nothing in {it}: mkdir -p {places}"
        )


def _groups_of(prefix: str) -> Iterator[str]:
    if prefix == names.PACKS:
        yield from names.PACK_GROUPS
    else:
        yield prefix


def _is_foreign(name: str, prefix: str) -> bool:
    """Of everything (no prefix) what cannot even be named; in a group what its objects are not."""
    if not prefix:
        return not all(map(is_part, name.split("/")))
    return not names.is_object(name)
