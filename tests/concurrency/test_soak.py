"""Writers, a keeper, readers and a killer: no read is ever wrong, and at the end all is whole.

`ROWVAULT_TEST_SOAK` says for how many seconds (default 60), `ROWVAULT_TEST_SEED` in which order.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from concurrency.soak import Soak, digest_of_dump
from rowvault.repository.config import CutSizes, NodeSizes, Sizes
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.rowvault import run_json, succeed

SECONDS = float(os.environ.get("ROWVAULT_TEST_SOAK", "60"))
SEED = int(os.environ.get("ROWVAULT_TEST_SEED", "1"))
SIZES = Sizes(
    data=CutSizes(1024, 4096, 16384),
    manifest=CutSizes(256, 1024, 4096),
    node=NodeSizes(2, 4, 16),
    pack_bytes=1 << 16,
)
"""Many blocks and packs for few rows."""


@pytest.mark.timeout(600 + 2 * SECONDS)
def test_a_soak_of_real_processes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "place"
    Repository.create(LocalStorage(place), None, SIZES).close()
    soak = Soak(tmp_path, place, SECONDS, SEED)
    soak.run()
    with capsys.disabled():
        print(f"\n{dict(sorted(soak.counts.items()))}", end=" ")
    assert soak.failures == []
    assert any("killed" in what for what in soak.counts)
    kept = soak.kept()
    assert kept
    succeed("-r", place, "prune", "--max-unused", "0%", "--wait")
    listed = {one["id"] for one in run_json("-r", place, "snapshots")}
    assert kept.keys() <= listed
    for one in listed:
        found = digest_of_dump(succeed("-r", place, "dump", one))
        assert one not in soak.taken or found == soak.taken[one]
    succeed("-r", place, "check", "--read-data")
    storage = LocalStorage(place)
    assert storage.list("sessions/") == []
    assert [name for name in storage.list("gc/") if "round" in name] == []
