"""What every Storage must do; a new kind is added to the fixture `storage`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rowvault.core.errors import (
    GroupMissingError,
    ObjectChangedError,
    ObjectExistsError,
    ObjectMissingError,
    StorageError,
)
from rowvault.storage import LocalStorage, Storage
from support.memory_storage import MemoryStorage

Reopen = Callable[[], Storage]


@pytest.fixture(params=["local", "memory"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    """Opens the same, at first empty place, as another process would."""
    if request.param == "local":
        return lambda: LocalStorage(tmp_path / "place")
    objects: dict[str, bytes] = {}
    return lambda: MemoryStorage(objects)


@pytest.fixture
def storage(reopen: Reopen) -> Storage:
    return reopen()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_created_object_reads_back(storage: Storage, reopen: Reopen, kind: type) -> None:
    storage.create("packs/data/ab/x", kind(b"content"))
    for one in (storage, reopen()):
        assert one.read("packs/data/ab/x") == b"content"
        assert bytes(one.view("packs/data/ab/x")) == b"content"
        assert one.size("packs/data/ab/x") == 7


def test_an_empty_object_is_an_object(storage: Storage) -> None:
    storage.create("empty", b"")
    assert storage.read("empty") == b""
    assert bytes(storage.view("empty")) == b""
    assert storage.size("empty") == 0
    assert storage.read_range("empty", 0, 5) == b""


def test_a_name_is_taken_once(storage: Storage) -> None:
    storage.create("a/b", b"first")
    with pytest.raises(ObjectExistsError, match="a/b"):
        storage.create("a/b", b"second")
    assert storage.read("a/b") == b"first"


def test_of_many_creators_one_wins(storage: Storage) -> None:
    won: list[int] = []
    gate = threading.Barrier(8)

    def compete(number: int) -> None:
        gate.wait()
        try:
            storage.create("prize", bytes([number]) * 1000)
            won.append(number)
        except ObjectExistsError:
            pass

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert storage.read("prize") == bytes(won) * 1000


def test_of_many_swappers_one_wins(storage: Storage) -> None:
    storage.create("state", b"active")
    won: list[int] = []
    gate = threading.Barrier(8)

    def compete(number: int) -> None:
        gate.wait()
        try:
            storage.swap("state", b"active", bytes([number]))
            won.append(number)
        except ObjectChangedError:
            pass

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert storage.read("state") == bytes(won)


def test_swap_replaces_only_what_is_expected(storage: Storage) -> None:
    storage.create("state", b"one")
    storage.swap("state", b"one", b"two and longer")
    with pytest.raises(ObjectChangedError, match="state"):
        storage.swap("state", b"one", b"three")
    assert storage.read("state") == b"two and longer"
    with pytest.raises(ObjectMissingError, match="nothing"):
        storage.swap("nothing", b"", b"x")


def test_ranges_end_where_the_object_ends(storage: Storage) -> None:
    storage.create("digits", b"0123456789")
    assert storage.read_range("digits", 2, 3) == b"234"
    assert storage.read_range("digits", 8, 10) == b"89"
    assert storage.read_range("digits", 20, 4) == b""


@pytest.mark.parametrize("action", ["read", "view", "size"])
def test_what_is_not_there_is_missing(storage: Storage, action: str) -> None:
    for name in ("nothing", "no/such/thing"):
        with pytest.raises(ObjectMissingError, match=name):
            getattr(storage, action)(name)
    with pytest.raises(ObjectMissingError):
        storage.read_range("nothing", 0, 1)


def test_lists_are_sorted_and_limited_to_their_group(storage: Storage) -> None:
    assert storage.list("") == []
    assert storage.top() == []
    for name in ("packs/tree/bb/2", "packs/data/aa/1", "packs-not/1", "config", "keys/0"):
        storage.create(name, b"x")
    everything = ["config", "keys/0", "packs-not/1", "packs/data/aa/1", "packs/tree/bb/2"]
    assert storage.list("") == everything
    assert storage.list("packs/") == ["packs/data/aa/1", "packs/tree/bb/2"]
    assert storage.list("packs/data/") == ["packs/data/aa/1"]
    assert storage.top() == ["config", "keys/", "packs-not/", "packs/"]
    with pytest.raises(StorageError):
        storage.list("packs")


def test_a_group_that_is_missing_is_no_empty_one(storage: Storage, reopen: Reopen) -> None:
    storage.create("config", b"x")
    storage.make_group("snapshots/")
    storage.make_group("snapshots/")
    storage.make_group("packs/data/")
    for one in (storage, reopen()):
        assert one.has_group("snapshots/")
        assert one.list("snapshots/") == one.list("packs/data/") == one.list("packs/") == []
        for group in ("sessions/", "packs/tree/", "snap/", "packs/data/aa/"):
            assert not one.has_group(group)
            with pytest.raises(GroupMissingError, match=group):
                one.list(group)
    assert storage.list("") == ["config"]
    assert storage.top() == ["config", "packs/", "snapshots/"]


def test_a_group_outlives_its_objects(storage: Storage, reopen: Reopen) -> None:
    storage.create("tags/a/b", b"x")
    storage.delete("tags/a/b")
    assert reopen().list("tags/") == reopen().list("tags/a/") == []


@pytest.mark.parametrize("group", ["", "/", "tags", "../tags/", "tags/../x/", ".tmp/", "a//"])
def test_groups_have_the_names_of_groups(storage: Storage, group: str) -> None:
    for act in (storage.make_group, storage.has_group):
        with pytest.raises(StorageError):
            act(group)


def test_delete_is_idempotent_and_frees_the_name(storage: Storage) -> None:
    storage.create("tags/a/b", b"1")
    storage.delete("tags/a/b")
    storage.delete("tags/a/b")
    assert storage.list("tags/") == []
    storage.create("tags/a/b", b"2")
    assert storage.read("tags/a/b") == b"2"


def test_a_view_outlives_the_object(storage: Storage) -> None:
    storage.create("index/x", b"records" * 1000)
    view = storage.view("index/x")
    storage.delete("index/x")
    assert bytes(view) == b"records" * 1000


@pytest.mark.parametrize(
    "name",
    ["", "/", "/etc/passwd", "a//b", "../a", "a/../b", ".tmp/x", "a/.b", "a/", "a\0b", "a b", "ä"],
)
def test_names_cannot_leave_the_place(storage: Storage, name: str) -> None:
    for act in (
        lambda: storage.create(name, b"x"),
        lambda: storage.read(name),
        lambda: storage.delete(name),
        lambda: storage.swap(name, b"", b"x"),
    ):
        with pytest.raises(StorageError):
            act()


def test_objects_of_many_mebibytes(storage: Storage) -> None:
    content = bytes(range(256)) * (5 << 12)
    storage.create("large", content)
    assert storage.read("large") == content
    assert storage.read_range("large", 1 << 20, 3 << 20) == content[1 << 20 : 4 << 20]
