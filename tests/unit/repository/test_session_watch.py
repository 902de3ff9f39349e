"""Who is dead is told by what was observed: clones, containers and hidden processes live on."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable

import msgspec
import pytest

from rowvault.core.monitor import SilentMonitor
from rowvault.repository.records import session_object
from rowvault.repository.records.prune_ledger import Sighting
from rowvault.repository.records.session_object import ProcessIdentity, SessionDocument, observer
from rowvault.repository.records.session_watch import LEASE_S, Life, SessionWatch
from rowvault.repository.repository import Repository
from rowvault.repository.session import WriteSession
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from support.memory_storage import MemoryStorage
from support.sample_repository import (
    SMALL,
    open_plain,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

FIRST = {("shop", "orders"): sample_rows(80)}
SECOND = {("shop", "orders"): sample_rows(80, salt="second")}


@pytest.fixture
def storage() -> MemoryStorage:
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL) as repository:
        take_snapshot(repository, FIRST, 0)
    return storage


@pytest.fixture
def begin_on(storage: MemoryStorage) -> Callable[[ProcessIdentity], WriteSession]:
    """Begins a backup of a process that has this identity, which goes on while others look."""

    def act(identity: ProcessIdentity) -> WriteSession:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ProcessIdentity, "current", classmethod(lambda cls: identity))
            return open_plain(storage).begin("backup", SilentMonitor())

    return act


Begin = Callable[[ProcessIdentity], WriteSession]
MACHINE = "0123456789abcdef0123456789abcdef"
HERE = msgspec.structs.replace(ProcessIdentity.current(), machine=MACHINE)
OTHER_BOOT = msgspec.structs.replace(HERE, boot="that of a clone", start=1)


@pytest.fixture(autouse=True)
def _a_machine_with_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers may have none."""
    real = session_object._first_line
    given = {"/etc/machine-id": MACHINE}
    monkeypatch.setattr(session_object, "_first_line", lambda path: given.get(path) or real(path))


def test_a_session_of_a_cloned_machine_lives_on(storage: MemoryStorage, begin_on: Begin) -> None:
    """The same host name and machine id, as images give them; but it has started by itself."""
    session = begin_on(OTHER_BOOT)
    other = open_plain(storage)
    draft = put_all(session, other, SECOND, 1)
    with open_plain(storage) as repository:
        take_snapshot(repository, FIRST, 2)
        repository.forget(repository.find("latest"))
        prune(repository, PruneRequest(limits=PruneLimits(max_unused=0)), SilentMonitor())
        assert [one.id for one, _ in repository.internals.snapshot_store.sessions()] == [session.id]
    snapshot = session.commit(draft)
    with open_plain(storage) as repository:
        assert read_snapshot(repository, repository.find(snapshot.id)) == SECOND


def test_what_died_before_a_restart_ends_when_it_was_seen_for_long(
    storage: MemoryStorage, begin_on: Begin
) -> None:
    dead = begin_on(OTHER_BOOT)
    put_all(dead, open_plain(storage), SECOND, 1)
    dead.flush()
    repository = open_plain(storage)
    ledger = repository.internals.prune_ledger

    def sessions() -> set[str]:
        return {one.id for one, _ in repository.internals.snapshot_store.sessions()}

    take_snapshot(repository, FIRST, 1)
    take_snapshot(repository, FIRST, 2)
    assert sessions() == {dead.id}
    [seen] = ledger.read_sightings()
    assert (seen.session, seen.machine, seen.boot) == (dead.id, *observer())
    assert seen.seconds <= time.monotonic()
    long_ago = msgspec.structs.replace(seen, seconds=time.monotonic() - LEASE_S - 1)
    ledger.write_sightings((long_ago,))
    take_snapshot(repository, FIRST, 3)
    assert sessions() == set()
    dead.abort()


def test_sightings_of_others_are_kept_for_them(storage: MemoryStorage, begin_on: Begin) -> None:
    session = begin_on(OTHER_BOOT)
    repository = open_plain(storage)
    ledger = repository.internals.prune_ledger
    theirs = Sighting(session.id, 0, "another machine", "another boot", 5.0)
    stale = Sighting("ab" * 16, 0, "another machine", "another boot", 5.0)
    ledger.write_sightings((stale, theirs))
    take_snapshot(repository, FIRST, 1)
    kept = ledger.read_sightings()
    assert theirs in kept
    assert stale not in kept
    assert {one.machine for one in kept} == {"another machine", HERE.machine}
    session.abort()


def test_sightings_by_another_clock_mean_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may have been given a monotonic clock that is hours ahead."""
    document = SessionDocument.active("ab" * 16, "backup")
    document = msgspec.structs.replace(document, process=OTHER_BOOT)
    real = session_object._link
    clock = {"/proc/self/ns/time": "time:[1]"}
    monkeypatch.setattr(session_object, "_link", lambda path: clock.get(path) or real(path))
    watch = SessionWatch(clock=lambda: 1000.0)
    watch.judge(document)
    seen = watch.sightings([document.id])
    assert SessionWatch(seen, clock=lambda: 9000.0).judge(document) is Life.LAPSED
    clock["/proc/self/ns/time"] = "time:[2]"
    assert SessionWatch(seen, clock=lambda: 9000.0).judge(document) is Life.UNKNOWN


def test_a_process_that_is_hidden_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As /proc with hidepid=2 hides those of other users."""
    living = subprocess.Popen(["sleep", "60"])
    try:
        identity = msgspec.structs.replace(HERE, pid=living.pid, start=5)
        assert identity.is_gone()  # another process has that number now
        monkeypatch.setattr(session_object, "_process_start", lambda pid: None)
        assert not identity.is_gone()

        def refuse(pid: int, signal: int) -> None:
            raise PermissionError(1, "Operation not permitted")

        with monkeypatch.context() as patch:
            patch.setattr(os, "kill", refuse)
            assert not identity.is_gone()
    finally:
        living.kill()
        living.wait()
    assert identity.is_gone()


def test_without_namespaces_nobody_is_known_to_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = msgspec.structs.replace(HERE, start=HERE.start + 1, pid_namespace="")
    assert not dead.is_gone()
    monkeypatch.setattr(session_object, "_link", lambda path: "")
    assert not dead.is_gone()
