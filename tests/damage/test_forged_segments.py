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
from rowvault.repository.features import DELTAS, FEATURES, SEALED_SEGMENTS
from rowvault.repository.index.segment import StoredPack, encode_segment, segment_name
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackEntry, PackReader
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneReport, PruneRequest
from rowvault.upkeep.repair.engine import repair
from support.sample_repository import (
    CHEAP,
    SMALL,
    Tables,
    put_all,
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

ALL = PruneRequest(limits=PruneLimits(max_unused=0))

Packs = dict[PackName, list[PackEntry]]
Forger = Callable[[Packs], Iterable[StoredPack]]


@pytest.fixture(scope="module", params=["plain", "encrypted", "plain-old", "encrypted-old"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two snapshots, and a forgotten one whose packs a prune would remove.

    The old ones have no sealed segments, as repositories of earlier versions.
    """
    place = tmp_path_factory.mktemp("forged") / request.param
    password = PASSWORD if request.param.startswith("encrypted") else None
    features = (DELTAS,) if request.param.endswith("old") else FEATURES
    storage = LocalStorage(place)
    with Repository.create(storage, password, SMALL, CHEAP, features=features) as repository:
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
            reader = PackReader(repository.internals.storage, repository.internals.keys, kind, pack)
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
                reader = PackReader(storage, repository.internals.keys, kind, pack)
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


@pytest.mark.parametrize("forger", FORGERS.values(), ids=list(FORGERS))
def test_a_backup_stores_what_a_forged_segment_says_is_there(place: Path, forger: Forger) -> None:
    """The attacker knows the ids of blocks from a copy of the files, and has the packs removed."""
    packs = data_packs(place)
    with open_it(place) as repository:
        for name in LocalStorage(place).list("index/"):
            LocalStorage(place).delete(name)
    victims = list(packs)[1:]
    data = encode_segment(list(forger(packs)))
    LocalStorage(place).create(names.segment(segment_name(data)), data)
    for name in victims:
        LocalStorage(place).delete(names.pack(PackType.DATA, name))
    with open_it(place) as repository:
        taken = take_snapshot(repository, NEW, 5)
    with open_it(place) as repository:
        assert read_snapshot(repository, repository.find(taken.id)) == NEW


def test_what_is_forged_is_not_believed_after_merges(place: Path) -> None:
    """A merge proves nothing: in an old repository the merged segment is named instead."""
    forge(place, every_block_elsewhere)
    with open_it(place) as repository:
        for number in range(9):
            rows = sample_rows(3, salt=f"small {number}")
            take_snapshot(repository, {("shop", "small"): rows}, 10 + number)
        for snapshot in repository.snapshots()[2:]:
            repository.forget(snapshot)
    if place.name.endswith("old"):
        with pytest.raises(DamageError, match="forged or damaged"):
            run_prune(place)
        with open_it(place) as repository:
            repair(repository, SilentMonitor())
    run_prune(place)
    assert_whole(place)


def test_a_segment_under_another_key_is_damage(place: Path, tmp_path: Path) -> None:
    """Its MAC is one that somebody made with a repository of their own."""
    with Repository.create(LocalStorage(tmp_path / "theirs"), None, SMALL) as theirs:
        seal = theirs.internals.index.seal
    data = encode_segment(list(every_block_elsewhere(data_packs(place))), seal)
    storage = LocalStorage(place)
    storage.create(names.segment(segment_name(data)), data)
    with open_it(place) as repository:
        index = repository.internals.index
        index.refresh()
        assert "without the repository's key" in str(index.damage[segment_name(data)])
    run_prune(place)
    assert names.segment(segment_name(data)) not in storage.list("index/")
    assert_whole(place)


def test_an_old_repository_with_the_feature_lists_its_packs_anew(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "place")
    with Repository.create(storage, None, SMALL, features=(DELTAS,)) as repository:
        gone = take_snapshot(repository, GONE, 0)
        take_snapshot(repository, OLD, 1)
        take_snapshot(repository, NEW, 2)
        repository.forget(gone)
    place = tmp_path / "place"
    early = open_it(place)
    with open_it(place) as repository:
        repository.switch_on((SEALED_SEGMENTS,))
    with open_it(place) as repository:
        assert [read_snapshot(repository, one) for one in repository.snapshots()] == [OLD, NEW]
        assert repository.internals.index.sealed_segments == []
    said = run_prune(place, dry_run=True)
    with early:  # opened before, and it begins after
        assert prune(early, ALL, SilentMonitor()) == said
    with open_it(place) as repository:
        assert check(repository, True, SilentMonitor()).errors == []
        assert repository.internals.index.unsealed_segments == []
        assert repository.internals.index.sealed_segments
    assert_whole(place)


def test_a_segment_of_an_older_program_that_was_at_work_is_kept_until_its_run_ends(
    tmp_path: Path,
) -> None:
    """It began before the feature was switched on, and commits afterwards."""
    storage = LocalStorage(tmp_path / "place")
    with Repository.create(storage, None, SMALL) as repository:
        take_snapshot(repository, OLD, 1)
    writer = open_it(tmp_path / "place")
    session = writer.begin("backup", SilentMonitor())
    writer.internals.index.seals = False
    draft = put_all(session, writer, NEW, 2)
    session.flush()
    run_prune(tmp_path / "place")
    session.commit(draft)
    assert_whole(tmp_path / "place")
    run_prune(tmp_path / "place")
    with open_it(tmp_path / "place") as repository:
        repository.internals.index.refresh()
        assert repository.internals.index.unsealed_segments == []
    assert_whole(tmp_path / "place")


@pytest.mark.parametrize("instead", [False, True], ids=["beside", "instead"])
def test_a_segment_that_lists_packs_in_part_hides_nothing_from_a_prune(
    place: Path, instead: bool
) -> None:
    forge(place, in_part, instead=instead)
    before = packs_stored(place)
    try:
        run_prune(place)
    except DamageError:
        assert packs_stored(place) >= before
    with open_it(place) as repository:
        repair(repository, SilentMonitor())
    assert_whole(place)
