"""The tree without FUSE: what is there, how long it is, and what it reads."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from mount.odd_tables import NAMES
from rowvault.core.monitor import SilentMonitor
from rowvault.mount.names import file_name
from rowvault.mount.node import Directory, File, SymbolicLink
from rowvault.mount.reading import ChunkCache, Reader
from rowvault.mount.snapshot_text import Excerpt, SnapshotText
from rowvault.mount.tree import (
    MountedSnapshots,
    RepositoryDirectory,
    SnapshotDirectory,
    SourcesDirectory,
)
from rowvault.render.document import Document
from rowvault.render.dump import dump_snapshot
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.golden import golden_copy
from support.sample_repository import open_plain


def whole(document: Document) -> bytes:
    return b"".join(chunk.text() for _, chunk in document.chunks(0))


def walk(directory: Directory, path: str = "") -> Iterator[tuple[str, File | SymbolicLink]]:
    for name, node in directory.entries():
        if isinstance(node, File | SymbolicLink):
            yield f"{path}{name}", node
        else:
            yield from walk(node, f"{path}{name}/")


def dumped(repository: Repository, snapshot: str, table: str | None = None) -> bytes:
    parts: list[bytes] = []
    database = "main" if table is not None else None
    found = repository.find(snapshot)
    dump_snapshot(repository, found, database, table, parts.append, SilentMonitor())
    return b"".join(parts)


def test_every_file_is_as_long_as_it_says(repository: Repository) -> None:
    root = RepositoryDirectory(MountedSnapshots(repository))
    files = [(path, node) for path, node in walk(root) if isinstance(node, File)]
    assert len(files) == 3 * (len(NAMES) + 3)
    for path, node in files:
        assert len(whole(node.open())) == node.length, path


def test_files_are_what_dump_prints(repository: Repository) -> None:
    root = SnapshotDirectory(SnapshotText(repository, repository.find("latest")))
    main = root.child("main")
    assert main is not None
    assert not isinstance(main, File | SymbolicLink)
    for name in NAMES:
        node = main.child(file_name(name, ".sql"))
        assert isinstance(node, File), name
        assert whole(node.open()) == dumped(repository, "latest", name)
    everything = root.child("all.sql")
    assert isinstance(everything, File)
    assert whole(everything.open()) == dumped(repository, "latest")


def test_an_entry_is_found_by_name_as_it_is_listed(repository: Repository) -> None:
    def check(directory: Directory) -> None:
        for name, node in directory.entries():
            found = directory.child(name)
            assert type(found) is type(node), name
            if isinstance(node, File) and isinstance(found, File):
                assert found.length == node.length
            elif not isinstance(node, File | SymbolicLink):
                check(node)
        assert directory.child("no such entry") is None
        assert directory.child("no such table.sql") is None

    check(RepositoryDirectory(MountedSnapshots(repository)))


def test_links_lead_to_snapshots(repository: Repository) -> None:
    root = RepositoryDirectory(MountedSnapshots(repository))
    latest = root.child("latest")
    assert isinstance(latest, SymbolicLink)
    assert latest.target.startswith("snapshots/")
    assert latest.target.endswith(f"-{repository.find('latest').id}")
    tagged = {path: node for path, node in walk(root) if path.startswith("tags/")}
    assert {path.split("/")[1] for path in tagged} == {"nightly", "a%2Fb"}
    for node in tagged.values():
        assert isinstance(node, SymbolicLink)
        assert node.target.endswith(repository.find("latest~1").id)


@pytest.mark.parametrize(
    ("only", "tables"),
    [
        (Excerpt("main"), NAMES),
        (Excerpt("main", "plain"), ["plain"]),
        (Excerpt("main", "none"), []),
        (Excerpt("other"), []),
    ],
)
def test_an_excerpt_shows_nothing_else(
    repository: Repository, only: Excerpt, tables: list[str]
) -> None:
    root = SnapshotDirectory(SnapshotText(repository, repository.find("latest"), only))
    paths = {path for path, _ in walk(root) if path.startswith("main/")}
    assert paths == {f"main/{file_name(name, '.sql')}" for name in tables}


@pytest.mark.parametrize("seed", range(4))
def test_reads_at_any_place_give_the_bytes_that_stand_there(
    repository: Repository, seed: int
) -> None:
    rng = random.Random(seed)
    document = SnapshotText(repository, repository.find("latest")).everything()
    expected = whole(document)
    cache = ChunkCache(1 << 16)
    reader = Reader(document, cache)

    def read(offset: int, size: int) -> bytes:
        got = b"".join(reader.read(offset, size))
        if reader.is_due:
            for claim in reader.extend():
                cache.make(claim)
        return got

    offset = 0
    for _ in range(400):
        if rng.random() < 0.3:
            offset = rng.randrange(len(expected) + 100)
        size = rng.choice([1, 7, 100, 4096, 70_000])
        assert read(offset, size) == expected[offset : offset + size]
        offset = max(0, offset + rng.choice([size, size, size, -size, size + 5, 0]))
    backwards = [read(at, 997) for at in range(len(expected) // 997 * 997, -1, -997)]
    assert b"".join(reversed(backwards)) == expected


def test_of_several_sources_each_has_its_own_latest(tmp_path: Path) -> None:
    with open_plain(LocalStorage(golden_copy("v1-two-servers-plain", tmp_path))) as repository:
        root = RepositoryDirectory(MountedSnapshots(repository))
        assert [name for name, _ in root.entries()] == ["snapshots", "tags", "sources"]
        assert root.child("latest") is None
        sources = root.child("sources")
        assert isinstance(sources, SourcesDirectory)
        names = repository.sources().names
        assert [name for name, _ in sources.entries()] == names
        for name, snapshot in zip(names, repository.snapshots()[4:], strict=True):
            own = sources.child(name)
            assert isinstance(own, SourcesDirectory)
            link = own.child("latest")
            assert isinstance(link, SymbolicLink)
            assert link.target.startswith("../../snapshots/")
            assert link.target.endswith(snapshot.id)
