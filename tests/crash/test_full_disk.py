"""A repository on a real file system that is full: a failure that says so, and nothing is lost."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.rowvault import run, run_json, succeed
from support.server import find_program
from support.sqlite_file import differences

SIZE_BYTES = 200 << 20
ROWS = 14_000
ENV = {"ROWVAULT_PASSWORD": "enough for a test"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 MB in a file."""
    image, place = tmp_path / "disk.img", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(SIZE_BYTES)
    place.mkdir()
    program = find_program("mkfs.ext4")
    if program is None:
        pytest.skip("mkfs.ext4 is not here")
    subprocess.run([program, "-q", "-F", "-m", "0", image], check=True)
    mounted = subprocess.run(
        ["mount", "-o", "loop", image, place], capture_output=True, check=False, text=True
    )
    if mounted.returncode != 0:
        # Loop devices are the machine's affair: no package brings them.
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.fixture(autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")


def make_file(path: Path, seed: int) -> str:
    """70 MB that nothing makes smaller; returns its address."""
    chance = random.Random(seed)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE photo (id INTEGER PRIMARY KEY, data BLOB)")
        rows = ((number, chance.randbytes(5000)) for number in range(ROWS))
        connection.executemany("INSERT INTO photo VALUES (?, ?)", rows)
    connection.close()
    return f"sqlite:///{path}"


def fill(place: Path) -> Path:
    """A file that takes all that is left."""
    path = place / "filler"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while os.write(descriptor, bytes(size)):
                    pass
            except OSError:
                continue  # full for this size
    finally:
        os.close(descriptor)
    return path


def assert_full(*command: str | Path) -> None:
    """It fails, and says why, where, and what to do."""
    done = run(*command, env=ENV)
    message = done.stderr.decode()
    assert done.returncode == 1, message
    assert "disk is full" in message
    assert "Make room" in message
    assert "Traceback" not in message


def assert_whole(vault: Path, work: Path, **expected: Path) -> None:
    """Every byte can be read, and the snapshots with these tags are those files."""
    succeed("-r", vault, "check", "--read-data", env=ENV)
    listed = {one["tags"][0]: one["id"] for one in run_json("-r", vault, "snapshots", env=ENV)}
    assert listed.keys() == expected.keys()
    for tag, file in expected.items():
        target = work / f"{tag} again.db"
        succeed("-r", vault, "restore", listed[tag], f"sqlite:///{target}", env=ENV)
        assert differences(file, target) == []
        target.unlink()


def test_a_full_disk(disk: Path, tmp_path: Path) -> None:
    vault = disk / "vault"
    sources = {name: make_file(tmp_path / f"{name}.db", seed) for seed, name in enumerate("abc")}
    files = {name: tmp_path / f"{name}.db" for name in sources}
    succeed("-r", vault, "init", env=ENV)
    for name in "ab":
        succeed("-r", vault, "backup", sources[name], "--tag", name, env=ENV)

    assert_full("-r", vault, "backup", sources["c"], "--tag", "c")
    assert_whole(vault, tmp_path, a=files["a"], b=files["b"])
    assert list((vault / "sessions").iterdir()) == []

    filler = fill(disk)
    assert_full("-r", vault, "backup", sources["c"], "--tag", "c")
    assert_full("-r", vault, "prune")
    assert_whole(vault, tmp_path, a=files["a"], b=files["b"])
    filler.unlink()

    # What the run that failed has stored is all that is left to take: the disk is as full again.
    assert_full("-r", vault, "backup", sources["c"], "--tag", "c")
    of_a = ("--source", sources["a"].removeprefix("sqlite:///"))
    succeed("-r", vault, "forget", "latest", *of_a, "--allow-remove-all", env=ENV)
    freed = run_json("-r", vault, "prune", env=ENV)["freed_bytes"]
    assert freed > 60e6
    assert_whole(vault, tmp_path, b=files["b"])
    succeed("-r", vault, "backup", sources["c"], "--tag", "c", env=ENV)
    assert_whole(vault, tmp_path, b=files["b"], c=files["c"])
