"""Index segments written by somebody without a key: nobody believes what they say.

A segment's name is an unkeyed hash, and ids stand in clear in the headers of frames. So whoever can
add a file to the store can claim that a block also stands where another one does.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from rowvault.core.errors import DamageError
from rowvault.core.ids import PackName
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import names
from rowvault.repository.check import check
from rowvault.repository.index_segment import StoredPack, encode_segment, segment_name
from rowvault.repository.names import PackType
from rowvault.repository.pack import PackEntry, PackReader
from rowvault.repository.prune import prune
from rowvault.repository.prune_plan import PruneLimits
from rowvault.repository.prune_report import PruneReport, PruneRequest
from rowvault.repository.repair import repair
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.sample_repository import (
    CHEAP,
    SMALL,
    Tables,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

PASSWORD = b"correct horse"
OLD: Tables = {("shop", "orders"): sample_rows(150), ("shop", "items"): sample_rows(5, salt="i")}
NEW: Tables = {
    ("shop", "orders"): [*OLD["shop", "orders"][:100], *sample_rows(150, salt="n")[100:]],
    ("shop", "items"): OLD["shop", "items"],
}
GONE: Tables = {("shop", "orders"): sample_rows(150, salt="gone")}

Packs = dict[PackName, list[PackEntry]]
Forger = Callable[[Packs], Iterable[StoredPack]]


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two snapshots, and a forgotten one whose packs a prune would remove."""
    place = tmp_path_factory.mktemp("forged") / request.param
    password = PASSWORD if request.param == "encrypted" else None
    with Repository.create(LocalStorage(place), password, SMALL, CHEAP) as repository:
        gone = take_snapshot(repository, GONE, 0)
        take_snapshot(repository, OLD, 1)
        take_snapshot(repository, NEW, 2)
        repository.forget(gone)
    return place


@pytest.fixture
def place(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / base.name))


def open_it(place: Path) -> Repository:
    return Repository.open(LocalStorage(place), lambda: PASSWORD)


def run_prune(place: Path, *, dry_run: bool = False) -> PruneReport:
    request = PruneRequest(limits=PruneLimits(max_unused=0), dry_run=dry_run)
    with open_it(place) as repository:
        return prune(repository, request, SilentMonitor())


def data_packs(place: Path) -> Packs:
    found: Packs = {}
    with open_it(place) as repository:
        for name in LocalStorage(place).list("packs/data/"):
            kind, pack = names.split_pack(name)
            reader = PackReader(repository.place.storage, repository.place.keys, kind, pack)
            found[pack] = reader.footer()
    return found


def packs_stored(place: Path) -> set[str]:
    return set(LocalStorage(place).list("packs/"))


def moved(entry: PackEntry, to: PackEntry) -> PackEntry:
    """The claim that one block stands where another one does."""
    return to._replace(id=entry.id)


def every_block_elsewhere(packs: Packs) -> Iterable[StoredPack]:
    """The blocks of each pack stand in the others, too."""
    chosen = list(packs)
    for place, name in enumerate(chosen):
        victims = packs[chosen[place - 1]]
        targets = packs[name]
        entries = [moved(one, targets[n % len(targets)]) for n, one in enumerate(victims)]
        yield PackType.DATA, name, entries


def in_one_frame(packs: Packs) -> Iterable[StoredPack]:
    """All blocks stand at the first frame of the first pack."""
    name = next(iter(packs))
    target = packs[name][0]
    yield PackType.DATA, name, [moved(one, target) for part in packs.values() for one in part]


def in_a_pack_that_is_not_there(packs: Packs) -> Iterable[StoredPack]:
    """All blocks stand in a pack of which nobody has heard."""
    entries = [one for part in packs.values() for one in part]
    yield PackType.DATA, PackName("ab" * 32), entries


def less_deep(packs: Packs) -> Iterable[StoredPack]:
    """Each block stands where it does, one byte earlier."""
    for name, entries in packs.items():
        yield PackType.DATA, name, [one._replace(offset=one.offset - 1) for one in entries]


def in_part(packs: Packs) -> Iterable[StoredPack]:
    """Each pack holds its first block alone."""
    for name, entries in packs.items():
        yield PackType.DATA, name, entries[:1]


FORGERS: dict[str, Forger] = {
    "elsewhere": every_block_elsewhere,
    "in one frame": in_one_frame,
    "in a pack that is not there": in_a_pack_that_is_not_there,
    "one byte earlier": less_deep,
}


def forge(place: Path, forger: Forger, *, instead: bool = False) -> str:
    """Puts a forged segment beside the others, or in their place; its object's name."""
    data = encode_segment(list(forger(data_packs(place))))
    storage = LocalStorage(place)
    if instead:
        tree = []
        with open_it(place) as repository:
            for name in storage.list("packs/tree/"):
                kind, pack = names.split_pack(name)
                reader = PackReader(storage, repository.place.keys, kind, pack)
                tree.append((kind, pack, reader.footer()))
        data = encode_segment([*forger(data_packs(place)), *tree])
        for name in storage.list("index/"):
            storage.delete(name)
    storage.create(names.segment(segment_name(data)), data)
    return segment_name(data)


def assert_whole(place: Path) -> None:
    with open_it(place) as repository:
        found = [read_snapshot(repository, one) for one in repository.snapshots()]
    assert found == [OLD, NEW]


@pytest.mark.parametrize("instead", [False, True], ids=["beside", "instead"])
@pytest.mark.parametrize("forger", FORGERS.values(), ids=list(FORGERS))
def test_prune_removes_nothing_on_the_word_of_a_forged_segment(
    place: Path, forger: Forger, instead: bool
) -> None:
    before = packs_stored(place)
    segment = forge(place, forger, instead=instead)
    with pytest.raises(DamageError, match=r"Nothing was removed") as refusal:
        run_prune(place)
    assert segment in str(refusal.value)
    assert packs_stored(place) >= before
    with open_it(place) as repository:
        repair(repository, SilentMonitor())
        assert check(repository, True, SilentMonitor()).errors == []
    assert_whole(place)
    run_prune(place)
    assert_whole(place)
    with open_it(place) as repository:
        assert check(repository, True, SilentMonitor()).errors == []
