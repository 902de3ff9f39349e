"""Which snapshot a name means, and which names are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rowvault.core.errors import AmbiguousSnapshotError, CorruptError, SnapshotNotFoundError
from rowvault.core.ids import SnapshotId
from rowvault.repository.records.find_snapshot import SnapshotFinder, SnapshotRequest
from rowvault.repository.records.snapshot import Snapshot, SnapshotListing
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.sample_repository import SMALL, take_snapshot

IDS = ("69aa000000000001", "1118000000000002", "7abc000000000003", "2026000000000004")


@pytest.fixture(scope="module")
def listings(tmp_path_factory: pytest.TempPathFactory) -> list[SnapshotListing]:
    """One of each id, an hour apart from 10:00 of 20 November 2026 on."""
    storage = LocalStorage(tmp_path_factory.mktemp("place"))
    with Repository.create(storage, None, SMALL) as repository:
        sample = take_snapshot(repository, {})
    found = []
    for hour, snapshot_id in enumerate(IDS, 10):
        time = datetime(2026, 11, 20, hour, tzinfo=UTC)
        snapshot = with_id(sample, snapshot_id, time)
        found.append(SnapshotListing(snapshot.id, time, snapshot))
    return found


def choose(listings: list[SnapshotListing], spec: str) -> Snapshot:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    return SnapshotFinder(listings, dict, now).find(SnapshotRequest(spec)).snapshot


def with_id(sample: Snapshot, snapshot_id: str, time: datetime) -> Snapshot:
    fields = {name: getattr(sample, name) for name in Snapshot.__struct_fields__}
    return Snapshot(**fields | {"id": SnapshotId(snapshot_id), "time": time})


@pytest.mark.parametrize(
    ("spec", "advice"),
    [
        ("2026-11-18", "did you mean `@2026-11-18`"),
        ("2026-11-20T10:00", "did you mean `@2026-11-20T10:00`"),
        ("2026-11-20 10:00", "did you mean `@2026-11-20 10:00`"),
        ("20261118", "did you mean `@20261118`"),
        ("latest-7", "did you mean `latest~7`"),
        ("latest7", "did you mean `latest~7`"),
        ("latest^1", "did you mean `latest~1`"),
        ("Latest", "did you mean `latest`"),
        ("foo-bar-69", "names no snapshot"),
        ("foo-bar-69aa", "names no snapshot"),
        ("x-1118000000000002", "names no snapshot"),
        ("20261120T110000-1118000000000002", "names no snapshot"),
        ("20261120T120000Z-1118000000000002", "of that time"),
        ("20261120T110000Z-69aa", "of that time"),
        ("20261120T110000Z-", "names no snapshot"),
        ("-1118", "did you mean"),
        ("7", "add digits"),
        ("7ab", "add digits"),
        ("20261120T120000Z-7ab", "add digits"),
        ("7abd", "names no snapshot"),
        ("69aa0000000000011", "names no snapshot"),
        ("latest~-1", "names no snapshot"),
    ],
)
def test_what_is_no_name_is_refused_with_advice(
    listings: list[SnapshotListing], spec: str, advice: str
) -> None:
    with pytest.raises(SnapshotNotFoundError, match=advice):
        choose(listings, spec)


def test_ids_and_their_beginnings(listings: list[SnapshotListing]) -> None:
    for spec, place in {
        IDS[0]: 0,
        "1118": 1,
        "7ABC": 2,
        "2026": 3,
        f"20261120T110000Z-{IDS[1]}": 1,
        "20261120T120000Z-7abc": 2,
    }.items():
        assert choose(listings, spec).id == IDS[place], spec


def test_an_ambiguous_prefix_names_the_candidates(listings: list[SnapshotListing]) -> None:
    assert listings[0].snapshot is not None
    twin = with_id(listings[0].snapshot, "69aa00000000ffff", listings[-1].time)
    with pytest.raises(AmbiguousSnapshotError, match=f"add digits:\\n  {twin.id} .*\\n  {IDS[0]} "):
        choose([*listings, SnapshotListing(twin.id, twin.time, twin)], "69aa")


@pytest.mark.parametrize("readable", [0, 1])
def test_one_that_cannot_be_read_counts_where_a_prefix_is_ambiguous(
    listings: list[SnapshotListing], readable: int
) -> None:
    damage = CorruptError("damaged")
    one, two = (
        SnapshotListing(SnapshotId(f"69aa00000000000{digit}"), listings[0].time, None, damage)
        for digit in (2, 3)
    )
    members = [*listings[:readable], one, two]
    with pytest.raises(AmbiguousSnapshotError, match=f"{one.id} of .*, which cannot be read"):
        choose(members, "69aa")


def test_the_same_names_mean_the_same_in_the_trash(tmp_path: Path) -> None:
    with Repository.create(LocalStorage(tmp_path / "vault"), None, SMALL) as repository:
        one, two = (take_snapshot(repository, {}, number) for number in (0, 1))
        for snapshot in (one, two):
            repository.forget(snapshot)
        for spec in (f"x-{one.id}", one.id[:3], f"20261120T110000Z-{one.id}", "latest-1"):
            with pytest.raises(SnapshotNotFoundError):
                repository.trash.take_back(spec)
        assert repository.trash.take_back(f"20261120T100000Z-{one.id}").id == one.id
