"""What only a directory can show: system calls, leftovers, errors of the operating system."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from rowvault.core.errors import ObjectExistsError, StorageError, UsageError
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


def test_old_leftovers_are_removed_and_young_ones_stay(place: Path) -> None:
    LocalStorage(place).create("a", b"1")
    old, young = place / ".tmp" / "old", place / ".tmp" / "young"
    for path in (old, young):
        path.write_bytes(b"cut short")
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(old, (two_days_ago, two_days_ago))
    storage = LocalStorage(place)
    storage.create("b", b"2")
    assert not old.exists()
    assert young.exists()
    assert storage.list("") == ["a", "b"]


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
    with pytest.raises(StorageError, match="is not a directory"):
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
