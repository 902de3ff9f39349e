"""The ledger of snapshots: which ones exist, by sealed entries that are only ever added.

`ledger/<n>` states what was added, forgotten or removed since the entry before, and the hash of
that; a *checkpoint* states the whole set, so what is before it can go. (`gc/prune`, the ledger of
prunes, is another thing.) See docs/format.md, "Ledger".
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec
from blake3 import blake3

from rowvault.core.errors import (
    CorruptError,
    DamageError,
    MissingError,
    ObjectExistsError,
    ObjectMissingError,
    UnsupportedFormatError,
)
from rowvault.core.instant import Instant
from rowvault.repository import names
from rowvault.repository.crypto.sealed import DocumentType, Sealer
from rowvault.storage.protocol import Storage

SHORT = 16
"""Hex digits of an entry's hash that later checkpoints, and hosts, remember."""
CHECKPOINT_EVERY = 32
"""So many entries behind a checkpoint, a prune adds another one."""
CHECKPOINT_WITHOUT_PRUNE = 128
"""So many, and a backup does."""
_KEPT_MARKS = 256
"""So many entries back a host can tell that the repository has another history."""


class ChangeKind(enum.StrEnum):
    """The values are stored."""

    ADDED = "added"
    FORGOTTEN = "forgotten"
    REMOVED = "removed"
    """For good: by a prune, or by a repair that could not read it."""


class Change(msgspec.Struct, frozen=True):
    """What became of one snapshot."""

    kind: ChangeKind
    snapshot: str
    """`<utc>-<id>`, as in the name of its object."""
    session: str = ""
    """Which committed it; empty where that is not known."""


class Acceptance(msgspec.Struct, frozen=True):
    """Who took a set for the right one that the ledger did not expect."""

    time: Instant
    by: str


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands in `ledger/<n>`."""

    number: int
    before: str
    """BLAKE3-256 of the bytes of the entry before; empty where there is none."""
    checkpoint: int
    """Number of the newest entry that states the whole set: this one's, or an earlier one's."""
    changes: tuple[Change, ...] = ()
    listed: dict[str, str] | None = None
    """Of a checkpoint: snapshot -> session, of all that are listed; so for the next field."""
    forgotten: dict[str, str] | None = None
    marks: str = ""
    """Of a checkpoint: the first SHORT digits of the hashes of the entries just before it."""
    accepted: Acceptance | None = None


@dataclass(slots=True)
class LedgerState:
    """The set of snapshots after all entries."""

    head: int = 0
    """Number of the newest entry; 0: there is none."""
    hash: str = ""
    """Of the newest entry's bytes."""
    checkpoint: int = 0
    listed: dict[str, str] = field(default_factory=dict)
    forgotten: dict[str, str] = field(default_factory=dict)
    marks: dict[int, str] = field(default_factory=dict)
    """Number -> short hash, of the entries that are known."""

    @property
    def records_none(self) -> bool:
        """Whether it is on record that no snapshot is there but forgotten ones."""
        return self.head > 0 and not self.listed

    def is_new(self, change: Change) -> bool:
        """Whether the change makes sense, and was not made before."""
        name, session = change.snapshot, change.session
        match change.kind:
            case ChangeKind.ADDED:
                return session not in (self.listed.get(name), self.forgotten.get(name))
            case ChangeKind.FORGOTTEN:
                return self.listed.get(name) in (session, "")
            case ChangeKind.REMOVED:
                return session in (self.listed.get(name), self.forgotten.get(name))

    def apply(self, change: Change) -> None:
        """Makes the change."""
        name = change.snapshot
        self.listed.pop(name, None)
        self.forgotten.pop(name, None)
        if change.kind is ChangeKind.ADDED:
            self.listed[name] = change.session
        elif change.kind is ChangeKind.FORGOTTEN:
            self.forgotten[name] = change.session


Changes = Callable[[LedgerState], Iterable[Change]]
"""What is to be recorded, as the ledger stands."""


class Ledger:
    """Reads and extends the ledger of one repository. Used from any thread."""

    def __init__(self, storage: Storage, sealer: Sealer, is_on: Callable[[], bool]) -> None:
        """Without the feature, which `is_on` tells, nothing is ever written."""
        self._storage = storage
        self._sealer = sealer
        self.is_on = is_on
        self._entries: dict[int, tuple[LedgerEntry, str]] = {}
        self._at = names.LEDGER
        self.differs = False
        """The last comparison found that the ledger and the snapshots disagree. Nothing is added
        then: an entry that was lost may come back, and a new one would take its number."""

    def numbers(self) -> list[int]:
        """Numbers of all entries that are there, ascending."""
        return sorted(map(names.split_ledger_entry, self._storage.list(names.LEDGER)))

    def read(self) -> LedgerState:
        """The set as it is recorded.

        Raises CorruptError, TruncatedError, MissingError, UnsupportedFormatError, which name an
        entry; StorageError.
        """
        while True:
            numbers = self.numbers()
            try:
                return self._fold(numbers)
            except (ObjectMissingError, MissingError) as error:
                if self.numbers() == numbers:  # else entries before a checkpoint went meanwhile
                    raise MissingError(
                        f"{self._at} is missing, so which snapshots must exist cannot be told"
                    ) from error

    def damaged_object(self) -> str:
        """Of the entry that the last `read` failed at."""
        return self._at

    def extend(self, changes: Changes) -> None:
        """Records what is new of these changes; a change that is recorded already stays so.

        Raises what `read` raises, MissingError where there is no entry at all, CorruptError where
        the ledger differs from what is there.
        """
        while self.is_on():
            if self.differs:
                raise CorruptError("the ledger and the snapshots that are there disagree")
            state = self.read()
            if not state.head:
                raise no_entry()
            new = tuple(one for one in changes(state) if state.is_new(one))
            if not new or self._append(state, changes=new) is not None:
                return

    def bytes_of(self, change: Change) -> int:
        """Of the entry that will record one change; 0 where none can be."""
        if not self.is_on():
            return 0
        try:
            return len(self._seal(self._next(self.read(), changes=(change,)))[1])
        except (DamageError, UnsupportedFormatError):
            return 0  # whoever publishes the snapshot tells of it

    def compact(self, due: int) -> None:
        """Once `due` entries stand behind the last checkpoint, adds one; what is before it goes."""
        if not self.is_on():
            return
        state = self.read()
        if state.head - state.checkpoint >= max(due, len(state.listed) // 4):
            self._append(state, listed=state.listed, forgotten=state.forgotten)
            state = self.read()
        for number in self.numbers():
            if number < state.checkpoint:
                self._storage.delete(names.ledger_entry(number))

    def restart(
        self,
        listed: dict[str, str],
        forgotten: dict[str, str],
        accepted: Acceptance | None = None,
    ) -> None:
        """States the whole set anew, whatever the entries before it say. Raises StorageError."""
        while True:
            numbers = self.numbers()
            state = LedgerState()
            if numbers:
                state.head = numbers[-1]
                state.hash = _hash(self._storage.read(names.ledger_entry(state.head)))
            if self._append(state, listed=listed, forgotten=forgotten, accepted=accepted):
                return

    def _append(
        self,
        state: LedgerState,
        changes: tuple[Change, ...] = (),
        listed: dict[str, str] | None = None,
        forgotten: dict[str, str] | None = None,
        accepted: Acceptance | None = None,
    ) -> int | None:
        """The new entry's number; None where another one was first."""
        entry = self._next(state, changes, listed, forgotten, accepted)
        number = entry.number
        name, data = self._seal(entry)
        try:
            self._storage.create(name, data)
        except ObjectExistsError:
            return None
        self._entries[number] = entry, _hash(data)
        # Where this process stood still, its number was perhaps taken, and gone, long before.
        if self.numbers()[-1] == number or self.read().marks.get(number) == _hash(data)[:SHORT]:
            return number
        del self._entries[number]
        self._storage.delete(name)
        return None

    def _next(
        self,
        state: LedgerState,
        changes: tuple[Change, ...] = (),
        listed: dict[str, str] | None = None,
        forgotten: dict[str, str] | None = None,
        accepted: Acceptance | None = None,
    ) -> LedgerEntry:
        number = state.head + 1
        begins = listed is not None or number == 1
        return LedgerEntry(
            number=number,
            before=state.hash,
            checkpoint=number if begins else state.checkpoint,
            changes=changes,
            listed=listed,
            forgotten=forgotten,
            marks="" if listed is None else _marks_before(state, number),
            accepted=accepted,
        )

    def _seal(self, entry: LedgerEntry) -> tuple[str, bytes]:
        """(name, bytes)."""
        name = names.ledger_entry(entry.number)
        return name, self._sealer.seal(DocumentType.LEDGER_ENTRY, name, entry)

    def _fold(self, numbers: list[int]) -> LedgerState:
        state = LedgerState()
        if not numbers:
            return state
        state.head = numbers[-1]
        state.checkpoint = self._entry(state.head)[0].checkpoint
        for number in range(max(1, state.checkpoint), state.head + 1):
            entry, digest = self._entry(number)
            if number > state.checkpoint and entry.before != state.hash:
                raise CorruptError(f"{self._at} does not follow the entry before it")
            if number == state.checkpoint:
                _begin(state, entry)
            for change in entry.changes:
                state.apply(change)
            state.hash = digest
            state.marks[number] = digest[:SHORT]
        return state

    def _entry(self, number: int) -> tuple[LedgerEntry, str]:
        self._at = name = names.ledger_entry(number)
        known = self._entries.get(number)
        if known is not None:
            return known
        data = self._storage.read(name)
        entry = self._sealer.open(DocumentType.LEDGER_ENTRY, name, data, LedgerEntry)
        if entry.number != number or not 0 < entry.checkpoint <= number:
            raise CorruptError(f"{name} states numbers that are never written")
        self._entries[number] = entry, _hash(data)
        return self._entries[number]

    def forget_entries(self) -> None:
        """Has all entries read anew, for a check."""
        self._entries.clear()


def no_entry() -> MissingError:
    """Of a ledger that is on: whoever made the repository, or switched the feature on, began it."""
    return MissingError(
        "the ledger of snapshots has no entry: its objects were removed or have not arrived yet, "
        "or `init` was cut short"
    )


def _begin(state: LedgerState, entry: LedgerEntry) -> None:
    state.listed = dict(entry.listed or {})
    state.forgotten = dict(entry.forgotten or {})
    count = len(entry.marks) // SHORT
    for place in range(count):
        number = entry.number - count + place
        state.marks[number] = entry.marks[place * SHORT : (place + 1) * SHORT]


def _marks_before(state: LedgerState, number: int) -> str:
    """Of the entries just before `number`, without a gap."""
    first = number
    while first - 1 in state.marks and number - first < _KEPT_MARKS:
        first -= 1
    return "".join(state.marks[one] for one in range(first, number))


def _hash(data: bytes) -> str:
    return blake3(data).hexdigest()
