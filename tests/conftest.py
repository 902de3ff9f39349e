"""Servers that the tests start for themselves, and databases on them."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

# Loaded by its plugin at the end of a run, beside trio, it would warn, and so fail the run.
import hypothesis
import pytest

from support import memory, mysql_programs
from support.mariadb import MariaDBServer, missing_program
from support.mysql import MySQLServer
from support.named_server import NamedMySQLServer
from support.server import DatabaseServer, drop_databases

_DATABASE_NUMBERS = itertools.count(1)
_RUNNING: list[DatabaseServer | NamedMySQLServer] = []
"""Servers that all modules use."""

DATASETS = Path(__file__).parents[2] / "shared" / "datasets"
"""Sample databases that lie beside the checkout where the project itself is built."""

LONG = ("server", "crash", "concurrency", "fidelity", "cli")
"""Kinds of tests that take long, the longest first."""

MEMORY_BYTES = 5 << 30
"""What the servers of one worker keep at most, and need to run."""

_OBJECTS_BETWEEN_COLLECTIONS = 10_000

# For `make quick`: a tenth of the examples, where a test does not state their number itself. As
# everywhere, how fast a machine is decides no test.
hypothesis.settings.register_profile(
    "quick",
    max_examples=10,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)

VENDORS = ("mariadb", pytest.param("mysql", marks=pytest.mark.mysql))


@pytest.fixture(scope="session", autouse=True)
def _state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What this host knows of repositories is no test's matter but those that look at it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def pytest_configure() -> None:
    """A run in the background of a shell ignores Ctrl-C, and its children would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that all workers end at about one time.

    Without the sample databases the few tests that use them are skipped.
    """
    items.sort(key=lambda item: LONG.index(kind) if (kind := _kind(item)) in LONG else len(LONG))
    if DATASETS.exists() or _in_ci():
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason="the sample databases are not here"))


def pytest_collection_finish() -> None:
    """What the collection made stays to the end: nobody has to look for garbage in it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def _kind(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says a figure at the end of the run, whichever worker found it."""
    return lambda text: record_property("told", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the tests tell."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "told" and report.when == "call":
                terminalreporter.write_line(str(text))


def _in_ci() -> bool:
    return os.environ.get("CI") == "true"


@pytest.fixture(scope="session", autouse=True)
def _data_directories_are_copied(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A worker's directory lies in that of the run, beside those of the others."""
    own = tmp_path_factory.getbasetemp()
    run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    DatabaseServer.templates = run / "data-directories"


@pytest.fixture(scope="session", autouse=True)
def _servers_lie_in_memory() -> Iterator[None]:
    """Where there is room: they make and remove thousands of tables, a few files each."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if memory.room_bytes() < workers * MEMORY_BYTES:
        yield
        return
    with memory.directory() as place:
        DatabaseServer.memory = place
        yield
        DatabaseServer.memory = None


@pytest.fixture(scope="session", autouse=True)
def _this_process_waits_for_no_disk() -> Iterator[None]:
    """What fsync makes durable is the matter of the recorded power cuts; commands still do it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def _servers_are_left_empty() -> Iterator[None]:
    """Whichever modules share a worker, none finds databases of another one."""
    yield
    for server in _RUNNING:
        drop_databases(server)
        if isinstance(server, DatabaseServer):
            server.drop_binlogs()


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDBServer]:
    """A MariaDB server with a binary log."""
    yield from _mariadb(tmp_path_factory)


@pytest.fixture(scope="session")
def mariadb_second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDBServer]:
    """Another one, for what is restored."""
    yield from _mariadb(tmp_path_factory)


@pytest.fixture(scope="session")
def mysql(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MySQLServer | NamedMySQLServer]:
    """A MySQL server with a binary log: ROWVAULT_TEST_MYSQL names it, or it is started."""
    yield from _mysql(tmp_path_factory, "ROWVAULT_TEST_MYSQL")


@pytest.fixture(scope="session")
def mysql_second(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MySQLServer | NamedMySQLServer]:
    """Another one, for what is restored: ROWVAULT_TEST_MYSQL_TARGET names it, or it is started."""
    yield from _mysql(tmp_path_factory, "ROWVAULT_TEST_MYSQL_TARGET")


@pytest.fixture
def mysql_programs_found() -> None:
    """For tests that start MySQL servers themselves: skips them where there is none."""
    _require_mysql()


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    """`mariadb`, then `mysql`: a test that asks for it, or for `server`, runs on both."""
    return str(request.param)


@pytest.fixture
def server(vendor: str, request: pytest.FixtureRequest) -> DatabaseServer:
    """A server of each vendor in turn."""
    found: DatabaseServer = request.getfixturevalue(vendor)
    return found


@pytest.fixture
def server_second(vendor: str, request: pytest.FixtureRequest) -> DatabaseServer:
    """Another one of the same vendor, for what is restored."""
    found: DatabaseServer = request.getfixturevalue(f"{vendor}_second")
    return found


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a fresh, empty database; gone after the test.

    It is on `server` for tests that run on both vendors, on `mysql` for those of MySQL alone, and
    else on `mariadb`.
    """
    place = next((name for name in ("server", "mysql") if name in request.fixturenames), "mariadb")
    server: DatabaseServer = request.getfixturevalue(place)
    name = f"test_{next(_DATABASE_NUMBERS)}"
    server.execute(f"CREATE DATABASE {name}")
    yield name
    server.execute(f"DROP DATABASE IF EXISTS {name}")


def _mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDBServer]:
    missing = missing_program()
    if missing is not None:
        _lack(f"{missing} is not installed; apt-get install mariadb-server")
    with MariaDBServer(tmp_path_factory.mktemp("mariadb")) as server:
        _RUNNING.append(server)
        yield server
        _RUNNING.remove(server)


def _mysql(
    tmp_path_factory: pytest.TempPathFactory, variable: str
) -> Iterator[MySQLServer | NamedMySQLServer]:
    url = os.environ.get(variable)
    if url:
        named = NamedMySQLServer(url)
        named.assert_empty()
        _RUNNING.append(named)
        yield named
        _RUNNING.remove(named)
        return
    _require_mysql()
    with MySQLServer(tmp_path_factory.mktemp("mysql")) as server:
        _RUNNING.append(server)
        yield server
        _RUNNING.remove(server)


def _require_mysql() -> None:
    if mysql_programs.find_programs() is not None:
        return
    if _in_ci():
        try:
            mysql_programs.make_root()
        except subprocess.CalledProcessError as error:
            pytest.fail(f"{mysql_programs.HOW_TO_GET}\n{error.stderr[-2000:]}")
    if mysql_programs.find_programs() is None:
        _lack(mysql_programs.HOW_TO_GET)


def _lack(message: str) -> None:
    if _in_ci():
        pytest.fail(message)
    pytest.skip(message)
