"""Servers that the tests start for themselves, and databases on them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from support.mariadb import MariaDBServer, missing_program

_DATABASE_NUMBERS = itertools.count(1)


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
