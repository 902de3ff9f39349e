"""Servers that the tests start for themselves, and databases on them."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.mariadb import MariaDBServer, missing_program

_DATABASE_NUMBERS = itertools.count(1)

DATASETS = Path(__file__).parents[2] / "shared" / "datasets"
"""Sample databases that lie beside the checkout where the project itself is built."""


def pytest_configure() -> None:
    """A run in the background of a shell ignores Ctrl-C, and its children would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Elsewhere, the few tests that use them are skipped."""
    if DATASETS.exists() or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason="the sample databases are not here"))


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDBServer]:
    """A MariaDB server with a binary log."""
    yield from _server(tmp_path_factory)


@pytest.fixture(scope="session")
def mariadb_second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDBServer]:
    """Another one, for what is restored."""
    yield from _server(tmp_path_factory)


@pytest.fixture
def database(mariadb: MariaDBServer) -> Iterator[str]:
    """The name of a fresh, empty database on `mariadb`; gone after the test."""
    name = f"test_{next(_DATABASE_NUMBERS)}"
    mariadb.execute(f"CREATE DATABASE {name}")
    yield name
    mariadb.execute(f"DROP DATABASE IF EXISTS {name}")


def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDBServer]:
    missing = missing_program()
    if missing is not None:
        message = f"{missing} is not installed; apt-get install mariadb-server"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with MariaDBServer(tmp_path_factory.mktemp("mariadb")) as server:
        yield server
