"""What only a directory can show: system calls, leftovers, errors of the operating system."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rowvault.core.errors import (
    GroupMissingError,
    ObjectExistsError,
    ObjectMissingError,
    StorageError,
    UnreadableError,
    UsageError,
)
from rowvault.storage import LocalStorage, open_storage


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "place"


class Recorder:
    """Notes the calls that make a file durable, in order, and lets them happen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, str]] = []
        self._paths: dict[int, str] = {}
        for name in ("open", "fsync", "posix_fadvise", "link", "rename"):
            self._wrap(monkeypatch, name)

    def _wrap(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        real = getattr(os, name)

        def call(*arguments: object, **options: object) -> object:
            result = real(*arguments, **options)
            if name == "open":
                self._paths[result] = str(arguments[0])
            elif name in ("fsync", "posix_fadvise"):
                self.calls.append((name, self._paths[arguments[0]]))  # type: ignore[index]
            else:
                self.calls.append((name, str(arguments[-1])))
            return result

        monkeypatch.setattr(os, name, call)


def test_create_syncs_the_file_before_its_name_and_the_directory_after(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(place)
    storage.create("a/first", b"1")
    recorder = Recorder(monkeypatch)
    storage.create("a/second", b"2")
    (sync, temporary), link, sync_directory = recorder.calls
    assert sync == "fsync"
    assert temporary.startswith(str(place / ".tmp"))
    assert link == ("link", str(place / "a" / "second"))
    assert sync_directory == ("fsync", str(place / "a"))


def test_bulk_leaves_the_page_cache_when_it_is_durable(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(place)
    storage.create("a/first", b"1")
    recorder = Recorder(monkeypatch)
    storage.create("a/second", b"2", is_bulk=True)
    assert [call for call, _ in recorder.calls] == ["fsync", "posix_fadvise", "link", "fsync"]
    assert recorder.calls[0][1] == recorder.calls[1][1]
    assert storage.read("a/second") == b"2"


def test_a_file_system_that_takes_no_advice_is_none_the_worse(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL, "no advice here")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    storage = LocalStorage(place)
    storage.create("a/first", b"1", is_bulk=True)
    assert storage.read("a/first") == b"1"


def test_new_directories_are_synced_into_their_parents_first(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch)
    LocalStorage(place).create("a/b/c", b"1")
    link = recorder.calls.index(("link", str(place / "a" / "b" / "c")))
    for parent in (place.parent.parent, place.parent, place, place / "a"):
        assert recorder.calls.index(("fsync", str(parent))) < link


def test_swap_syncs_the_file_before_the_rename(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(place)
    storage.create("a", b"1")
    recorder = Recorder(monkeypatch)
    storage.swap("a", b"1", b"2")
    assert [name for name, _ in recorder.calls] == ["fsync", "rename", "fsync"]
    assert recorder.calls[1][1] == str(place / "a")
    assert recorder.calls[2][1] == str(place)


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
def test_a_failing_call_leaves_nothing_behind(
    place: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    storage = LocalStorage(place)
    storage.create("a/first", b"1")

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(StorageError, match=r"cannot write a/second.*Input/output error"):
            storage.create("a/second", b"2")
    assert storage.list("") == ["a/first"]
    assert os.listdir(place / ".tmp") == []
    storage.create("a/second", b"2")


def test_a_full_disk_is_named_with_what_to_do(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = LocalStorage(place)

    def full(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError, match="The disk is full") as caught:
        storage.create("a", b"1")
    assert str(place) in str(caught.value)
    assert "Make room" in str(caught.value)


def test_short_writes_are_continued(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
    storage = LocalStorage(place)
    storage.create("a", b"0123456789" * 10)
    assert storage.read("a") == b"0123456789" * 10


def test_without_hard_links_names_are_still_taken_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    storage = LocalStorage(place)
    storage.create("a", b"1")
    with pytest.raises(ObjectExistsError):
        storage.create("a", b"2")
    assert storage.read("a") == b"1"
    assert os.listdir(place / ".tmp") == []


DAY_S = 24 * 60 * 60


def leftover(place: Path, name: str, age_s: float) -> Path:
    """A temporary file of another run, by the clock that the file system goes by."""
    path = place / ".tmp" / name
    path.write_bytes(b"cut short")
    written_at = path.stat().st_mtime - age_s
    os.utime(path, (written_at, written_at))
    return path


def test_old_leftovers_are_removed_and_young_ones_stay(place: Path) -> None:
    LocalStorage(place).create("a", b"1")
    old = leftover(place, "0" * 32, 2 * DAY_S)
    young = leftover(place, "1" * 32, DAY_S / 2)
    foreign = leftover(place, "what a person put here", 9 * DAY_S)
    (place / ".tmp" / "folder").mkdir()
    storage = LocalStorage(place)
    storage.create("b", b"2")
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()
    assert storage.list("") == ["a", "b"]


def test_a_host_whose_clock_is_days_ahead_leaves_the_file_of_another_one_alone(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LocalStorage(place).create("a", b"1")
    live = leftover(place, "2" * 32, 0)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3 * DAY_S)
    LocalStorage(place).create("b", b"2")
    assert live.exists()


def removing(place: Path, real: Callable[..., None], times: int) -> Callable[..., None]:
    """Removes temporary files before they get their names, so many times."""
    left = iter(range(times))

    def act(source: Path, target: Path) -> None:
        if next(left, None) is not None:
            for path in (place / ".tmp").iterdir():
                path.unlink()
        real(source, target)

    return act


@pytest.mark.parametrize(("call", "act"), [("link", "create"), ("rename", "swap")])
def test_a_lost_temporary_file_is_written_again(
    place: Path, monkeypatch: pytest.MonkeyPatch, call: str, act: str
) -> None:
    storage = LocalStorage(place)
    storage.create("state", b"1")
    for times in (1, 3):
        monkeypatch.setattr(os, call, removing(place, getattr(os, call), times))
        if act == "create":
            storage.create(f"a/{times}", b"whole")
        else:
            storage.swap("state", storage.read("state"), b"whole %d" % times)
        monkeypatch.undo()
    name = "a/3" if act == "create" else "state"
    assert storage.read(name).startswith(b"whole")
    assert os.listdir(place / ".tmp") == []


@pytest.mark.parametrize("call", ["link", "rename"])
def test_temporary_files_that_always_vanish_are_told_as_that(
    place: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    storage = LocalStorage(place)
    storage.create("state", b"1")
    monkeypatch.setattr(os, call, removing(place, getattr(os, call), 99))
    with pytest.raises(StorageError, match="temporary files") as caught:
        storage.create("a", b"2") if call == "link" else storage.swap("state", b"1", b"2")
    assert not isinstance(caught.value, ObjectMissingError)
    monkeypatch.undo()
    assert storage.list("") == ["state"]
    assert storage.read("state") == b"1"


def test_a_directory_for_temporary_files_that_is_gone_is_made_again(place: Path) -> None:
    storage = LocalStorage(place)
    storage.create("a", b"1")
    (place / ".tmp").rmdir()
    storage.create("b", b"2")
    (place / ".tmp").rmdir()
    storage.swap("b", b"2", b"3")
    assert storage.read("b") == b"3"


def test_a_lock_file_that_is_removed_locks_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that hold the locks of two files would both believe to be alone."""
    storage = LocalStorage(place)
    storage.create("state", b"1")
    real = fcntl.flock
    locked: list[bool] = []

    def flock(descriptor: int, operation: int) -> None:
        real(descriptor, operation)
        if not locked:  # tidied away while we waited for whoever held it
            (place / ".lock").unlink()
        locked.append(
            (place / ".lock").exists()
            and os.path.samestat(os.stat(place / ".lock"), os.fstat(descriptor))
        )

    monkeypatch.setattr(fcntl, "flock", flock)
    storage.swap("state", b"1", b"2")
    assert locked == [False, True]
    assert storage.read("state") == b"2"


def test_nothing_is_written_below_the_mount_point_of_a_disk_that_is_gone(place: Path) -> None:
    storage = LocalStorage(place)
    storage.create("snapshots/a", b"1")
    place.rename(place.parent / "elsewhere")
    place.mkdir()
    with pytest.raises(StorageError, match="another directory"):
        storage.create("packs/data/a", b"2")
    with pytest.raises(StorageError, match="another directory"):
        storage.create("snapshots/b", b"2")
    assert os.listdir(place) == []


@pytest.mark.parametrize("code", ["EACCES", "EIO", "ENOTCONN", "ESTALE"])
@pytest.mark.parametrize("at", [0, 1])
def test_a_directory_that_cannot_be_listed_to_its_end_is_an_error(
    place: Path, monkeypatch: pytest.MonkeyPatch, code: str, at: int
) -> None:
    """Also one that fails behind its first entries, and one below the one that is asked for."""
    storage = LocalStorage(place)
    storage.create("packs/aa/1", b"1")
    storage.create("packs/bb/2", b"1")
    real = os.scandir

    def failing(path: Path) -> Iterator[os.DirEntry[str]]:
        with real(path) as entries:
            yield from itertools.islice(entries, at)
        raise OSError(getattr(errno, code), os.strerror(getattr(errno, code)))

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", failing)
        for group in ("packs/", "packs/aa/"):
            with pytest.raises(StorageError, match=r"cannot list packs/.*") as failure:
                storage.list(group)
            assert isinstance(failure.value, UnreadableError) == (code == "EIO")
        with pytest.raises(StorageError):
            storage.top()


def test_a_directory_that_vanishes_while_it_is_listed_is_an_error(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(place)
    storage.create("packs/aa/1", b"1")
    storage.create("packs/bb/2", b"1")
    real = os.scandir

    def vanishing(path: Path) -> Iterator[os.DirEntry[str]]:
        if path == place / "packs" / "aa":
            shutil.rmtree(place / "packs" / "aa")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", vanishing)
        with pytest.raises(StorageError, match="cannot list packs/"):
            storage.list("packs/")


def test_what_cannot_be_an_object_is_named_and_not_looked_into(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(place)
    storage.create("keys/ab", b"1")
    files = [".DS_Store", "._ab", ".nfs0001", "ab~", "Thumbs.db", "a b", "caf\udce9"]
    directories = ["lost+found", "@eaDir"]
    for name in files:
        (place / "keys" / name).write_bytes(b"")
    for name in directories:
        (place / "keys" / name).mkdir()
        (place / "keys" / name / "inside").write_bytes(b"")
    names = ["ab", *files, *(f"{name}/" for name in directories)]
    assert storage.list("keys/") == sorted(f"keys/{name}" for name in names)


def test_a_link_to_what_is_not_there_is_no_missing_object(place: Path, tmp_path: Path) -> None:
    """It would count as one that was removed since it was listed."""
    storage = LocalStorage(place)
    storage.create("snapshots/a", b"1")
    (place / "snapshots" / "b").symlink_to(tmp_path / "not mounted" / "b")
    assert storage.list("snapshots/") == ["snapshots/a", "snapshots/b"]
    reads = (storage.read, storage.view, storage.size, lambda name: storage.read_range(name, 0, 1))
    for act in reads:
        with pytest.raises(StorageError, match="snapshots/b is a link") as caught:
            act("snapshots/b")
        assert not isinstance(caught.value, ObjectMissingError)


def test_directories_may_be_links_to_others(place: Path, tmp_path: Path) -> None:
    LocalStorage(place).create("packs/data/aa/1", b"1")
    (place / "packs" / "data" / "aa").rename(tmp_path / "other disk")
    (place / "packs" / "data" / "aa").symlink_to(tmp_path / "other disk")
    assert LocalStorage(place).list("packs/") == ["packs/data/aa/1"]


def test_lost_and_found_is_not_an_object(place: Path) -> None:
    (place / "lost+found").mkdir(parents=True)
    (place / "lost+found" / "x").write_bytes(b"")
    storage = LocalStorage(place)
    assert storage.list("") == []
    assert storage.top() == []


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    storage = LocalStorage(tmp_path / "file")
    assert storage.top() == []
    with pytest.raises(StorageError, match="is not a directory"):
        storage.create("config", b"")
    with pytest.raises(GroupMissingError):
        storage.list("keys/")


def test_objects_are_for_their_owner_alone(place: Path) -> None:
    LocalStorage(place).create("keys/a", b"secret")
    assert (place / "keys" / "a").stat().st_mode & 0o077 == 0
    assert (place / "keys").stat().st_mode & 0o077 == 0


def test_locations(tmp_path: Path) -> None:
    assert open_storage(str(tmp_path)).location == str(tmp_path)
    assert open_storage(f"file://{tmp_path}").location == str(tmp_path)
    for location in ("s3://bucket/prefix", "gs://bucket", "sftp://host/x"):
        with pytest.raises(UsageError, match="not supported"):
            open_storage(location)
    with pytest.raises(UsageError, match="empty"):
        open_storage("")
