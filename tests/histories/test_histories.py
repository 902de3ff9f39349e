"""Random schemas and histories: no snapshot is ever lost, and each comes back exactly.

`make soak` runs many. ROWVAULT_TEST_HISTORIES says how many for each vendor, ROWVAULT_TEST_FIRST
which seed is the first. Every tenth has row-chunks and blocks of natural size.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from histories.history import History, Workers
from support.server import DatabaseServer

COUNT = int(os.environ.get("ROWVAULT_TEST_HISTORIES", "2"))
FIRST = int(os.environ.get("ROWVAULT_TEST_FIRST", "1"))
NATURAL_ROWS = 150_000


@pytest.fixture(scope="module")
def small_chunks() -> Iterator[Workers]:
    workers = Workers.start(small_chunks=True)
    yield workers
    workers.stop()


@pytest.fixture(scope="module")
def natural_chunks() -> Iterator[Workers]:
    workers = Workers.start(small_chunks=False)
    yield workers
    workers.stop()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_a_history_loses_nothing(
    seed: int,
    server: DatabaseServer,
    server_second: DatabaseServer,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tell: Callable[[str], None],
) -> None:
    natural = seed % 10 == 0
    workers = request.getfixturevalue("natural_chunks" if natural else "small_chunks")
    history = History(
        server, server_second, workers, tmp_path / "vault", seed, natural=natural,
        rows=NATURAL_ROWS if natural else 1500,
    )  # fmt: skip
    history.run()
    tell(f"seed {seed}, {server.vendor}: {dict(sorted(Counter(history.counts).items()))}")
