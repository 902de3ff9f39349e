"""Processes that make texts: the same bytes, and whatever becomes of them, nobody waits forever."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from mount.mounting import await_true
from rowvault.codec.frames import BlockType
from rowvault.core.errors import CorruptError, MountError
from rowvault.core.ids import BlockId
from rowvault.mount.decoders import Decoder, Decoders
from rowvault.mount.prefetcher import Prefetcher
from rowvault.mount.reading import ChunkCache, Reader
from rowvault.mount.shared_buffers import BufferPool
from rowvault.mount.snapshot_text import SnapshotText
from rowvault.render.document import Chunk, Document, Fixed
from rowvault.render.table import Group, grouped
from rowvault.repository import names
from rowvault.repository.repository import Repository
from rowvault.storage.location import open_storage
from support.rowvault import start, succeed
from support.sample_repository import CHEAP, sample_rows, take_snapshot

PASSWORD = b"secret"
GROUP_BYTES = 400_000


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encrypted repository with a table of several megabytes."""
    return made_vault(tmp_path_factory.mktemp("decoders"), 60_000)


@pytest.fixture(scope="module")
def large_vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table is larger than what the kernel reads ahead before anything is made ahead."""
    return made_vault(tmp_path_factory.mktemp("large"), 400_000)


def made_vault(folder: Path, row_count: int) -> Path:
    place = folder / "vault"
    with Repository.create(open_storage(str(place)), PASSWORD, cost=CHEAP) as repository:
        rows = {("d", "t"): sample_rows(row_count), ("d", "u"): sample_rows(9)}
        take_snapshot(repository, rows)
    return place


@pytest.fixture
def repository(vault: Path) -> Iterator[Repository]:
    with Repository.open(open_storage(str(vault)), lambda: PASSWORD) as opened:
        yield opened


@pytest.fixture
def decoders(vault: Path, repository: Repository) -> Iterator[Decoders]:
    with Decoders(2) as made:
        made.open(str(vault), repository)
        yield made


def table_text(repository: Repository) -> Document:
    return SnapshotText(repository, repository.find("latest")).table("d", "t")


def chunks_of(document: Document) -> list[Chunk]:
    return [chunk for _, chunk in document.chunks(0)]


def groups_of(document: Document) -> list[Group]:
    return [one for one in grouped(chunks_of(document), GROUP_BYTES) if isinstance(one, Group)]


def ask(decoder: Decoder, chunks: list[Chunk]) -> list[bytes | None]:
    async def run() -> list[bytes | None]:
        texts = [await decoder.text(chunk) for chunk in chunks]
        return [None if text is None else bytes(text) for text in texts]

    return trio.run(run)


def test_groups_have_the_text_of_what_they_group(repository: Repository) -> None:
    chunks = chunks_of(SnapshotText(repository, repository.find("latest")).everything())
    groups = list(grouped(chunks, GROUP_BYTES))
    assert b"".join(one.text() for one in groups) == b"".join(one.text() for one in chunks)
    assert all(one.length == len(one.text()) for one in groups)
    of_rows = [one for one in groups if isinstance(one, Group)]
    assert len({one.table for one in of_rows}) == 2
    assert all(one.length <= GROUP_BYTES or len(one.chunks) == 1 for one in of_rows)
    assert 4 < len(of_rows) < len(chunks) / 2


def test_a_process_makes_the_text_of_groups(repository: Repository, decoders: Decoders) -> None:
    groups = list(grouped(chunks_of(table_text(repository)), GROUP_BYTES))
    for decoder in decoders.all:
        made = ask(decoder, groups)
        assert made == [None if isinstance(one, Fixed) else one.text() for one in groups]


def test_damage_is_left_to_the_parent_to_tell(vault: Path, tmp_path: Path) -> None:
    copy = tmp_path / "vault"
    shutil.copytree(vault, copy)
    with Repository.open(open_storage(str(copy)), lambda: PASSWORD) as repository:
        of_rows = groups_of(table_text(repository))
        expected = [one.text() for one in of_rows]
        damage(repository, copy, of_rows[3].chunks[-1].entry.id)
        with Decoders(1) as decoders:
            decoders.open(str(copy), repository)
            made = ask(decoders.all[0], [*of_rows])
        assert made == [*expected[:3], None, *expected[4:]]
        with pytest.raises(CorruptError, match=of_rows[3].chunks[-1].entry.id.hex()):
            of_rows[3].text()


def damage(repository: Repository, place: Path, block_id: BlockId) -> None:
    """One bit of the block's frame."""
    found = repository.internals.index.find(BlockType.DATA, block_id)[0]
    path = place / names.pack(found.pack_type, found.pack)
    data = bytearray(path.read_bytes())
    data[found.offset + found.frame_bytes // 2] ^= 1
    path.write_bytes(data)


def test_one_that_is_killed_is_done_without(
    repository: Repository, decoders: Decoders, caplog: pytest.LogCaptureFixture
) -> None:
    group = groups_of(table_text(repository))[0]
    killed, left = decoders.all
    os.kill(killed.pid, signal.SIGKILL)
    assert ask(killed, [group, group]) == [None, None]
    assert [record.message.count("is gone") for record in caplog.records] == [1]
    assert ask(left, [group]) == [group.text()]


def test_reads_find_what_was_made_ahead(repository: Repository, decoders: Decoders) -> None:
    document = table_text(repository)
    expected = b"".join(chunk.text() for chunk in chunks_of(document))
    cache = ChunkCache()
    reader, ahead = Reader(document, cache), Prefetcher(cache, decoders)
    step = 100_000

    async def read(offset: int) -> tuple[bytes, bool]:
        found = reader.at_hand(offset, step)
        if found is not None:
            ahead.follow(reader)
        while found is not None and found.pending() is not None:
            await trio.sleep(0)
        parts = None if found is None else found.parts()
        is_at_hand = parts is not None
        if parts is None:
            parts = await trio.to_thread.run_sync(reader.read, offset, step)
            ahead.follow(reader)
        return b"".join(parts), is_at_hand

    async def run() -> list[tuple[bytes, bool]]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ahead.run)
            got = [await read(offset) for offset in range(0, len(expected), step)]
            nursery.cancel_scope.cancel()
        return got

    got = trio.run(run)
    assert b"".join(text for text, _ in got) == expected
    assert sum(is_at_hand for _, is_at_hand in got) > len(got) / 2


def test_who_comes_too_early_waits_until_it_is_known_what_to_make(
    repository: Repository, decoders: Decoders
) -> None:
    """Also several reads at once, and without a thread that makes blocks for them."""
    cache, step = ChunkCache(), 100_000
    reader, ahead = Reader(table_text(repository), cache), Prefetcher(cache, decoders)
    caught_up: list[bool] = []

    async def wait() -> None:
        caught_up.append(await ahead.caught_up(reader))

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ahead.run)
            await trio.testing.wait_all_tasks_blocked()
            await wait()
            for number in range(3):
                reader.read(number * step, step)
            assert reader.at_hand(5 * step, step) is None
            async with trio.open_nursery() as waiting:
                for _ in range(3):
                    waiting.start_soon(wait)
            assert reader.at_hand(5 * step, step) is not None
            nursery.cancel_scope.cancel()

    trio.run(run)
    assert caught_up == [False, True, True, True]


def test_nobody_waits_for_what_is_not_made_any_more(repository: Repository) -> None:
    """The mount ends while texts are claimed that no process has begun."""
    cache = ChunkCache()
    claims = [cache.claim(group) for group in groups_of(table_text(repository))[:3]]

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ahead.run)
            ahead.add([claim for claim in claims if claim is not None])
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    with Decoders(0) as none:
        ahead = Prefetcher(cache, none)
        trio.run(run)
    for claim in claims:
        assert claim is not None
        assert isinstance(claim.made.exception(), MountError)
        assert cache.known(claim.chunk) is None


@pytest.mark.fuse
@pytest.mark.parametrize("killed_at", [None, 0, 600_000])
def test_a_large_file_reads_as_dump_prints_it(
    large_vault: Path, tmp_path: Path, killed_at: int | None
) -> None:
    secret = {"ROWVAULT_PASSWORD": PASSWORD.decode()}
    expected = succeed("-r", large_vault, "-q", "dump", "latest", "d.t", env=secret)
    (tmp_path / "there").mkdir()
    process = start("-r", large_vault, "mount", tmp_path / "there", "-f", env=secret)
    assert process.stdout is not None
    assert b"mounted at" in process.stdout.readline()
    children = decoding_children(process.pid)
    assert children
    with open(tmp_path / "there" / "latest" / "d" / "t.sql", "rb", buffering=0) as file:
        got = file.read(killed_at or 0)
        for child in children if killed_at is not None else ():
            os.kill(child, signal.SIGKILL)
        # As `cat` does: a read of all of it would be cut into reads that come at once, and none of
        # them would be known to be one of a reader who reads on.
        while part := file.read(128 << 10):
            got += part
    assert got == expected
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 0
    if not killed_at:  # else all may have been read ahead before, and nobody misses them
        assert (b"is gone" in complaints) == (killed_at is not None)
    await_true(lambda: not any(os.path.exists(f"/proc/{child}") for child in children))


def decoding_children(pid: int) -> list[int]:
    """Those that run this program; the mount's guard is a shell."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    commands = {int(one): Path(f"/proc/{one}/cmdline").read_bytes() for one in children}
    return [one for one, command in commands.items() if b"rowvault-guard" not in command]


def test_slots_are_free_again_when_nobody_looks_at_them() -> None:
    slots = BufferPool(2, 4096)
    first, second = slots.take(), slots.take()
    assert first is not None
    assert second is not None
    assert slots.take() is None
    slots.view(first.number)[:5] = b"hello"
    part = first.view[1:3]
    number = first.number
    del first
    assert slots.take() is None
    assert bytes(part) == b"el"
    del part
    again = slots.take()
    assert again is not None
    assert again.number == number
