"""A real process, killed for good in mid-run; what it left is reused, and its session is ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from support.sample_repository import SMALL, open_plain, put_all, read_snapshot, sample_rows

TABLES = {("shop", "orders"): sample_rows(2000)}

CHILD = """
import sys
sys.path.insert(0, sys.argv[2])
from support.sample_repository import open_plain, put_all, sample_rows
from rowvault.core.monitor import SilentMonitor
from rowvault.storage import LocalStorage
repository = open_plain(LocalStorage(sys.argv[1]))
session = repository.begin("test", SilentMonitor())
put = session.put_data
def put_data(raw, *rest, **named):
    identifier = put(raw, *rest, **named)
    print("block", flush=True)
    return identifier
session.put_data = put_data
draft = put_all(session, repository, {("shop", "orders"): sample_rows(2000)}, 1)
session.commit(draft)
print("committed", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("blocks", [1, 40, 200, 10**9])
def test_killed_in_mid_run(tmp_path: Path, blocks: int) -> None:
    storage = LocalStorage(tmp_path / "place")
    Repository.create(storage, None, SMALL)
    support = str(Path(__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, storage.location, support],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    seen = 0
    for line in child.stdout:
        seen += 1
        if seen >= blocks or line == "committed\n":
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    child.stdin.close()
    repository = open_plain(storage)
    assert check(repository, True, SilentMonitor()).errors == []
    assert len(repository.snapshots()) == (1 if seen < blocks else 0)
    packs = storage.list("packs/")
    with repository.begin("test", SilentMonitor()) as session:
        snapshot = session.commit(put_all(session, repository, TABLES, 2))
    assert len(storage.list("sessions/")) == 0
    assert read_snapshot(repository, snapshot) == TABLES
    assert check(repository, True, SilentMonitor()).errors == []
    if packs:
        assert session.stats.new_blocks < session.stats.blocks
