"""Prune where something is damaged or missing: what may be needed stays, and the exit code says so.

What must hold: nothing goes that the undamaged repository needs, whatever is put back later.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rowvault.codec.frames import HEADER_BYTES, BlockType
from rowvault.core.errors import DamageError
from rowvault.core.ids import BlockId, PackName
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import names
from rowvault.repository.blocks.reader import BlockReader
from rowvault.repository.index.index import Location
from rowvault.repository.index.segment import PREFIX_BYTES
from rowvault.repository.names import PackType
from rowvault.repository.records.snapshot import Snapshot
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneReport, PruneRequest
from support.sample_repository import (
    CHEAP,
    MIDDLING,
    Row,
    Tables,
    put_all,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

DAYS = 5
KEPT = (3, 4)
PASSWORD = b"correct horse"


def day(number: int) -> Tables:
    """Each day changes one more row of the first block; none gets longer, so no cut moves."""
    rows: list[Row] = [
        (key, (b"day %d" % place).ljust(64) if place < number else text)
        for place, (key, text) in enumerate(sample_rows(300))
    ]
    return {("shop", "orders"): rows, ("shop", "own"): sample_rows(60, salt=f"own {number}")}


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five days that build on each other, of which the last two are kept."""
    place = tmp_path_factory.mktemp("beside") / request.param
    password = PASSWORD if request.param == "encrypted" else None
    parent: Snapshot | None = None
    with Repository.create(LocalStorage(place), password, MIDDLING, CHEAP) as repository:
        for number in range(DAYS):
            parent = take_snapshot(repository, day(number), number, parent=parent)
        for number, snapshot in enumerate(repository.snapshots()):
            if number not in KEPT:
                repository.forget(snapshot)
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


def assert_readable(place: Path) -> None:
    with open_it(place) as repository:
        found = [read_snapshot(repository, one) for one in repository.snapshots()]
    assert found == [day(number) for number in KEPT]


def assert_whole(place: Path) -> None:
    assert_readable(place)
    with open_it(place) as repository:
        assert check(repository, True, SilentMonitor()).errors == []


def live_chains(repository: Repository) -> Iterator[tuple[bytes, Location]]:
    """(half of the id, place) of all frames that a kept snapshot's deltas consist of."""
    blocks: BlockReader = repository.internals.blocks
    index = repository.internals.index
    index.refresh()
    for snapshot in repository.snapshots():
        for record in repository.manifest(snapshot).tables():
            for entry in repository.tree(record.root).entries():
                waiting = [(entry.id[:PREFIX_BYTES], index.find(BlockType.DATA, entry.id)[0])]
                while waiting:
                    prefix, found = waiting.pop()
                    header = blocks.header(prefix, found)
                    if header.bases or prefix != entry.id[:PREFIX_BYTES]:
                        yield prefix, found
                    for one in header.bases:
                        waiting.append((one, next(blocks.base_places(header, one))))


def pack_path(place: Path, pack: PackName) -> Path:
    return place / names.pack(PackType.DATA, pack)


def refuses(place: Path, told: str) -> None:
    """Prune ends with damage, dry or not, and takes nothing away."""
    before = set(LocalStorage(place).list("packs/"))
    for dry_run in (True, False):
        with pytest.raises(DamageError, match="Nothing was removed") as refusal:
            run_prune(place, dry_run=dry_run)
        assert told in str(refusal.value)
    assert set(LocalStorage(place).list("packs/")) >= before


def test_a_missing_pack_of_a_chain(place: Path) -> None:
    with open_it(place) as repository:
        packs = {found.pack for _, found in live_chains(repository)}
    assert len(packs) > 1
    for pack in packs:
        path = pack_path(place, pack)
        aside = place.parent / pack
        path.rename(aside)
        refuses(place, pack)
        aside.rename(path)
    run_prune(place)
    assert_whole(place)


def test_a_flipped_byte_in_the_header_of_a_delta_or_in_its_base_s_id(place: Path) -> None:
    with open_it(place) as repository:
        deltas = {found: prefix for prefix, found in live_chains(repository) if found.depth}
    assert deltas
    for found, prefix in deltas.items():
        path = pack_path(place, found.pack)
        whole = path.read_bytes()
        for at in (5, 6, 9, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 2, HEADER_BYTES + 17):
            damaged = bytearray(whole)
            damaged[found.offset + at] ^= 1
            path.write_bytes(damaged)
            refuses(place, prefix.hex())
        path.write_bytes(whole)
    run_prune(place)
    assert_whole(place)


def test_a_flipped_byte_in_the_header_of_a_base_that_stands_alone(place: Path) -> None:
    run_prune(place)  # the next one stores nothing anew, so it reads no base for that
    with open_it(place) as repository:
        bases = {found: prefix for prefix, found in live_chains(repository) if not found.depth}
    assert bases
    for found, prefix in bases.items():
        path = pack_path(place, found.pack)
        whole = path.read_bytes()
        for at in range(HEADER_BYTES):
            damaged = bytearray(whole)
            damaged[found.offset + at] ^= 1
            path.write_bytes(damaged)
            refuses(place, prefix.hex())
        path.write_bytes(whole)
    run_prune(place)
    assert_whole(place)


def flip(at: float) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[min(int(len(data) * at), len(data) - 1)] ^= 0x10
        path.write_bytes(data)

    return act


ACTIONS: dict[str, Callable[[Path], object]] = {
    "delete": Path.unlink,
    "halve": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "flip its header": flip(0.001),
    "flip 1/5": flip(0.2),
    "flip 4/5": flip(0.8),
    "flip its end": flip(1),
}
KINDS = ["packs/data", "packs/tree", "index", "snapshots"]


def outcome(place: Path) -> str:
    """What a prune says, be it a refusal."""
    try:
        report = run_prune(place)
    except DamageError as error:
        return str(error)
    return "; ".join(report.damage)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_damaged_comes_back_whole(place: Path, kind: str, action: str) -> None:
    """Each object in turn; afterwards its good copy is put where it was."""
    victims = [path for path in sorted((place / kind).rglob("*")) if path.is_file()]
    for number, victim in enumerate(victims[::2] if len(victims) > 4 else victims):
        if kind == "snapshots" and action == "delete":
            continue  # without a list of what must be there, it counts as never taken
        copy = Path(shutil.copytree(place, place.parent / f"{number}"))
        damaged = copy / victim.relative_to(place)
        ACTIONS[action](damaged)
        told = outcome(copy)
        if kind == "snapshots" or (action == "delete" and kind.startswith("packs")):
            assert "Nothing was removed" in told
        damaged.parent.mkdir(parents=True, exist_ok=True)
        damaged.write_bytes(victim.read_bytes())
        with open_it(copy).begin("backup", SilentMonitor()):
            pass  # lists what came back
        assert_readable(copy)
        shutil.rmtree(copy)


def test_damage_that_appears_between_two_prunes(place: Path) -> None:
    """The first one condemns and waits; what it condemned stays while a chain cannot be told."""
    with open_it(place) as writer, writer.begin("backup", SilentMonitor()):
        assert run_prune(place).pending_bytes
    with open_it(place) as repository:
        prefix, _ = next(one for one in live_chains(repository) if one[1].depth)
        copies = repository.internals.index.find(BlockType.DATA, BlockId(prefix))
    whole = {pack_path(place, one.pack): pack_path(place, one.pack).read_bytes() for one in copies}
    for one in copies:
        damaged = bytearray(pack_path(place, one.pack).read_bytes())
        damaged[one.offset + HEADER_BYTES + 2] ^= 1
        pack_path(place, one.pack).write_bytes(damaged)
    refuses(place, prefix.hex())
    for path, data in whole.items():
        path.write_bytes(data)
    assert run_prune(place).removed_packs
    assert_whole(place)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_damaged_or_missing_segment_is_named_and_made_anew(place: Path, action: str) -> None:
    segments = list((place / "index").iterdir())
    for path in segments:
        ACTIONS[action](path)
    with pytest.raises(DamageError):  # what heals it, a dry run does not do
        run_prune(place, dry_run=True)
    told = run_prune(place).damage
    assert len([one for one in told if "index segment" in one]) >= len(segments), told
    assert run_prune(place).damage == []
    assert_whole(place)


def test_of_packs_that_a_killed_run_has_left_nothing_is_told(place: Path) -> None:
    before = set((place / "index").iterdir())
    with open_it(place) as writer, writer.begin("backup", SilentMonitor()) as session:
        put_all(session, writer, {("shop", "left"): sample_rows(90, salt="left")}, 9)
        session.flush()
    for path in set((place / "index").iterdir()) - before:
        path.unlink()
    assert run_prune(place, dry_run=True).damage == []
    assert run_prune(place).damage == []


def test_a_pack_without_a_whole_footer_that_no_segment_lists(place: Path) -> None:
    """What stands in it nobody can tell: it stays, and is named."""
    with open_it(place) as repository:
        pack = next(found.pack for _, found in live_chains(repository))
    path = pack_path(place, pack)
    aside = place / "packs" / "data" / "ab" / ("ab" * 32)
    aside.parent.mkdir(exist_ok=True)
    aside.write_bytes(path.read_bytes()[:-20])
    for dry_run in (True, False):
        assert any("ab" * 32 in one for one in run_prune(place, dry_run=dry_run).damage)
    assert aside.exists()
    assert_readable(place)
