"""Repositories of every format that ever was: read whole, checked, written to; and pinned roots."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from rowvault.codec.frames import BlockType, Filter, decode_header
from rowvault.core.errors import WrongPasswordError
from rowvault.core.ids import BlockId, PackName
from rowvault.core.model import ObjectKind
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.crypto.key_slot import SlotKind
from rowvault.repository.crypto.secrets import IdMaker, Secrets
from rowvault.repository.index.index import PREFIX_BYTES
from rowvault.repository.names import PackType
from rowvault.repository.packs.pack import PackReader
from rowvault.repository.records.session_object import SessionState
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.report import PruneRequest
from support.golden import GOLDEN, golden_copy
from support.sample_repository import (
    SMALL,
    open_plain,
    put_table,
    read_snapshot,
    sample_rows,
    take_snapshot,
)

GOLDEN_ROOT = "5337a586935853dbfb3a5293ac7c70b3a05c9a24b16daefff5aa391e4bd9036b"


def load_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_maker", GOLDEN / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = load_maker()


@pytest.fixture(params=sorted(path.stem for path in GOLDEN.glob("*.json")))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def repository(name: str, tmp_path: Path) -> Repository:
    copy = golden_copy(name, tmp_path)
    return Repository.open(LocalStorage(copy), lambda: MAKER.PASSWORD)


def test_everything_reads_back(name: str, repository: Repository) -> None:
    expected = json.loads((GOLDEN / f"{name}.json").read_text())
    snapshots = repository.snapshots()
    assert [one.id for one in snapshots] == [one["id"] for one in expected]
    for snapshot, rows, stated in zip(snapshots, MAKER.tables_of(name), expected, strict=True):
        assert read_snapshot(repository, snapshot) == rows
        held = repository.manifest(snapshot).objects("")
        assert set(held) == set(MAKER.accounts_of(name))
        programs = repository.manifest(snapshot).objects("shop")
        kinds = {one for one in programs if one.kind is not ObjectKind.DATABASE}
        assert kinds == set(MAKER.programs_of(name))
        assert repository.manifest(snapshot).databases() == ["shop"]
        assert repository.tags(snapshot.id) == stated["tags"]
        lacks = "incomplete" in name and snapshot is snapshots[-1]
        assert snapshot.lacks == (MAKER.LACKS["missing"] if lacks else ())
        assert snapshot.unseen == (MAKER.LACKS["unseen"] if lacks else ())
        assert snapshot.grants == (MAKER.LACKS["grants"] if lacks else None)
        assert snapshot.manifest.id.hex() == stated["manifest"]
        roots = {
            record.definition.label: record.root.id.hex()
            for record in repository.manifest(snapshot).tables()
        }
        assert roots == stated["roots"]
    assert check(repository, True, SilentMonitor()).errors == []
    assert repository.encrypted == name.endswith("-encrypted")


def test_the_same_rows_are_not_stored_again(name: str, repository: Repository) -> None:
    """Ids, cuts and trees come out as they did when the repository was made."""
    (database, table), rows = next(iter(MAKER.tables_of(name)[-1].items()))
    with repository.begin("test", SilentMonitor()) as session:
        root = put_table(session, repository, rows, column_count=len(rows[0]))
        assert session.stats.new_blocks == 0
    latest = repository.find("latest")
    record = repository.manifest(latest).table(database, table)
    assert record is not None
    assert record.root == root


def test_a_snapshot_can_be_added(repository: Repository) -> None:
    snapshot = take_snapshot(repository, MAKER.OLD, 5)
    assert read_snapshot(repository, snapshot) == MAKER.OLD


def test_blocks_stand_by_column() -> None:
    """The repository that shows the column layout has it, and not because of this version."""
    storage = LocalStorage(GOLDEN / "v1-columns-plain")
    filters = []
    with open_plain(storage) as repository:
        for name in storage.list("packs/data/"):
            pack = PackName(name.rpartition("/")[2])
            for entry in PackReader(
                storage, repository.internals.keys, PackType.DATA, pack
            ).footer():
                frame = storage.read_range(name, entry.offset, entry.frame_bytes)
                filters.append(decode_header(frame).filter)
    assert filters.count(Filter.COLUMNS) >= len(MAKER.TYPED)


WHOLE = ("v1-whole-plain", "v1-whole-encrypted")


@pytest.mark.parametrize("whole", WHOLE)
def test_one_of_everything_is_there(whole: str, tmp_path: Path) -> None:
    """A sample that claims to hold all that the format could hold does."""
    assert {kind for one in MAKER.programs_of(whole) for kind in [one.kind]} | {
        one.kind for one in MAKER.accounts_of(whole)
    } == set(ObjectKind) - {ObjectKind.DATABASE, ObjectKind.TABLE}
    storage = LocalStorage(golden_copy(whole, tmp_path))
    groups = {f"{name.split('/')[0]}/" for name in storage.list("") if "/" in name}
    assert groups == {
        "gc/", "index/", "keys/", "packs/", "sessions/", "snapshots/", "tags/", "trash/",
    }  # fmt: skip
    upkeep = {name.partition("-")[0] for name in storage.list("gc/")}
    expected = {"gc/prune", "gc/round", "gc/sightings", "gc/verified"}
    assert upkeep == (expected | {"gc/keys"} if "encrypted" in whole else expected)
    with Repository.open(storage, lambda: MAKER.PASSWORD) as repository:
        states = {one.state for one, _ in repository.internals.snapshot_store.sessions()}
        assert states == set(SessionState)
        fragments = {
            entry.fragment
            for snapshot in repository.snapshots()
            for record in repository.manifest(snapshot).tables()
            for entry in repository.tree(record.root).entries()
        }
        assert fragments == {0, 1, 2, 3}
    if "encrypted" in whole:
        with Repository.open(storage, MAKER.RECOVERY_KEY.encode) as repository:
            kinds = {key.kind for key in repository.keys.all()}
        assert kinds == set(SlotKind)


@pytest.mark.parametrize("name", ["v1-deltas-encrypted", *WHOLE], indirect=False)
def test_the_deltas_are_of_every_kind(name: str, tmp_path: Path) -> None:
    """Of rows and by column, on one base and on two, over several links."""
    storage = LocalStorage(golden_copy(name, tmp_path))
    with Repository.open(storage, lambda: MAKER.PASSWORD) as repository:
        index, blocks = repository.internals.index, repository.internals.blocks
        index.refresh()
        headers = [
            blocks.header(record[:PREFIX_BYTES], segment.decode(record))
            for segment in index.segments
            for record in segment.records()
        ]
    kinds = {(header.filter, len(header.bases)) for header in headers if header.bases}
    assert kinds == {(form, n) for form in (Filter.DELTA, Filter.DELTA_COLUMNS) for n in (1, 2)}
    assert max(header.depth for header in headers) >= (2 if "whole" in name else 3)


def test_upkeep_goes_on(tmp_path: Path) -> None:
    """Keys, the trash and condemned packs of an earlier version."""
    storage = LocalStorage(golden_copy("v1-kept-encrypted", tmp_path))
    assert [name for name in storage.list("gc/") if "round" in name]
    with pytest.raises(WrongPasswordError):
        Repository.open(storage, lambda: b"golden removed")
    with Repository.open(storage, lambda: b"golden second") as repository:
        assert [key.label for key in repository.keys.all()] in (["", "second"], ["second", ""])
        back = repository.trash.take_back("latest")
        assert read_snapshot(repository, back) == MAKER.GONE
        assert repository.tags(back.id) == ["gone"]
        assert prune(repository, PruneRequest(), SilentMonitor()).removed_packs > 0
        assert len(repository.snapshots()) == 3
        assert check(repository, True, SilentMonitor()).errors == []


class PinnedSink:
    """Ids under fixed secrets; nothing is stored."""

    def __init__(self) -> None:
        self.secrets = Secrets(identity=bytes(range(32)), master=bytes(32))
        self.cut_rule = SMALL.data.rule(self.secrets)
        self.node_rule = SMALL.node.rule(self.secrets)
        self._make_id = IdMaker(self.secrets)

    def put_data(self, raw: bytes, column_count: int = 0, base: object = None) -> BlockId:
        return self._make_id(BlockType.DATA, raw)

    def put_node(self, raw: bytes) -> BlockId:
        return self._make_id(BlockType.NODE, raw)


def test_the_golden_root() -> None:
    """One hash over row encoding, cuts, ids, nodes and node cuts: it never changes in format 1."""
    sink = PinnedSink()
    root = put_table(sink, sink, sample_rows(1000))  # type: ignore[arg-type]
    assert root.id.hex() == GOLDEN_ROOT


def test_the_ledger_of_a_repository_is_read(tmp_path: Path) -> None:
    """Of snapshots that were added, forgotten and pruned; and a missing one is named."""
    place = golden_copy("v1-ledger-kept-encrypted", tmp_path)
    with Repository.open(LocalStorage(place), lambda: MAKER.PASSWORD) as repository:
        state = repository.ledger.read()
        assert (len(state.listed), len(state.forgotten)) == (2, 1)
        assert repository.snapshot_set.examine().problems == []
        gone = repository.internals.storage.list("snapshots/")[0]
        repository.internals.storage.delete(gone)
        assert [one.object for one in repository.snapshot_set.examine().problems] == [gone]
