"""Whether the snapshots that are there are those that the ledger records.

What vanished, came back, or is of an earlier state of the repository is named; nothing is decided
about it. A step that a run before left undone (a forget without its entry) is no such thing: it is
told from those by objects that only it leaves, and completed.
"""

from __future__ import annotations

import logging
import os
import pwd
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rowvault.core.errors import (
    CorruptError,
    DamageError,
    MissingError,
    ObjectMissingError,
    UnsupportedFormatError,
)
from rowvault.core.ids import SessionId, SnapshotId
from rowvault.repository import names
from rowvault.repository.crypto.sealed import DocumentType, Sealer
from rowvault.repository.records.known_head import Head, KnownHead
from rowvault.repository.records.ledger import (
    SHORT,
    Acceptance,
    Change,
    ChangeKind,
    Ledger,
    LedgerState,
    no_entry,
)
from rowvault.repository.records.prune_ledger import PruneLedger
from rowvault.repository.records.session_object import SessionState
from rowvault.repository.records.snapshot import ForgottenSnapshot
from rowvault.repository.records.snapshot_store import SnapshotStore
from rowvault.storage.protocol import Storage

_log = logging.getLogger(__name__)

ADVICE = (
    "Bring back from a copy what vanished. If the repository itself was brought back from a copy, "
    "or what differs is meant, `rowvault check --accept-state` takes the set as it is now"
)


@dataclass(frozen=True, slots=True)
class SetProblem:
    """One way in which the set of snapshots is not as it is recorded."""

    object: str
    error: DamageError | UnsupportedFormatError


@dataclass(slots=True)
class SetReport:
    """What an examination has found."""

    problems: list[SetProblem] = field(default_factory=list)
    undone: list[Change] = field(default_factory=list)
    """Changes whose objects are as they must be, and which nobody has recorded yet."""
    stale: list[SetProblem] = field(default_factory=list)
    """Forgotten snapshots that a prune has removed, and whose object is there (again). The next
    prune removes it, so nothing has to wait for a person; nobody may bring them back."""

    def add(self, object_name: str, error: DamageError | UnsupportedFormatError) -> None:
        """Notes a problem with an object."""
        self.problems.append(SetProblem(object_name, error))

    def require_none(self) -> None:
        """Raises the first problem's kind of error, with all of them; without one nothing."""
        if self.problems:
            told = "; ".join(str(one.error) for one in self.problems[:10])
            more = len(self.problems) - 10
            told += f"; and {more} more" if more > 0 else ""
            raise type(self.problems[0].error)(f"{told}. Nothing was changed. {ADVICE}")


@dataclass(slots=True)
class _Objects:
    """What is there, by `<utc>-<id>`; with the session, None where that cannot be read."""

    unpublished: dict[str, str]
    listed: dict[str, str | None]
    trash: set[str]


class SnapshotSet:
    """The set of snapshots of one repository, as it is there and as it is recorded."""

    def __init__(
        self,
        storage: Storage,
        sealer: Sealer,
        snapshot_store: SnapshotStore,
        known: KnownHead | None,
    ) -> None:
        """`known`: what this host has seen of the ledger; None: it keeps nothing."""
        self._storage = storage
        self._sealer = sealer
        self._snapshot_store = snapshot_store
        self._ledger: Ledger = snapshot_store.ledger
        self._prunes = PruneLedger(storage, sealer)
        self._known = known

    def examine(self) -> SetReport:
        """Compares, and remembers the ledger's head where nothing differs. Raises StorageError."""
        report = self._examine()
        self._ledger.differs = bool(report.problems)
        return report

    def _examine(self) -> SetReport:
        if not self._ledger.is_on():
            return self._examine_without()
        while True:
            report = SetReport()
            known = None if self._known is None else self._known.read()
            try:
                state = self._ledger.read()
            except (DamageError, UnsupportedFormatError) as error:
                report.add(self._ledger.damaged_object(), error)
                return report
            self._compare(state, self._objects(), report)
            if (self._ledger.numbers() or [0])[-1] != state.head:
                continue  # somebody has extended it meanwhile
            self._compare_with_host(state, known, report)
            if not report.problems and self._known is not None and state.head:
                self._known.write(Head(state.head, state.hash[:SHORT]), known)
            return report

    def _examine_without(self) -> SetReport:
        """A repository has no ledger any more where a copy from before `upgrade` was put back."""
        report = SetReport()
        known = None if self._known is None else self._known.read()
        if known is not None:
            report.add(
                names.LEDGER,
                CorruptError(
                    f"the repository at {self._storage.location} is in an earlier state: this host "
                    f"has seen entry {known.number} of the ledger of snapshots, and it has no "
                    "ledger now"
                ),
            )
        return report

    def is_recorded_empty(self) -> bool:
        """Whether it is on record that none is left, and nothing contradicts that."""
        report = self.examine()
        if not self._ledger.is_on() or report.problems:
            return False
        state = self._ledger.read()
        for change in report.undone:
            state.apply(change)
        return state.records_none

    def settle(self) -> SetReport:
        """The same; what was left undone is recorded, unless something differs."""
        report = self.examine()
        if report.undone and not report.problems:
            self._ledger.extend(lambda state: report.undone)
        return report

    def begin_where_nothing_is(self) -> None:
        """Makes the first entry, where `init` was cut short before it. Raises StorageError."""
        if self._ledger.is_on() and not self._ledger.numbers() and not self._holds_anything():
            self._ledger.restart({}, {})

    def _holds_anything(self) -> bool:
        groups = (names.SESSIONS, names.PACKS, names.SNAPSHOTS, names.TRASH)
        return any(self._storage.list(group) for group in groups)

    def adopt(self) -> int:
        """Begins the ledger with the set that is there; how many snapshots. For an upgrade."""
        return self._restart(None)

    def accept(self) -> int:
        """Takes what is there for what must be there, and records who did. Raises StorageError."""
        if not self._ledger.is_on():
            if self._known is not None:
                self._known.forget()
            return len(self._snapshot_store.published())
        now = datetime.now(UTC).replace(microsecond=0)
        user = f"{_user_name()}@{socket.gethostname()}"
        count = self._restart(Acceptance(now, user))
        if self._known is not None:
            state = self._ledger.read()
            self._known.write(Head(state.head, state.hash[:SHORT]), None)
        return count

    def _restart(self, accepted: Acceptance | None) -> int:
        there = self._objects()
        try:
            before = self._ledger.read()
        except (DamageError, UnsupportedFormatError):
            before = LedgerState()
        listed = {
            name: before.listed.get(name, "") if session is None else session
            for name, session in there.listed.items()
        }
        forgotten = {
            name: self._forgotten_session(name) or ""
            for name in sorted(there.trash)
            if name not in listed and name not in there.unpublished
        }
        self._ledger.restart(listed, forgotten, accepted)
        self._ledger.differs = False
        return len(listed)

    def _objects(self) -> _Objects:
        """Sessions, then snapshots, then the trash: what moves meanwhile is seen where it goes."""
        unpublished = {}
        for document, _ in self._snapshot_store.sessions():
            if document.state is SessionState.COMMITTED and document.snapshot is not None:
                unpublished[_stem(document.snapshot.time, document.snapshot.id)] = document.id
        listed: dict[str, str | None] = {
            _stem(one.time, one.id): None if one.snapshot is None else one.snapshot.session or ""
            for one in self._snapshot_store.published()
        }
        trash = {name.removeprefix(names.TRASH) for name in self._storage.list(names.TRASH)}
        return _Objects(dict(unpublished), listed, trash)

    def _forgotten_session(self, stem: str) -> str | None:
        name = names.TRASH + stem
        try:
            data = self._storage.read(name)
            document = self._sealer.open(DocumentType.FORGOTTEN, name, data, ForgottenSnapshot)
        except (ObjectMissingError, DamageError, UnsupportedFormatError):
            return None
        return document.snapshot.session or ""

    def _compare(self, state: LedgerState, there: _Objects, report: SetReport) -> None:
        if not state.head:
            if self._holds_anything():
                report.add(names.LEDGER, no_entry())
            return
        for name, session in state.listed.items():
            if name not in there.unpublished:
                self._compare_listed(name, session, there, report)
        for name in there.listed.keys() - state.listed.keys() - there.unpublished.keys():
            if there.listed[name] is not None:  # else it is named as damaged
                what = (
                    "was forgotten" if name in state.forgotten else "is in no entry of the ledger"
                )
                report.add(
                    names.SNAPSHOTS + name,
                    CorruptError(f"snapshots/{name} {what}, and has come back"),
                )
        for name, session in state.forgotten.items():
            if name not in there.trash and name not in there.listed:
                self._compare_forgotten(name, session, there, report)
        recorded = state.listed.keys() | state.forgotten.keys()
        for name in there.trash - recorded - there.unpublished.keys() - there.listed.keys():
            self._compare_trash(name, report)

    def _compare_listed(self, name: str, session: str, there: _Objects, report: SetReport) -> None:
        found = there.listed.get(name)
        if name not in there.listed:
            if name in there.trash and self._forgotten_session(name) == session:
                report.undone.append(Change(ChangeKind.FORGOTTEN, name, session))
                return
            report.add(
                names.SNAPSHOTS + name,
                MissingError(f"snapshots/{name} has vanished: nobody has forgotten it"),
            )
        elif found and session and found != session:
            report.add(
                names.SNAPSHOTS + name,
                CorruptError(f"snapshots/{name} is an earlier object of that name come back"),
            )

    def _compare_forgotten(
        self, name: str, session: str, there: _Objects, report: SetReport
    ) -> None:
        if name in there.unpublished:
            return
        if not session or self._prunes.has_removed(SessionId(session)):
            report.undone.append(Change(ChangeKind.REMOVED, name, session))
            return
        report.add(
            names.TRASH + name,
            MissingError(f"trash/{name} has vanished: no prune has removed it"),
        )

    def _compare_trash(self, name: str, report: SetReport) -> None:
        """A forgotten snapshot that is not recorded as one."""
        session = self._forgotten_session(name)
        if session is None:  # it is named as damaged, or has gone meanwhile
            return
        if session and self._prunes.has_removed(SessionId(session)):
            error = CorruptError(f"trash/{name} was removed by a prune, and has come back")
            report.stale.append(SetProblem(names.TRASH + name, error))
            return
        report.add(
            names.TRASH + name,
            CorruptError(f"trash/{name} is in no entry of the ledger, and has come back"),
        )

    def _compare_with_host(self, state: LedgerState, known: Head | None, report: SetReport) -> None:
        if known is None:
            return
        if known.number > state.head:
            found = f"the newest is {state.head}"
        elif state.marks.get(known.number, known.mark) != known.mark:
            found = "another entry has that number now"
        else:
            return
        report.add(
            names.LEDGER,
            CorruptError(
                f"the repository at {self._storage.location} is in an earlier state: this host has "
                f"seen entry {known.number} of the ledger of snapshots, and {found}"
            ),
        )


def _stem(time: datetime, snapshot_id: SnapshotId) -> str:
    return names.snapshot(time, snapshot_id).removeprefix(names.SNAPSHOTS)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # an account without an entry, as in a container
        return str(os.geteuid())
