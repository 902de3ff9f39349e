"""A dump's file appears under its name only when it is whole."""

import os
import stat
from pathlib import Path

import pytest

from rowvault.commands.dump import whole_file


def test_it_appears_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    with whole_file(path) as write:
        write(b"one\n")
        assert not path.exists()
        write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        _interrupted(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def _interrupted(path: Path) -> None:
    with whole_file(path) as write:
        write(b"half")
        raise KeyboardInterrupt


def test_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    mask = os.umask(0o027)
    try:
        with whole_file(path) as write:
            write(b"x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o600)
    with whole_file(path) as write:
        write(b"y")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "latest.sql"
    link.symlink_to("real.sql")
    with whole_file(link) as write:
        write(b"x")
    assert link.is_symlink()
    assert (tmp_path / "real.sql").read_bytes() == b"x"


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with whole_file(path) as write:
        write(b"x")
    assert os.read(reader, 10) == b"x"
    os.close(reader)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "no" / "dump.sql"
    with pytest.raises(FileNotFoundError) as caught, whole_file(path) as write:
        write(b"x")
    assert caught.value.filename == str(path)
