"""Tables that are proven while others load; what is not is left to the proof at the end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rowvault.backup.engine import BackupRequest, run_backup
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import VerificationError
from rowvault.core.model import TableDefinition
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.repository import Repository
from rowvault.repository.trees.manifest import TableRecord
from rowvault.restore.engine import RestoreRequest, RestoreResult, run_restore
from rowvault.restore.verify import prover
from rowvault.restore.verify.prover import Prover
from rowvault.source.address import open_source, open_target, parse_address
from rowvault.source.mysql.writing.loader import MysqlLoader
from rowvault.source.protocol import Locking, Selection, Source
from support import comparer
from support.server import DatabaseServer
from support.small_vault import create_small

Backed = tuple[Repository, list[TableRecord]]


@pytest.fixture
def second(server_second: DatabaseServer, database: str) -> Iterator[DatabaseServer]:
    yield server_second
    server_second.execute(f"DROP DATABASE IF EXISTS {database}")


@pytest.fixture
def backed(
    server: DatabaseServer, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backed]:
    """Two tables in a repository, none too small to be proven early."""
    monkeypatch.setattr(prover, "LEAST_BYTES", 0)
    for name in ("a", "b"):
        server.execute(
            f"CREATE TABLE {database}.{name} (id INT PRIMARY KEY, t VARCHAR(9))",
            f"INSERT INTO {database}.{name} VALUES (1, 'x'), (2, 'y')",
        )
    with contextlib.closing(create_small(tmp_path / "vault")) as repository:
        source = open_source(parse_address(server.socket_url), SilentMonitor())
        run_backup(repository, source, BackupRequest(Selection((database,))), SilentMonitor())
        yield repository, list(repository.manifest(repository.find("latest")).tables())


def reading(server: DatabaseServer) -> Source:
    address = parse_address(server.socket_url)
    return open_source(address, SilentMonitor(), locking=Locking(allowed=False))


def is_proven(repository: Repository, record: TableRecord, source: Callable[[], Source]) -> bool:
    begun = threading.Event()

    def opened() -> Source:
        begun.set()
        return source()

    own = Prover(repository, opened)
    own.add(record)
    assert begun.wait(60)
    name = (record.definition.database, record.definition.name)
    assert own.stop() == {name}
    return name not in own.unproven()


def test_a_table_that_is_the_same_is_proven(server: DatabaseServer, backed: Backed) -> None:
    repository, records = backed
    server.execute(f"ALTER TABLE {records[0].definition.label} ADD KEY t (t)")
    assert is_proven(repository, records[0], lambda: reading(server))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {} SET t = 'z' WHERE id = 2",
        "DELETE FROM {} WHERE id = 1",
        "ALTER TABLE {} MODIFY t VARCHAR(9) FIRST",
        "DROP TABLE {}",
    ],
)
def test_a_table_that_is_not_is_left_to_the_end(
    server: DatabaseServer, backed: Backed, change: str
) -> None:
    repository, records = backed
    server.execute(change.format(records[0].definition.label))
    assert not is_proven(repository, records[0], lambda: reading(server))


def test_a_server_that_is_gone_proves_nothing(server: DatabaseServer, backed: Backed) -> None:
    repository, records = backed

    def nobody() -> Source:
        return open_source(parse_address("mysql://u:p@127.0.0.1:9/"), SilentMonitor())

    assert not is_proven(repository, records[0], nobody)


def test_what_is_stopped_before_it_is_begun_is_not_taken(backed: Backed) -> None:
    repository, records = backed

    def never() -> Source:
        raise AssertionError("nothing is to be read")

    own = Prover(repository, never)
    assert own.stop() == frozenset()
    own.add(records[0])
    assert own.unproven() == frozenset()


def test_a_difference_keeps_nothing_else_from_being_made(
    server: DatabaseServer,
    second: DatabaseServer,
    backed: Backed,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository, _ = backed
    server.execute(
        f"USE {database}",
        "CREATE VIEW v AS SELECT id FROM a",
        "CREATE PROCEDURE p () SELECT 1",
        "CREATE TRIGGER g BEFORE INSERT ON b FOR EACH ROW SET NEW.t = 'g'",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM b",
    )
    source = open_source(parse_address(server.socket_url), SilentMonitor())
    run_backup(repository, source, BackupRequest(Selection((database,))), SilentMonitor())
    load = MysqlLoader.load

    def load_and_change(loader: MysqlLoader, table: TableDefinition, rows: RowBatch) -> None:
        load(loader, table, rows)
        if table.name == "a":
            second.execute(f"DELETE FROM {table.label} WHERE id = 2")

    monkeypatch.setattr(MysqlLoader, "load", load_and_change)
    with pytest.raises(VerificationError, match=f"{database}.a: rows differ"):
        run_restore(
            repository,
            repository.find("latest"),
            open_target(parse_address(second.socket_url), SilentMonitor()),
            lambda monitor, locking: open_source(
                parse_address(second.socket_url), monitor, locking=locking
            ),
            RestoreRequest(),
            SilentMonitor(),
        )
    left, right = (comparer.fingerprint(one, [database]) for one in (server, second))
    assert {"view", "procedure", "trigger", "event"} <= {label.split()[0] for label in right}
    assert [one for one in comparer.differences(left, right) if "rows" not in one] == []


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_restore_ends_with_the_same_verdict(
    server: DatabaseServer,
    second: DatabaseServer,
    backed: Backed,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    is_changed: bool,
) -> None:
    """Also where a row is changed behind the loader's back before its table is complete."""
    repository, _ = backed
    load = MysqlLoader.load

    def load_and_change(loader: MysqlLoader, table: TableDefinition, rows: RowBatch) -> None:
        load(loader, table, rows)
        if is_changed and table.name == "a":
            second.execute(f"UPDATE {table.label} SET t = 'z' WHERE id = 2")

    monkeypatch.setattr(MysqlLoader, "load", load_and_change)

    def restore() -> RestoreResult:
        return run_restore(
            repository,
            repository.find("latest"),
            open_target(parse_address(second.socket_url), SilentMonitor()),
            lambda monitor, locking: open_source(
                parse_address(second.socket_url), monitor, locking=locking
            ),
            RestoreRequest(),
            SilentMonitor(),
        )

    if is_changed:
        with pytest.raises(VerificationError, match=f"{database}.a: rows differ") as caught:
            restore()
        assert f"{database}.b" not in str(caught.value)
    else:
        assert restore().verified is True
        left, right = (comparer.fingerprint(one, [database]) for one in (server, second))
        assert comparer.differences(left, right) == []
