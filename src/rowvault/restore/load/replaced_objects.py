"""Views and programs that are in the way: they go when their successors come, not sooner.

Where a successor cannot be made, what was there before is given back.
"""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.core.errors import ConnectionLostError, RestoreError, RowvaultError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.restore.plan.conflicts import RELATIONS, Slot, slot
from rowvault.restore.progress import RestoreProgress
from rowvault.source.protocol import ExistingObject, Target
from rowvault.sqltext.mysql.shadow_table import OLD, shadow_name


class ReplacedObjects:
    """What a target held under the names of views and programs."""

    def __init__(
        self,
        conflicts: Sequence[ExistingObject],
        target: Target,
        progress: RestoreProgress,
        *,
        can_move: bool,
    ) -> None:
        """Reads the definitions of programs, before anything is changed. Raises SourceError.

        `can_move`: views and tables can be set aside by renaming them.
        """
        self._can_move = can_move
        self._target = target
        self._progress = progress
        self._found = {slot(target, one.kind, one.database, one.name): one for one in conflicts}
        programs = [
            one for one in conflicts if one.kind not in (ObjectKind.TABLE, ObjectKind.SEQUENCE)
        ]
        self._texts = {
            slot(target, one.kind, one.database, one.name): one
            for one in target.definitions(programs)
        }
        self._gone: dict[Slot, ExistingObject] = {}

    def make_way(self, definition: ObjectDefinition) -> None:
        """Drops, or sets aside, what has its name; at most once. Raises RestoreError."""
        place = self._slot(definition)
        found = self._found.pop(place, None)
        if found is None:
            return
        if self._is_movable(found):
            aside = shadow_name(OLD, definition.database, definition.name)
            self._target.move([(found.database, found.name, aside)])
        else:
            self._target.drop(found)
        self._gone[place] = found
        self._progress.dropped(found)

    def quiet(self) -> None:
        """Drops the events that are in the way: they would change rows. Raises RestoreError."""
        for place, found in list(self._found.items()):
            if found.kind is ObjectKind.EVENT:
                del self._found[place]
                self._target.drop(found)
                self._gone[place] = found
                self._progress.dropped(found)

    def made(self, definition: ObjectDefinition) -> None:
        """Its successor stands. Raises RestoreError."""
        found = self._gone.pop(self._slot(definition), None)
        if found is not None and self._is_movable(found):
            aside = shadow_name(OLD, definition.database, definition.name)
            self._target.drop(ExistingObject(found.kind, found.database, aside))

    def give_back(self, definition: ObjectDefinition) -> str:
        """Its successor could not be made: what is there again, in words; '' where nothing was.

        Raises RestoreError where the connection is lost.
        """
        place = self._slot(definition)
        found = self._gone.pop(place, None)
        if found is None:
            return ""
        try:
            if self._is_movable(found):
                aside = shadow_name(OLD, definition.database, definition.name)
                self._target.move([(found.database, aside, found.name)])
            elif place in self._texts:
                self._target.create(self._texts[place])
            else:
                return f"the former {found.label} is gone: the account may not read its text"
        except RestoreError as error:
            if isinstance(error.__cause__, ConnectionLostError):
                raise
            return f"the former {found.label} could not be given back: {error}"
        return f"the former {found.label} stands again"

    def give_back_all(self) -> list[str]:
        """After a failure: labels of what is gone and could not be given back."""
        lost = []
        for place, found in self._gone.items():
            try:
                if self._is_movable(found):
                    aside = shadow_name(OLD, found.database, found.name)
                    self._target.move([(found.database, aside, found.name)])
                else:
                    self._target.create(self._texts[place])
            except (KeyError, RowvaultError):
                lost.append(found.label)
        self._gone.clear()
        return lost

    def _is_movable(self, found: ExistingObject) -> bool:
        return self._can_move and found.kind in RELATIONS

    def _slot(self, definition: ObjectDefinition) -> Slot:
        return slot(self._target, definition.kind, definition.database, definition.name)
