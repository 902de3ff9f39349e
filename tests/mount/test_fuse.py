"""A real mount, used by real programs."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from mount.mounting import Mount, await_true
from mount.odd_tables import NAMES, fill
from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.codec.frames import BlockType
from rowvault.core.errors import DamageError
from rowvault.core.monitor import SilentMonitor
from rowvault.mount.names import file_name
from rowvault.mount.snapshot_text import SnapshotText
from rowvault.render.dump import dump_snapshot
from rowvault.repository import names as object_names
from rowvault.repository.repository import Repository
from rowvault.source.sqlite.snapshot import SqliteSource
from rowvault.storage.location import open_storage
from support.rowvault import environment, run, start, succeed

pytestmark = pytest.mark.fuse


def files_below(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def test_files_have_their_sizes_and_read_as_dump_prints(mount: Mount, place: Path) -> None:
    top = mount()
    assert sorted(os.listdir(top)) == ["latest", "snapshots", "tags"]
    assert len(os.listdir(top / "snapshots")) == 3
    for path in files_below(top / "snapshots"):
        assert len(path.read_bytes()) == path.stat().st_size
    for name in os.listdir(top / "snapshots"):
        everything = succeed("-r", place, "-q", "dump", name)
        assert (top / "snapshots" / name / "all.sql").read_bytes() == everything
    alone = succeed("-r", place, "-q", "dump", "latest", "main.plain")
    assert (top / "latest" / "main" / "plain.sql").read_bytes() == alone


def test_a_dump_from_the_mount_loads(mount: Mount, tmp_path: Path) -> None:
    top = mount("--snapshot", "latest")
    with closing(sqlite3.connect(tmp_path / "again.db")) as connection:
        connection.executescript((top / "all.sql").read_text())
        assert connection.execute("SELECT COUNT(*) FROM plain").fetchone() == (901,)
        assert connection.execute("SELECT COUNT(*) FROM seen").fetchone() == (901,)


def test_many_readers_backwards_in_odd_sizes(mount: Mount, place: Path) -> None:
    path = mount() / "latest" / "all.sql"
    expected = succeed("-r", place, "-q", "dump", "latest")

    def backwards(size: int) -> bytes:
        with open(path, "rb", buffering=0) as file:
            starts = range(len(expected) // size * size, -1, -size)
            parts = [os.pread(file.fileno(), size, at) for at in starts]
        return b"".join(reversed(parts))

    with ThreadPoolExecutor(8) as pool:
        for text in pool.map(backwards, [977, 4096, 12_345, 65_537, 100_003, 333, 131_072, 7919]):
            assert text == expected


def test_grep_and_diff_work(mount: Mount) -> None:
    latest = (mount() / "latest").resolve()
    top = latest.parent
    found = subprocess.run(
        ["grep", "-rl", f"plain {899 * 900}'", str(top)], capture_output=True, text=True, check=True
    )
    newest = {str(latest / "all.sql"), str(latest / "main" / "plain.sql")}
    assert set(found.stdout.split()) == newest
    other = next(name for name in os.listdir(top) if name != latest.name)
    differing = subprocess.run(
        ["diff", "-rq", str(top / other), str(latest)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert differing.returncode == 1
    assert "plain.sql differ" in differing.stdout


def test_nothing_can_be_written(mount: Mount) -> None:
    top = mount()
    for act in (
        lambda: (top / "new").write_bytes(b""),
        lambda: (top / "latest" / "all.sql").write_bytes(b""),
        lambda: os.unlink(top / "latest" / "all.sql"),
        lambda: os.mkdir(top / "snapshots" / "more"),
        lambda: os.rename(top / "latest", top / "oldest"),
    ):
        with pytest.raises(OSError, match="Read-only") as caught:
            act()
        assert caught.value.errno == errno.EROFS


def test_new_snapshots_appear_and_forgotten_ones_go(
    mount: Mount, place: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "vault"
    shutil.copytree(place, copy)
    top = mount(repository=copy)
    before = set(os.listdir(top / "snapshots"))
    fill(tmp_path / "source.db", 5)
    with Repository.open(open_storage(str(copy)), lambda: b"") as repository:
        source = SqliteSource(tmp_path / "source.db")
        (name,) = repository.sources().names
        run_backup(repository, source, BackupRequest(source=name), SilentMonitor())
    await_true(lambda: len(os.listdir(top / "snapshots")) == len(before) + 1)
    (added,) = set(os.listdir(top / "snapshots")) - before
    await_true(lambda: os.readlink(top / "latest") == f"snapshots/{added}")
    assert (top / "latest" / "main" / "plain.sql").stat().st_size > 0
    with Repository.open(open_storage(str(copy)), lambda: b"") as repository:
        for snapshot in repository.snapshots()[:-1]:
            repository.forget(snapshot)
    await_true(lambda: os.listdir(top / "snapshots") == [added])


def test_a_list_of_snapshots_that_is_missing_is_an_error_and_no_empty_folder(
    mount: Mount, place: Path, tmp_path: Path
) -> None:
    """Whoever mirrors an empty folder empties the mirror."""
    copy = Path(shutil.copytree(place, tmp_path / "vault"))
    top = mount(repository=copy)
    listed = sorted(os.listdir(top / "snapshots"))
    (copy / "snapshots").rename(tmp_path / "gone")
    for act in (
        lambda: os.listdir(top / "snapshots"),
        lambda: os.listdir(top / "tags"),
        lambda: os.listdir(top),
        lambda: os.readlink(top / "latest"),
    ):
        await_true(lambda act=act: fails_with(errno.EIO, act))
    assert top.is_mount()
    (tmp_path / "gone").rename(copy / "snapshots")
    await_true(lambda: not fails_with(errno.EIO, lambda: os.listdir(top / "snapshots")))
    assert sorted(os.listdir(top / "snapshots")) == listed


@pytest.mark.parametrize("count", [1, 3])
def test_a_snapshot_that_nobody_forgot_is_missed(
    mount: Mount, place: Path, tmp_path: Path, count: int
) -> None:
    copy = Path(shutil.copytree(place, tmp_path / "vault"))
    top = mount(repository=copy)
    listed = sorted(os.listdir(top / "snapshots"))
    (tmp_path / "gone").mkdir()
    for name in listed[:count]:
        (copy / "snapshots" / name).rename(tmp_path / "gone" / name)
    await_true(lambda: fails_with(errno.EIO, lambda: os.listdir(top / "snapshots")))
    for name in listed[:count]:
        (tmp_path / "gone" / name).rename(copy / "snapshots" / name)
    await_true(lambda: not fails_with(errno.EIO, lambda: os.listdir(top / "snapshots")))
    assert sorted(os.listdir(top / "snapshots")) == listed


def test_a_damaged_snapshot_keeps_its_place(mount: Mount, place: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(place, tmp_path / "vault"))
    source = SqliteSource(place.parent / "source.db")
    with Repository.open(open_storage(str(copy)), lambda: b"") as repository:
        newest = before = repository.listings()[-1]
        # Of a damaged one nothing but the second is known, so it must be of a later second.
        while newest.time.replace(microsecond=0) <= before.time:
            before = newest
            run_backup(repository, source, BackupRequest(), SilentMonitor())
            newest = repository.listings()[-1]
    listed = sorted(os.listdir(copy / "snapshots"))
    victim = copy / object_names.snapshot(newest.time, newest.id)
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    top = mount(repository=copy)
    assert sorted(os.listdir(top / "snapshots")) == listed
    assert set(os.listdir(top)) == {"snapshots", "tags", "latest"}
    assert os.readlink(top / "latest") == f"snapshots/{victim.name}"
    for path in (top / "snapshots" / victim.name, top / "latest"):
        with pytest.raises(OSError, match="Input/output error"):
            os.listdir(path)
    others = [name for name in listed if name != victim.name]
    assert all("all.sql" in os.listdir(top / "snapshots" / name) for name in others)


def test_half_a_copy_is_not_mounted(place: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(place, tmp_path / "vault"))
    for path in (copy / "snapshots").iterdir():
        path.unlink()
    (tmp_path / "top").mkdir()
    done = run("-r", copy, "mount", tmp_path / "top")
    assert done.returncode == 20
    assert b"no snapshot, not even a forgotten one" in done.stderr
    assert not (tmp_path / "top").is_mount()


def fails_with(code: int, act: Callable[[], object]) -> bool:
    """Whether the call fails with this error; any other one passes through."""
    try:
        act()
    except OSError as error:
        if error.errno != code:
            raise
        return True
    return False


def test_every_table_reads_as_dump_prints_it(mount: Mount, repository: Repository) -> None:
    latest = mount() / "latest"
    for name in NAMES:
        parts: list[bytes] = []
        found = repository.find("latest")
        dump_snapshot(repository, found, "main", name, parts.append, SilentMonitor())
        expected = b"".join(parts)
        path = latest / "main" / file_name(name, ".sql")
        assert path.stat().st_size == len(expected)
        assert path.read_bytes() == expected


def test_the_description_is_what_show_prints(mount: Mount, place: Path, tmp_path: Path) -> None:
    copy = tmp_path / "vault"
    shutil.copytree(place, copy)
    path = mount(repository=copy) / "latest" / "snapshot.json"
    before = path.read_bytes()
    assert before == succeed("-r", copy, "--json", "show", "latest")
    succeed("-r", copy, "tag", "add", "latest", "a-new-tag")
    after = succeed("-r", copy, "--json", "show", "latest")
    assert after != before
    await_true(lambda: path.read_bytes() == after)
    assert path.stat().st_size == len(after)


def damaged_ranges(place: Path) -> list[tuple[int, int]]:
    """Of the dump of the latest snapshot: what damage reaches."""
    with Repository.open(open_storage(str(place)), lambda: b"") as repository:
        document = SnapshotText(repository, repository.find("latest")).everything()
        found = []
        for start, chunk in document.chunks(0):
            try:
                chunk.text()
            except DamageError:
                found.append((start, start + chunk.length))
        return found


def damage_a_block(place: Path) -> str:
    """One bit of a block of the latest snapshot, wherever it stands; the block's id."""
    with Repository.open(open_storage(str(place)), lambda: b"") as repository:
        record = repository.manifest(repository.find("latest")).table("main", "plain")
        assert record is not None
        entries = list(repository.tree(record.root).entries())
        chosen = entries[len(entries) // 2].id
        for found in repository.internals.index.find(BlockType.DATA, chosen):
            path = place / object_names.pack(found.pack_type, found.pack)
            data = bytearray(path.read_bytes())
            data[found.offset + found.frame_bytes // 2] ^= 1
            path.write_bytes(data)
    return chosen.hex()


def test_damage_is_an_error_for_the_ranges_it_reaches_and_is_logged(
    mount: Mount, place: Path, tmp_path: Path
) -> None:
    copy, page = tmp_path / "vault", 4096
    shutil.copytree(place, copy)
    damaged = damage_a_block(copy)
    expected = succeed("-r", place, "-q", "dump", "latest")
    ranges = damaged_ranges(copy)
    assert 0 < sum(stop - start for start, stop in ranges) < len(expected) / 2
    log = tmp_path / "log"
    path = mount("--log", str(log), repository=copy) / "latest" / "all.sql"
    with open(path, "rb", buffering=0) as file:
        assert os.fstat(file.fileno()).st_size == len(expected)
        for at in range(0, len(expected), page):
            if any(start < at + page and at < stop for start, stop in ranges):
                with pytest.raises(OSError, match="Input/output"):
                    os.pread(file.fileno(), page, at)
            else:
                assert os.pread(file.fileno(), page, at) == expected[at : at + page]
    told = log.read_text().splitlines()
    assert any(damaged in line for line in told)
    assert len(told) == len(set(told))


def test_a_mount_ends_when_the_system_unmounts_it(place: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    process = start("-r", place, "mount", tmp_path / "there", "-f")
    assert process.stdout is not None
    assert b"mounted at" in process.stdout.readline()
    subprocess.run(["fusermount3", "-u", str(tmp_path / "there")], check=True)
    _, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, b"")


def test_a_dead_mount_explains_itself(place: Path, tmp_path: Path) -> None:
    """Where the guard that would free the directory was killed too."""
    there = tmp_path / "there"
    there.mkdir()
    process = start("-r", place, "mount", there, "-f")
    assert process.stdout is not None
    assert b"mounted at" in process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for guard in children:
        os.kill(int(guard), signal.SIGKILL)
    process.kill()
    process.communicate()

    def is_dead() -> bool:
        try:
            os.listdir(there)
        except OSError as error:
            return error.errno == errno.ENOTCONN
        return False

    await_true(is_dead)
    done = run("-r", place, "mount", there)
    assert done.returncode == 2
    assert b"whose process is gone" in done.stderr
    assert f"rowvault umount {there}".encode() in done.stderr
    succeed("umount", there)
    assert os.listdir(there) == []


FEW = """
import sys
from rowvault.cli.main import main
from rowvault.mount import fuse
fuse._KNOWN_MOST = 20
main()
"""


def test_what_the_kernel_knows_is_kept_within_bounds(place: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    command = [sys.executable, "-c", FEW, "-r", str(place), "mount", str(tmp_path / "there"), "-f"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        try:
            assert process.stdout is not None
            assert b"mounted at" in process.stdout.readline()
            check_that_few_are_known(tmp_path / "there" / "snapshots")
        finally:
            process.terminate()
    assert process.returncode == 0


def check_that_few_are_known(top: Path) -> None:
    expected = {path: path.read_bytes() for path in files_below(top)}
    assert len(expected) > 25
    for _ in range(3):
        sizes = {path: path.stat().st_size for path in files_below(top)}
        assert sizes == {path: len(text) for path, text in expected.items()}
    await_true(lambda: os.statvfs(top).f_files < len(expected))
    for path, text in expected.items():
        assert path.read_bytes() == text


def test_a_mount_in_the_foreground_ends_on_sigterm(place: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    process = start("-r", place, "mount", tmp_path / "there", "-f")
    assert process.stdout is not None
    assert b"mounted at" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert not os.path.ismount(tmp_path / "there")


def test_a_mount_that_is_killed_leaves_the_directory_free(place: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    process = start("-r", place, "mount", tmp_path / "there", "-f")
    assert process.stdout is not None
    assert b"mounted at" in process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()

    def is_free() -> bool:
        try:
            return os.listdir(tmp_path / "there") == []
        except OSError:
            return False

    await_true(is_free)


def test_places_that_cannot_be_mounted_are_refused(
    mount: Mount, place: Path, tmp_path: Path
) -> None:
    top = mount()
    (tmp_path / "file").write_bytes(b"")
    for directory, words in (
        (top, b"mounted"),
        (tmp_path / "nowhere", b"does not exist"),
        (tmp_path / "file", b"not a directory"),
        (place, b"not empty"),
    ):
        done = run("-r", place, "mount", directory)
        assert done.returncode == 2, done.stderr
        assert words in done.stderr
    (tmp_path / "empty").mkdir()
    assert run("umount", tmp_path / "empty").returncode == 1
    done = run("-r", tmp_path / "nowhere", "mount", tmp_path / "empty")
    assert done.returncode == 10
    assert not os.path.ismount(tmp_path / "empty")
