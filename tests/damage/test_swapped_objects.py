"""Objects in each other's place: another name, another repository, another kind, an earlier state.

Every one of them was made by this program and is whole, which is what an attacker has who may write
to the store but has no key. None may be taken for what it is not.
"""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from rowvault.codec.frames import BlockType
from rowvault.core.errors import DamageError, RowvaultError, WrongPasswordError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.packs.pack import PACK_HEADER_BYTES, PackReader
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.report import PruneRequest
from support.sample_repository import (
    CHEAP,
    SMALL,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

PASSWORD = b"correct horse"
CONTENT = {("shop", "orders"): sample_rows(60), ("shop", "items"): sample_rows(60, salt="i")}
GROUPS = [
    "keys/", "packs/data/", "packs/tree/", "index/", "snapshots/", "tags/", "sessions/", "trash/",
    "gc/",
]  # fmt: skip


def build(place: Path, password: bytes | None, relative: Repository | None) -> None:
    """A repository with an object of every kind."""
    storage = LocalStorage(place)
    with Repository.create(storage, password, SMALL, CHEAP, relative) as repository:
        for number in range(3):
            take_snapshot(repository, CONTENT, number, [f"tag {number}"])
        repository.forget(repository.find("latest~2"))
        if password is not None:
            repository.keys.add(b"second", "", CHEAP)
            added = repository.keys.add(b"third", "", CHEAP)
            repository.keys.remove(added.id)
        repository.begin("backup", SilentMonitor())  # stays at work
        repository.forget(repository.find("latest~1"))
        with repository.begin("backup", SilentMonitor()) as aborted:
            put_all(aborted, repository, {("a", "b"): sample_rows(50, salt="gone")}, 9)
            aborted.flush()
        prune(repository, PruneRequest(), SilentMonitor())
        repository.forget(take_snapshot(repository, CONTENT, 4))


@pytest.fixture(scope="module", params=["plain", "encrypted", "related"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two repositories, `one` and `two`."""
    place = tmp_path_factory.mktemp("pair")
    password = None if request.param == "plain" else PASSWORD
    build(place / "one", password, None)
    with open_it(place / "one") as one:
        build(place / "two", password, one if request.param == "related" else None)
    return place


def open_it(place: Path) -> Repository:
    return Repository.open(LocalStorage(place), lambda: PASSWORD)


@pytest.fixture
def places(pair: Path, tmp_path: Path) -> tuple[Path, Path]:
    shutil.copytree(pair, tmp_path / "pair")
    return tmp_path / "pair" / "one", tmp_path / "pair" / "two"


def names_in(place: Path, group: str) -> list[str]:
    return [group] if group == "config" else LocalStorage(place).list(group)


def assert_nothing_false(place: Path) -> None:
    """Whatever can be read is what was stored; all else is an error of ours."""
    try:
        with open_it(place) as repository:
            for snapshot in repository.snapshots():
                try:
                    assert read_snapshot(repository, snapshot) == CONTENT
                except DamageError:
                    continue
                assert snapshot.time.hour == 12
    except RowvaultError:
        return


def is_noticed(place: Path) -> bool:
    try:
        with open_it(place) as repository:
            monitor = SilentMonitor()
            if check(repository, True, monitor).errors:
                return True
            prune(repository, PruneRequest(dry_run=True), monitor)
            return bool(monitor.warnings)
    except RowvaultError:
        return True


@pytest.mark.parametrize("group", GROUPS)
def test_every_kind_is_there(pair: Path, group: str) -> None:
    assert names_in(pair / "one", group)


@pytest.mark.parametrize("group", [*GROUPS, "config"])
def test_an_object_of_the_other_repository(places: tuple[Path, Path], group: str) -> None:
    one, two = places
    for mine, theirs in zip(names_in(one, group), names_in(two, group), strict=False):
        (one / mine).write_bytes((two / theirs).read_bytes())
    assert_nothing_false(one)
    assert is_noticed(one)


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "keys/"])
def test_an_object_added_from_the_other_repository(places: tuple[Path, Path], group: str) -> None:
    """Packs and segments that nothing refers to harm nothing; small objects are refused."""
    one, two = places
    for theirs in names_in(two, group):
        (one / theirs).parent.mkdir(parents=True, exist_ok=True)
        (one / theirs).write_bytes((two / theirs).read_bytes())
    assert_nothing_false(one)
    if group not in ("packs/data/", "packs/tree/", "tags/"):
        assert is_noticed(one)
    with open_it(one) as repository:
        assert read_snapshot(repository, repository.find("latest")) == CONTENT


@pytest.mark.parametrize("source", GROUPS)
@pytest.mark.parametrize("target", ["keys/", "snapshots/", "tags/", "sessions/", "trash/", "gc/"])
def test_an_object_of_another_kind_or_name(
    places: tuple[Path, Path], source: str, target: str
) -> None:
    one, _ = places
    victim = names_in(one, target)[0]
    moved = next((name for name in names_in(one, source) if name != victim), None)
    if moved is None:
        return
    (one / victim).write_bytes((one / moved).read_bytes())
    assert_nothing_false(one)
    assert is_noticed(one)


@pytest.mark.parametrize("kind", ["data", "tree"])
def test_frames_in_each_others_place(places: tuple[Path, Path], kind: str) -> None:
    """Within a pack, under the same key: the nonce is the offset."""
    one, _ = places
    with open_it(one) as repository:
        place = repository.internals
        for segment in place.index.segments or (place.index.refresh() and place.index.segments):
            for pack_type, name in segment.typed_packs():
                if pack_type.name.lower() != kind:
                    continue
                entries = PackReader(place.storage, place.keys, pack_type, name).footer()
                same = [
                    (left, right)
                    for left, right in pairwise(entries)
                    if left.frame_bytes == right.frame_bytes
                ]
                for left, right in same:
                    path = one / "packs" / kind / name[:2] / name
                    data = bytearray(path.read_bytes())
                    a = slice(left.offset, left.offset + left.frame_bytes)
                    b = slice(right.offset, right.offset + right.frame_bytes)
                    data[a], data[b] = data[b], data[a]
                    path.write_bytes(data)
                    assert_nothing_false(one)
                    assert is_noticed(one)
                    return


def test_a_block_is_no_node_and_a_node_no_block(places: tuple[Path, Path]) -> None:
    one, _ = places
    with open_it(one) as repository:
        raw = b"the same bytes"
        assert repository.data_id(raw) != repository.node_id(raw)
        snapshot = repository.find("latest")
        with pytest.raises(DamageError):
            repository.read_data(snapshot.manifest.id)
        tree = repository.tree(snapshot.manifest)
        leaf = next(tree.entries())
        with pytest.raises(DamageError):
            repository.read_node(leaf.id)
        (place,) = set(repository.internals.index.find(BlockType.DATA, leaf.id))
    path = one / "packs" / "data" / place.pack[:2] / place.pack
    data = bytearray(path.read_bytes())
    data[place.offset + 4] = BlockType.NODE  # the type, in clear in the frame's header
    path.write_bytes(data)
    with open_it(one) as repository, pytest.raises(DamageError):
        repository.read_data(leaf.id)


def test_a_tree_pack_in_the_place_of_data_packs(places: tuple[Path, Path]) -> None:
    one, _ = places
    tree = names_in(one, "packs/tree/")[0]
    path = one / tree.replace("packs/tree/", "packs/data/")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes((one / tree).read_bytes())
    monitor = SilentMonitor()
    with open_it(one) as repository, repository.begin("backup", monitor) as session:
        session.abort()
    assert_nothing_false(one)


@pytest.mark.parametrize("cut", [1, PACK_HEADER_BYTES, 0.5])
@pytest.mark.parametrize("group", GROUPS)
def test_truncated(places: tuple[Path, Path], group: str, cut: float) -> None:
    one, _ = places
    for name in names_in(one, group):
        path = one / name
        size = path.stat().st_size
        path.write_bytes(path.read_bytes()[: size - int(size * cut if cut < 1 else cut)])
    assert_nothing_false(one)
    assert is_noticed(one)


def test_an_old_slot_that_comes_back_opens_nothing(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "place")
    with Repository.create(storage, PASSWORD, SMALL, CHEAP) as repository:
        keys = repository.keys
        (old,) = keys.all()
        kept = storage.read(f"keys/{old.id}")
        keys.change(b"new", None, CHEAP)
    storage.create(f"keys/{old.id}", kept)
    with pytest.raises(WrongPasswordError, match="was removed"):
        Repository.open(storage, lambda: PASSWORD)


def test_a_forgotten_snapshot_that_comes_back_is_seen_to_be_damaged(tmp_path: Path) -> None:
    """Replay of an object that was removed: authentic, but what it needs is gone."""
    storage = LocalStorage(tmp_path / "place")
    with Repository.create(storage, PASSWORD, SMALL, CHEAP) as repository:
        take_snapshot(repository, {("a", "b"): sample_rows(90, salt="old")}, 0)
        take_snapshot(repository, CONTENT, 1)
        name = storage.list("snapshots/")[0]
        kept = storage.read(name)
        repository.forget(repository.find("latest~1"))
        prune(repository, PruneRequest(), SilentMonitor())
    storage.create(name, kept)
    with open_it(tmp_path / "place") as repository:
        assert check(repository, False, SilentMonitor()).errors
        with pytest.raises(DamageError):
            read_snapshot(repository, repository.find("latest~1"))
        assert read_snapshot(repository, repository.find("latest")) == CONTENT
