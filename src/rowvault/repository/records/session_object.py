"""The session object: who is at work on a repository, and the one step that commits the work."""

from __future__ import annotations

import enum
import os
import pwd
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from rowvault.core.ids import SessionId, SnapshotId
from rowvault.core.instant import Instant
from rowvault.repository.records.snapshot import Snapshot


class SessionState(enum.StrEnum):
    """The values are stored; only `active` ever becomes another one."""

    ACTIVE = "active"
    COMMITTED = "committed"
    ABORTED = "aborted"


class ProcessIdentity(msgspec.Struct, frozen=True):
    """One process on one machine, told from every other one, also after its pid is used again."""

    host: str
    machine: str
    """/etc/machine-id: hosts of the same name are told apart."""
    boot: str
    """Changes with every start of the machine."""
    pid_namespace: str
    pid: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
    start: int
    """Clock ticks after the boot."""
    user: str = ""
    """For people alone."""

    @classmethod
    def current(cls) -> ProcessIdentity:
        """This process."""
        pid = os.getpid()
        return cls(
            host=socket.gethostname(),
            machine=_first_line("/etc/machine-id"),
            boot=_first_line("/proc/sys/kernel/random/boot_id"),
            pid_namespace=_link("/proc/self/ns/pid"),
            pid=pid,
            start=_process_start(pid) or 0,
            user=_user_name(),
        )

    def is_here(self) -> bool:
        """True only where it is certain that the process runs on this machine."""
        return self._is_of_this_boot() and _process_start(self.pid) == self.start

    def is_gone(self) -> bool:
        """True only where it is certain: this boot of this machine, and it does not run any more.

        Ids and names of machines are cloned: a process of another boot may run on another one.
        """
        if not self._is_of_this_boot() or not self.start:
            return False
        start = _process_start(self.pid)
        if start is None:  # other users' processes may be hidden: proc(5), hidepid
            return not _is_used(self.pid)
        return start != self.start

    def _is_of_this_boot(self) -> bool:
        here = ProcessIdentity.current()
        place = (self.host, self.machine, self.boot, self.pid_namespace)
        is_known = bool(here.boot and here.pid_namespace)
        return is_known and place == (here.host, here.machine, here.boot, here.pid_namespace)


class SessionDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in `sessions/<id>`."""

    id: SessionId
    state: SessionState
    command: str
    began: Instant
    process: ProcessIdentity
    parent: SnapshotId | None = None
    """The snapshot that the run builds on: while it is at work, nothing of that is removed."""
    snapshot: Snapshot | None = None
    """Of a committed session: the document to publish."""
    tags: tuple[str, ...] = ()
    heartbeat: Instant | None = None
    """The last sign of life, by that machine's clock: for people alone."""
    beats: int = 0
    """Signs of life so far: another number is a living session."""
    generation: int = 0
    """The session relies on no pack that prunes had condemned up to this generation."""

    @classmethod
    def active(
        cls, session_id: SessionId, command: str, parent: SnapshotId | None = None
    ) -> SessionDocument:
        """A session of this process that begins now."""
        return cls(
            id=session_id,
            state=SessionState.ACTIVE,
            command=command,
            parent=parent,
            began=datetime.now(UTC),
            process=ProcessIdentity.current(),
        )

    def beating(self) -> SessionDocument:
        """The same session, one sign of life later."""
        return msgspec.structs.replace(self, beats=self.beats + 1, heartbeat=datetime.now(UTC))

    def committed(self, snapshot: Snapshot, tags: tuple[str, ...]) -> SessionDocument:
        """The same session with its result."""
        return msgspec.structs.replace(
            self, state=SessionState.COMMITTED, snapshot=snapshot, tags=tags
        )

    def aborted(self) -> SessionDocument:
        """The same session without a result; it can no longer commit."""
        return msgspec.structs.replace(self, state=SessionState.ABORTED)


class TagDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in `tags/<snapshot id>/<digest>`."""

    tag: str
    created: Instant


def observer() -> tuple[str, str]:
    """(machine, boot and clock) of who may go on from what was seen; empty where it is not known.

    Containers may have a monotonic clock of their own: time_namespaces(7).
    """
    here = ProcessIdentity.current()
    clock = _link("/proc/self/ns/time")
    return here.machine, f"{here.boot} {clock}".strip() if here.boot else ""


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").partition("\n")[0].strip()
    except OSError:  # not on this system; is_gone then answers no
        return ""


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # an account without an entry, as in a container
        return str(os.geteuid())


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:  # as above
        return ""


def _is_used(pid: int) -> bool:
    """Whether any process has this number, also one that is hidden."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def _process_start(pid: int) -> int | None:
    """Field 22 of /proc/<pid>/stat (proc(5)); None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the command in parentheses may hold spaces
    return int(fields[19])
