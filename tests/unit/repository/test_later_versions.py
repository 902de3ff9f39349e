"""What a later version wrote is refused by its name, and nothing takes it for damage.

Each repository is written by the writers of this version under the number of a later one, so that
every hash, tag and MAC holds.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import msgspec
import pytest

from rowvault.codec.frames import BlockType
from rowvault.codec.rendering import RENDERER_VERSION
from rowvault.core.errors import RowvaultError, UnsupportedFormatError
from rowvault.core.model import TableDefinition
from rowvault.core.monitor import SilentMonitor
from rowvault.render.table import TableText
from rowvault.repository import names
from rowvault.repository.crypto import sealed
from rowvault.repository.index import segment
from rowvault.repository.packs import pack
from rowvault.repository.repository import Repository
from rowvault.repository.trees import manifest, node
from rowvault.repository.trees.tree import TreeRoot
from rowvault.sqltext.script import script_for
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.prune.engine import prune
from rowvault.upkeep.prune.plan import PruneLimits
from rowvault.upkeep.prune.report import PruneRequest
from rowvault.upkeep.repair.engine import repair
from support.memory_storage import MemoryStorage
from support.sample_repository import SMALL, open_plain, read_snapshot, sample_rows, take_snapshot

ROWS = {("shop", "orders"): sample_rows(30)}
LATER = 9
REFUSED = f"version {LATER}; this version of rowvault reads .*use a newer rowvault"

Patch = pytest.MonkeyPatch


def later_pack(patch: Patch) -> None:
    patch.setattr(pack, "VERSION", LATER)
    patch.setitem(pack._READERS, LATER, pack._READERS[1])


def later_node(patch: Patch) -> None:
    patch.setattr(node, "VERSION", LATER)
    patch.setitem(node._READERS, LATER, node._READERS[1])


def later_segment(patch: Patch) -> None:
    patch.setattr(segment, "UNSEALED", LATER)
    patch.setattr(segment, "SEALED", LATER)
    patch.setitem(segment._MAC_BYTES, LATER, segment.MAC_BYTES)


def later_sealed(patch: Patch) -> None:
    patch.setattr(sealed, "VERSION", LATER)
    patch.setitem(sealed._CONTEXTS, LATER, b"rowvault sealed 9")


class _LaterRecord(manifest.TableRecord, frozen=True, kw_only=True):
    version: int = LATER


def later_record(patch: Patch) -> None:
    patch.setattr(manifest, "TableRecord", _LaterRecord)


LATER_KINDS = [later_pack, later_node, later_segment, later_sealed, later_record]


def later_repository(make_later: Callable[[Patch], None]) -> MemoryStorage:
    """A snapshot of this version, and one of the later version."""
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL) as repository:
        take_snapshot(repository, ROWS, 0)
        with pytest.MonkeyPatch.context() as patch:
            make_later(patch)
            other = {("shop", "orders"): sample_rows(30, salt="other")}
            take_snapshot(repository, other, 1)
    return storage


def assert_kept(before: dict[str, bytes], storage: MemoryStorage) -> None:
    groups = (names.PACKS, names.INDEX, names.SNAPSHOTS)
    lost = [one for one in before if one not in storage.objects and one.startswith(groups)]
    assert lost == []


@pytest.mark.parametrize("make_later", LATER_KINDS)
def test_a_check_names_a_later_version(make_later: Callable[[Patch], None]) -> None:
    with open_plain(later_repository(make_later)) as repository:
        errors = check(repository, True, SilentMonitor()).errors
    told = [one.message for one in errors]
    assert any(f"version {LATER}" in one and "newer rowvault" in one for one in told), told
    assert all("corrupt" not in one.kind for one in errors)


@pytest.mark.parametrize("make_later", LATER_KINDS)
@pytest.mark.parametrize("act", ["repair", "prune"])
def test_no_upkeep_removes_a_later_version(make_later: Callable[[Patch], None], act: str) -> None:
    storage = later_repository(make_later)
    before = dict(storage.objects)
    with open_plain(storage) as repository, suppress(RowvaultError):
        if act == "repair":
            repair(repository, SilentMonitor())
        else:
            prune(repository, PruneRequest(limits=PruneLimits(max_unused=0)), SilentMonitor())
    assert_kept(before, storage)


def test_a_later_pack_that_is_in_no_segment_is_kept_and_named() -> None:
    storage = later_repository(later_pack)
    for name in storage.list(names.INDEX):
        storage.delete(name)
    before = dict(storage.objects)
    with open_plain(storage) as repository:
        assert "unsupported" in {
            one.kind for one in check(repository, True, SilentMonitor()).errors
        }
        with pytest.raises(UnsupportedFormatError, match=REFUSED):
            repair(repository, SilentMonitor())
    assert_kept(before, storage)


def test_a_damaged_version_of_a_pack_is_damage() -> None:
    """Its bytes no longer make its name, so no later version wrote it."""
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL) as repository:
        snapshot = take_snapshot(repository, ROWS)
    name = storage.list(names.PACKS)[0]
    data = bytearray(storage.objects[name])
    data[8] ^= 8
    storage.objects[name] = bytes(data)
    with open_plain(storage) as repository:
        found = check(repository, True, SilentMonitor()).errors
        assert [one.kind for one in found if one.object == name] == ["corrupt"]
        repair(repository, SilentMonitor())
        assert check(repository, True, SilentMonitor()).errors == []
        assert read_snapshot(repository, snapshot) == ROWS


def test_a_text_that_a_later_renderer_measured_is_refused_and_its_rows_are_not() -> None:
    """The lengths of a mount's files are those of its renderer; rows need none."""
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL) as repository:
        snapshot = take_snapshot(repository, ROWS)
        record = repository.manifest(snapshot).table("shop", "orders")
        assert record is not None
        later = msgspec.structs.replace(record, renderer=LATER)
        with pytest.raises(UnsupportedFormatError, match=REFUSED):
            TableText(repository, later, script_for("mysql"))
        assert TableText(repository, record, script_for("mysql")).length > 0
        assert read_snapshot(repository, snapshot) == ROWS


def test_upkeep_says_that_a_later_segment_stays() -> None:
    storage = later_repository(later_segment)
    with open_plain(storage.copy()) as repository:
        report = repair(repository, SilentMonitor())
        assert report.segments == 0
        assert all("left as it is: index segment" in one for one in report.warnings)
        assert report.warnings
    with open_plain(storage) as repository:
        damage = prune(repository, PruneRequest(), SilentMonitor()).damage
    assert any("newer rowvault; it stays" in one for one in damage)
    assert not any("is missing" in one for one in damage)


def test_what_a_repair_cuts_anew_is_measured_by_its_own_renderer(patch_renderer: None) -> None:
    storage = MemoryStorage()
    with Repository.create(storage, None, SMALL) as repository:
        snapshot = take_snapshot(repository, {("shop", "orders"): sample_rows(300)})
        record = repository.manifest(snapshot).table("shop", "orders")
        assert record is not None
        assert record.renderer == LATER
        entry = next(repository.tree(record.root).entries())
        place = repository.internals.index.find(BlockType.DATA, entry.id)[0]
    storage.delete(names.pack(place.pack_type, place.pack))
    with open_plain(storage) as repository:
        repair(repository, SilentMonitor())
        (rest,) = repository.snapshots()
        record = repository.manifest(rest).table("shop", "orders")
        assert record is not None
        assert 0 < record.root.sums.rows < 300
        assert record.renderer == RENDERER_VERSION


@pytest.fixture
def patch_renderer(monkeypatch: Patch) -> None:
    """Snapshots state a later renderer; what a repair writes is left as it is."""
    add_table = manifest.ManifestWriter.add_table

    def add_later(
        writer: manifest.ManifestWriter,
        definition: TableDefinition,
        root: TreeRoot,
        row_sum: bytes,
        renderer: int,
        notes: tuple[str, ...] = (),
    ) -> None:
        add_table(writer, definition, root, row_sum, renderer if notes else LATER, notes)

    monkeypatch.setattr(manifest.ManifestWriter, "add_table", add_later)
