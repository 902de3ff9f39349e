"""Targets that cannot take a snapshot: told with object and remedy, mostly before any change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from rowvault.core.errors import RestoreError
from rowvault.core.model import ObjectDefinition, ObjectKind, TableDefinition
from support import comparer
from support.copying import target_at
from support.mariadb import MariaDBServer
from support.mysql import MySQLServer
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer, onto

pytestmark = pytest.mark.mariadb

SERVERS = {"mariadb": MariaDBServer, "mysql": MySQLServer}
MAKE = [
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE item (id INT PRIMARY KEY, v VARCHAR(2000))",
    "INSERT INTO item VALUES (1, 'a'), (2, 'b')",
    "CREATE TABLE log (v INT)",
    "CREATE VIEW seen AS SELECT id FROM item",
    "CREATE TRIGGER g BEFORE INSERT ON item FOR EACH ROW SET NEW.v = NEW.v",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM log",
    "CREATE PROCEDURE p () SELECT 1",
]


@pytest.fixture
def source(server: DatabaseServer) -> Iterator[DatabaseServer]:
    yield server
    server.execute("DROP DATABASE IF EXISTS shop", "DROP DATABASE IF EXISTS `Shop`")


@pytest.fixture
def target(server_second: DatabaseServer) -> Iterator[DatabaseServer]:
    yield server_second
    server_second.execute("DROP DATABASE IF EXISTS shop", "DROP USER IF EXISTS app@'%'")


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    return "-r", str(tmp_path / "vault")


def back_up(place: tuple[str, str], source: DatabaseServer, *statements: str) -> None:
    source.execute(*statements)
    run_json(*place, "backup", source.socket_url)


def failure(place: tuple[str, str], url: str, *options: str) -> str:
    """The message of a restore that must fail with 1."""
    done = run(*place, "restore", "latest", url, *options, env={"MYSQL_PWD": "p"})
    message = done.stderr.decode()
    assert done.returncode == 1, message
    assert "Traceback" not in message
    assert message.count("error:") == 1
    return message[message.index("error:") :]


def app_url(target: DatabaseServer, *grants: str) -> str:
    """The address for an account that has only these rights."""
    target.execute(
        "CREATE USER app@'%' IDENTIFIED BY 'p'",
        *(f"GRANT {rights} TO app@'%'" for rights in grants),
    )
    return f"mysql://app@localhost/?unix_socket={quote(str(target.socket))}"


def is_untouched(target: DatabaseServer) -> bool:
    return comparer.fingerprint(target, ["shop"]) == {}


def test_lacking_rights_are_named_before_any_change(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    back_up(place, source, *MAKE)
    message = failure(place, app_url(target, "SELECT, CREATE ON *.*"))
    for right, label in (
        ("INSERT", "shop."),
        ("CREATE VIEW", "view shop.seen"),
        ("TRIGGER", "trigger shop.g"),
        ("EVENT", "event shop.e"),
        ("CREATE ROUTINE", "procedure shop.p"),
    ):
        assert f"{right} on `shop`.* for {label}" in message
    assert "whose definer is root@localhost" in message
    assert "nothing was changed" in message
    assert is_untouched(target)


def test_rights_on_one_table_are_enough_for_it(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    back_up(place, source, *MAKE)
    target.execute("CREATE DATABASE shop")
    url = app_url(target, "ALL ON shop.log")
    done = run(*place, "restore", "latest", url, "-t", "shop.log", env={"MYSQL_PWD": "p"})
    assert done.returncode == 0, done.stderr


def test_a_read_only_target_is_named(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    back_up(place, source, *MAKE)
    url = app_url(target, "SELECT, CREATE, INSERT ON *.*")
    target.execute("SET GLOBAL read_only = ON")
    try:
        message = failure(place, url, "-t", "shop.log")
    finally:
        target.execute("SET GLOBAL read_only = OFF")
    assert "read-only (read_only) for this account" in message
    assert "SET GLOBAL read_only = OFF" in message
    assert "nothing was changed" in message
    assert is_untouched(target)


def test_a_full_target_is_named_and_says_what_stands(
    vendor: str, source: DatabaseServer, place: tuple[str, str], tmp_path: Path
) -> None:
    back_up(
        place, source, *MAKE,
        "INSERT INTO log SELECT 1 FROM item",
        "CREATE TABLE full (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(2000))",
        "INSERT INTO full (v) VALUES (REPEAT('x', 2000))",
        *["INSERT INTO full (v) SELECT v FROM full"] * 14,
    )  # fmt: skip
    small = ["--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:24M"]
    with SERVERS[vendor](tmp_path / "server", small) as full:
        message = failure(place, full.socket_url, "-j", "1")
    assert "loading shop.full" in message
    assert "is full" in message
    assert "Make room on the target." in message
    assert "shop.full (" in message
    assert "run the same restore again with --replace" in message


def test_a_collation_or_engine_that_the_target_lacks_is_named(
    vendor: str, target: DatabaseServer
) -> None:
    other = {"mariadb": "utf8mb4_0900_ai_ci", "mysql": "utf8mb4_uca1400_ai_ci"}[vendor]
    target.execute("CREATE DATABASE shop")
    opened = target_at(target.socket_url)
    for option, remedy in (
        (f"COLLATE={other}", "release"),
        ("ENGINE=NoSuchEngine", "Enable the storage engine|NoSuchEngine"),
    ):
        definition = TableDefinition(
            "shop", "x", (), (), False, f"CREATE TABLE `x` (a VARCHAR(9)) {option}".encode()
        )
        with pytest.raises(RestoreError, match=rf"shop\.x could not be created(?s:.*)({remedy})"):
            opened.create(definition)
    opened.close()


@pytest.mark.mysql
def test_a_target_that_wants_primary_keys_is_named(
    mysql: MySQLServer, mysql_second: MySQLServer, place: tuple[str, str]
) -> None:
    back_up(place, mysql, *MAKE)
    url = app_url(mysql_second, "SELECT, CREATE, INSERT ON *.*")
    mysql_second.execute("SET GLOBAL sql_require_primary_key = ON")
    try:
        message = failure(place, url, "-t", "shop.log")
        # The account of the other tests may switch it off for its own session.
        run_json(
            *place, "restore", "latest", mysql_second.socket_url, "--replace", *onto(mysql_second)
        )
    finally:
        mysql_second.execute(
            "SET GLOBAL sql_require_primary_key = OFF", "DROP DATABASE shop", "DROP USER app@'%'"
        )
        mysql.execute("DROP DATABASE shop")
    assert "these tables have no primary key: shop.log" in message
    assert "sql_require_primary_key = OFF" in message
    assert "nothing was changed" in message


def test_a_target_that_lowers_names_is_refused(
    mariadb: MariaDBServer, place: tuple[str, str], tmp_path: Path
) -> None:
    with MariaDBServer(tmp_path / "server", ["--lower-case-table-names=1"]) as lowering:
        back_up(place, mariadb, "CREATE DATABASE shop", "CREATE TABLE shop.Item (Id INT)")
        try:
            message = failure(place, lowering.socket_url)
            assert "table shop.Item" in message
            assert "lower_case_table_names=1" in message
            assert is_untouched(lowering)
            # With names that it keeps, it is a target like any other.
            renamed = ("--rename", "shop.Item=shop.item")
            run_json(*place, "restore", "latest", lowering.socket_url, *renamed)
        finally:
            mariadb.execute("DROP DATABASE shop")


def test_programs_that_relied_on_a_server_without_case_are_named(
    mariadb: MariaDBServer, place: tuple[str, str], tmp_path: Path
) -> None:
    with MariaDBServer(tmp_path / "server", ["--lower-case-table-names=1"]) as ignoring:
        back_up(
            place, ignoring,
            "CREATE DATABASE shop", "USE shop", "CREATE TABLE Item (Id INT)",
            "CREATE VIEW seen AS SELECT Id FROM ITEM",
            "CREATE PROCEDURE other () SELECT 'FROM Item', Id FROM Shop . `Item`",
            "CREATE PROCEDURE same () SELECT Item.Id FROM item AS Item",
        )  # fmt: skip
    try:
        done = run("--json", *place, "restore", "latest", mariadb.socket_url)
    finally:
        mariadb.execute("DROP DATABASE shop")
    assert done.returncode == 3, done.stderr
    (warning,) = json.loads(done.stdout)["warnings"]
    assert warning.startswith("procedure shop.other names the table item as Item")


def test_names_that_collide_on_the_target_are_refused(
    mariadb: MariaDBServer, place: tuple[str, str], tmp_path: Path
) -> None:
    with MariaDBServer(tmp_path / "server", ["--lower-case-table-names=1"]) as lowering:
        back_up(
            place, mariadb,
            "CREATE DATABASE shop", "CREATE TABLE shop.item (a INT)",
            "CREATE TABLE shop.ITEM (a INT)",
        )  # fmt: skip
        try:
            message = failure(place, lowering.socket_url)
        finally:
            mariadb.execute("DROP DATABASE shop")
        assert "table shop.ITEM and table shop.item for the same" in message or (
            "table shop.item and table shop.ITEM for the same" in message
        )
        assert is_untouched(lowering)


def test_a_program_in_the_way_under_another_case_is_found_beforehand(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    back_up(place, source, *MAKE)
    target.execute("CREATE DATABASE shop", "CREATE PROCEDURE shop.P () SELECT 2")
    before = comparer.fingerprint(target, ["shop"])
    assert "procedure shop.P" in failure(place, target.socket_url)
    assert comparer.fingerprint(target, ["shop"]) == before
    restored = run_json(*place, "restore", "latest", target.socket_url, "--replace", *onto(target))
    assert restored["verified"] is True


def test_definers_that_are_not_there_are_told_and_their_programs_stand(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    definer = "CREATE DEFINER = nobody@nowhere"
    back_up(
        place, source, *MAKE[:3],
        f"{definer} VIEW v AS SELECT id FROM item",
        f"{definer} PROCEDURE p () SELECT 1",
        f"{definer} TRIGGER g BEFORE INSERT ON item FOR EACH ROW SET NEW.id = 1",
        f"{definer} EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
    )  # fmt: skip
    done = run(*place, "restore", "latest", target.socket_url)
    assert done.returncode == 0
    for label in ("view shop.v", "procedure shop.p", "trigger shop.g", "event shop.e"):
        assert f"creating {label}: The user specified as a definer" in done.stderr.decode()
    wanted = comparer.fingerprint(source, ["shop"])
    assert comparer.differences(wanted, comparer.fingerprint(target, ["shop"])) == []


def test_a_warning_that_nobody_knows_is_an_omission(target: DatabaseServer) -> None:
    target.execute("CREATE DATABASE shop")
    opened = target_at(target.socket_url)
    statement = b"CREATE TABLE `x` (a INT) ENGINE=InnoDB ROW_FORMAT=FIXED"
    opened.create(TableDefinition("shop", "x", (), (), False, statement))
    opened.close()
    (omission,) = opened.omissions
    assert omission.startswith("creating shop.x: ")


def test_an_event_whose_time_has_passed_is_left_out(target: DatabaseServer) -> None:
    """A server takes it and drops it at once, with a mere note."""
    target.execute("CREATE DATABASE shop")
    opened = target_at(target.socket_url)
    statement = b"CREATE EVENT `e` ON SCHEDULE AT '2020-01-01 00:00:00' DO SET @x = 1"
    session = (("time_zone", "+00:00"),)
    with pytest.raises(RestoreError, match=r"event shop\.e: Event execution time is in the past"):
        opened.create(ObjectDefinition(ObjectKind.EVENT, "shop", "e", statement, session))
    opened.close()
