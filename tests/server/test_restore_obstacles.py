"""What would stop a restore in the middle is found before anything on the target is changed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from rowvault.core.model import Column, ObjectDefinition, ObjectKind, TableDefinition, ValueKind
from support import comparer
from support.copying import target_at
from support.mariadb import MariaDBServer
from support.mysql import MySQLServer
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer, drop_databases, onto

pytestmark = pytest.mark.mariadb

SERVERS = {"mariadb": MariaDBServer, "mysql": MySQLServer}

MAKE = [
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE item (id INT PRIMARY KEY, v VARCHAR(90))",
    "INSERT INTO item VALUES (1, 'a'), (2, 'b')",
]
PROGRAMS = [
    "CREATE DEFINER = app@'%' SQL SECURITY INVOKER VIEW seen AS"
    " SELECT id, 'DEFINER=`app`@`%` ' AS d FROM item",
    "CREATE DEFINER = app@'%' TRIGGER g BEFORE INSERT ON item FOR EACH ROW SET NEW.v = 'x'",
    "SET sql_mode = 'ANSI_QUOTES'",
    "CREATE DEFINER = app@'%' EVENT \"e 1\" ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM item",
    'CREATE DEFINER = app@\'%\' PROCEDURE "p 1" () SQL SECURITY INVOKER SELECT "id" FROM item',
    "SET sql_mode = DEFAULT",
    "CREATE DEFINER = app@'%' FUNCTION f () RETURNS INT DETERMINISTIC RETURN 1",
]


@pytest.fixture
def source(server: DatabaseServer) -> Iterator[DatabaseServer]:
    yield server
    drop_databases(server)
    server.execute("DROP USER IF EXISTS app@'%'")


@pytest.fixture
def target(server_second: DatabaseServer) -> Iterator[DatabaseServer]:
    yield server_second
    drop_databases(server_second)
    server_second.execute("DROP USER IF EXISTS app@'%'", "DROP USER IF EXISTS mover@'%'")


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    return "-r", str(tmp_path / "vault")


def back_up(place: tuple[str, str], source: DatabaseServer, *statements: str) -> None:
    source.execute(*statements)
    run_json(*place, "backup", source.socket_url)


def failure(place: tuple[str, str], url: str, *options: str) -> str:
    """The message of a restore that must fail with 1, with nothing changed."""
    done = run(*place, "restore", "latest", url, *options, env={"MYSQL_PWD": "p"})
    message = done.stderr.decode()
    assert done.returncode == 1, message
    assert message.count("error:") == 1
    assert "nothing was changed" in message
    return message[message.index("error:") :]


def mover_url(target: DatabaseServer, *grants: str) -> str:
    target.execute(
        "CREATE USER mover@'%' IDENTIFIED BY 'p'",
        *(f"GRANT {rights} TO mover@'%'" for rights in grants),
    )
    return f"mysql://mover@localhost/?unix_socket={quote(str(target.socket))}"


def databases(target: DatabaseServer) -> list[str]:
    with target.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE 'shop%'")
        return [row[0] for row in cursor.fetchall()]


def definers(target: DatabaseServer) -> set[str]:
    with target.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'shop'"
            " UNION ALL SELECT DEFINER FROM information_schema.TRIGGERS"
            " WHERE TRIGGER_SCHEMA = 'shop'"
            " UNION ALL SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop'"
            " UNION ALL SELECT DEFINER FROM information_schema.ROUTINES"
            " WHERE ROUTINE_SCHEMA = 'shop'"
        )
        rows = cursor.fetchall()
    assert len(rows) == 5
    return {row[0] for row in rows}


def test_definers_that_the_account_may_not_name(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    back_up(place, source, *MAKE, *PROGRAMS)
    url = mover_url(target, "ALL ON shop.*")
    message = failure(place, url)
    for label in ("view shop.seen", "trigger shop.g", "event shop.e 1", "procedure shop.p 1"):
        assert label in message
    assert "whose definer is app@%" in message
    assert "log_bin_trust_function_creators" in message
    assert "--definer drop" in message
    assert databases(target) == []


@pytest.mark.parametrize("wanted", ["drop", "keep", "new`ly'@localhost"])
def test_definers_are_kept_dropped_or_replaced(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str], wanted: str
) -> None:
    back_up(place, source, *MAKE, *PROGRAMS)
    target.execute("SET GLOBAL log_bin_trust_function_creators = ON")
    try:
        url = mover_url(target, "ALL ON shop.*") if wanted == "drop" else target.socket_url
        done = run(
            *place, "--json", "restore", "latest", url, "--definer", wanted,
            env={"MYSQL_PWD": "p"},
        )  # fmt: skip
    finally:
        target.execute("SET GLOBAL log_bin_trust_function_creators = OFF")
    assert done.returncode == 0, done.stderr.decode()
    becomes = {"drop": "mover@%", "keep": "app@%"}.get(wanted, wanted)
    assert definers(target) == {becomes}
    result = json.loads(done.stdout)
    assert result["verified"] is True
    (told,) = result["definers"]
    assert (told["definer"], told["becomes"]) == ("app@%", becomes)
    assert "procedure shop.p 1" in told["objects"]
    # An account that sees no other one cannot know.
    assert told["exists"] is (None if wanted == "drop" else False)
    with target.connect(database="shop") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT d FROM seen")
        assert cursor.fetchone() == ("DEFINER=`app`@`%` ",)


def test_a_definer_that_cannot_be_is_refused(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, place: tuple[str, str]
) -> None:
    """MariaDB would take the second part of this name for the host of an event's definer."""
    back_up(place, mariadb, *MAKE, *PROGRAMS)
    try:
        for wanted in ("x@y@localhost", "nobody", "@localhost", "x@"):
            done = run(*place, "restore", "latest", mariadb_second.socket_url, "--definer", wanted)
            assert done.returncode == 2, done.stderr
            assert b"--definer" in done.stderr
        assert databases(mariadb_second) == []
    finally:
        drop_databases(mariadb)


def test_a_view_on_what_nobody_defines_is_refused(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    back_up(
        place, source, *MAKE,
        "CREATE USER app@'%'", "GRANT ALL ON shop.* TO app@'%'",
        "CREATE DEFINER = app@'%' VIEW inner_view AS SELECT id FROM item",
        "CREATE DEFINER = app@'%' FUNCTION f () RETURNS INT DETERMINISTIC RETURN 1",
        "CREATE VIEW outer_view AS SELECT id FROM inner_view",
        "CREATE VIEW calling AS SELECT f() AS x",
    )  # fmt: skip
    message = failure(place, target.socket_url)
    assert "view shop.outer_view reads view shop.inner_view, whose definer app@%" in message
    assert "view shop.calling reads function shop.f" in message
    assert databases(target) == []
    run_json(*place, "restore", "latest", target.socket_url, "--definer", "drop")


@pytest.mark.mysql
def test_rights_that_mysql_wants_for_some_definers(
    mysql: MySQLServer, mysql_second: MySQLServer, place: tuple[str, str]
) -> None:
    back_up(
        place, mysql, *MAKE,
        "CREATE DEFINER = nobody@nowhere VIEW lost AS SELECT 1 AS x",
        "CREATE DEFINER = root@localhost VIEW mighty AS SELECT 1 AS x",
    )  # fmt: skip
    url = mover_url(mysql_second, "ALL ON shop.*", "SET_ANY_DEFINER ON *.*", "SELECT ON mysql.*")
    try:
        message = failure(place, url)
        assert databases(mysql_second) == []
    finally:
        drop_databases(mysql)
        mysql_second.execute("DROP USER mover@'%'")
    assert "ALLOW_NONEXISTENT_DEFINER on *.* for view shop.lost" in message
    assert "SYSTEM_USER on *.* for view shop.mighty" in message


def test_a_time_zone_that_the_target_lacks(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    zones = [
        "USE mysql",
        "INSERT INTO time_zone (Time_zone_id, Use_leap_seconds) VALUES (9000, 'N')",
        "INSERT INTO time_zone_name (Name, Time_zone_id) VALUES ('Europe/Nowhere', 9000)",
        "INSERT INTO time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST,"
        " Abbreviation) VALUES (9000, 0, 3600, 0, 'NOW')",
        "USE shop",
    ]
    try:
        back_up(
            place, source, *MAKE, *zones, "SET time_zone = 'Europe/Nowhere'",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM item",
        )  # fmt: skip
        message = failure(place, target.socket_url)
    finally:
        source.execute(
            *(f"DELETE FROM mysql.{table} WHERE Time_zone_id = 9000"
              for table in ("time_zone", "time_zone_name", "time_zone_transition_type"))
        )  # fmt: skip
    assert "time zone Europe/Nowhere of event shop.e" in message
    assert databases(target) == []


def test_a_time_zone_that_a_column_computes_with(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    """Where the source knew it no more than the target does, nothing differs; so it is told."""
    back_up(
        place, source, *MAKE,
        "CREATE TABLE zoned (a DATETIME, c INT COMMENT 'UTC' ,"
        " b DATETIME GENERATED ALWAYS AS (CONVERT_TZ(a, 'Europe/Nowhere', 'Nowhen')) STORED)",
    )  # fmt: skip
    done = run(*place, "--json", "restore", "latest", target.socket_url)
    assert done.returncode == 3, done.stderr
    first, second = json.loads(done.stdout)["warnings"]
    assert "time zone Europe/Nowhere, with which shop.zoned computes" in first
    assert "time zone Nowhen" in second


@pytest.mark.mysql
def test_a_spatial_reference_system_that_the_target_lacks(
    mysql: MySQLServer, mysql_second: MySQLServer, place: tuple[str, str]
) -> None:
    mysql.execute(
        "CREATE OR REPLACE SPATIAL REFERENCE SYSTEM 990001 NAME 'flat' DEFINITION"
        ' \'PROJCS["flat",GEOGCS["g",DATUM["d",SPHEROID["s",6378137,298.25]],'
        'PRIMEM["Greenwich",0],UNIT["degree",0.017453292519943278],AXIS["Lat",NORTH],'
        'AXIS["Lon",EAST]],PROJECTION["Popular Visualisation Pseudo Mercator"],'
        'UNIT["metre",1],AXIS["E",EAST],AXIS["N",NORTH]]\''
    )
    try:
        mysql.execute(*MAKE, "CREATE TABLE place (g POINT NOT NULL SRID 990001)")
        run(*place, "backup", mysql.socket_url)
        message = failure(place, mysql_second.socket_url)
    finally:
        drop_databases(mysql)
        mysql.execute("DROP SPATIAL REFERENCE SYSTEM 990001")
    assert "spatial reference system 990001, which shop.place.g need" in message
    assert databases(mysql_second) == []


@pytest.mark.mysql
def test_a_database_that_is_read_only_on_the_target(
    mysql: MySQLServer, mysql_second: MySQLServer, place: tuple[str, str]
) -> None:
    back_up(place, mysql, *MAKE)
    mysql_second.execute(
        "CREATE DATABASE shop", "CREATE TABLE shop.other (a INT)",
        "ALTER DATABASE shop READ ONLY = 1",
    )  # fmt: skip
    try:
        message = failure(place, mysql_second.socket_url)
    finally:
        mysql_second.execute("ALTER DATABASE shop READ ONLY = 0", "DROP DATABASE shop")
        drop_databases(mysql)
    assert "ALTER DATABASE `shop` READ ONLY = 0" in message


def test_what_is_in_the_way_stands_where_an_engine_is_not_taken(
    vendor: str, source: DatabaseServer, place: tuple[str, str], tmp_path: Path
) -> None:
    option, told = {
        "mariadb": ("--enforce-storage-engine=InnoDB", "enforce_storage_engine is INNODB"),
        "mysql": ("--disabled-storage-engines=MyISAM,FEDERATED", "MYISAM, which these tables need"),
    }[vendor]
    source.execute(*MAKE, "CREATE TABLE lone (a INT PRIMARY KEY) ENGINE = MyISAM")
    run(*place, "backup", source.socket_url)
    with SERVERS[vendor](tmp_path / "server", [option]) as target:
        target.execute(*MAKE, "INSERT INTO item VALUES (3, 'c')")
        before = comparer.fingerprint(target, ["shop"])
        message = failure(place, target.socket_url, "--replace", *onto(target))
        assert comparer.fingerprint(target, ["shop"]) == before
    assert told in message
    assert "shop.lone" in message


def test_what_a_release_lacks_is_asked_of_it(vendor: str, target: DatabaseServer) -> None:
    foreign = {"mariadb": "utf8mb4_0900_ai_ci", "mysql": "utf8mb4_uca1400_ai_ci"}[vendor]
    own = {"mysql": "utf8mb4_0900_ai_ci", "mariadb": "utf8mb4_uca1400_ai_ci"}[vendor]

    def table(
        name: str, options: str, engine: str = "InnoDB", kind: str = "int"
    ) -> TableDefinition:
        text = f"CREATE TABLE `{name}` (\n  `a` {kind} COMMENT 'collate none'\n) {options}"
        column = Column("a", kind, ValueKind.TEXT)
        return TableDefinition("d", name, (column,), (), False, text.encode(), engine=engine)

    session = (("collation_connection", foreign),)
    opened = target_at(target.socket_url)
    try:
        found = opened.obstacles(
            [
                table("own", f"ENGINE=InnoDB COLLATE={own}"),
                table("old_name", "ENGINE=InnoDB CHARSET=utf8 COLLATE=utf8_general_ci"),
                table("new_name", "ENGINE=InnoDB CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci"),
                table("foreign", f"ENGINE=InnoDB COLLATE={foreign}"),
                table("engine", "ENGINE=NoSuchEngine", "NoSuchEngine"),
                ObjectDefinition(ObjectKind.PROCEDURE, "d", "p", b"CREATE PROCEDURE", session),
            ]
        )
        typed = opened.obstacles([table("v", "ENGINE=InnoDB", kind="vector(3)")])
    finally:
        opened.close()
    engine, collation = found
    assert engine.startswith("The target lacks the storage engine NoSuchEngine of d.engine:")
    assert f"no collation {foreign}, which d.foreign, procedure d.p need" in collation
    assert bool(typed) is (vendor == "mariadb")


def test_keys_that_innodb_wants(
    mariadb: MariaDBServer, mariadb_second: MariaDBServer, place: tuple[str, str]
) -> None:
    back_up(place, mariadb, *MAKE, "CREATE TABLE log (v INT)")
    mariadb_second.execute("SET GLOBAL innodb_force_primary_key = ON")
    try:
        message = failure(place, mariadb_second.socket_url)
        assert databases(mariadb_second) == []
    finally:
        mariadb_second.execute("SET GLOBAL innodb_force_primary_key = OFF")
        drop_databases(mariadb)
    assert "innodb_force_primary_key is ON" in message
    assert "shop.log" in message


@pytest.mark.mysql
def test_a_member_of_a_group_refuses_what_replication_cannot_carry(
    mysql: MySQLServer, place: tuple[str, str], tmp_path: Path
) -> None:
    back_up(
        place, mysql, *MAKE,
        "CREATE TABLE keyless (v INT)",
        "CREATE TABLE unique_only (v INT NOT NULL UNIQUE)",
        "CREATE TABLE isam (id INT PRIMARY KEY) ENGINE = MyISAM",
        "CREATE TABLE child (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES item (id)"
        " ON DELETE CASCADE)",
    )  # fmt: skip
    group = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
    try:
        with MySQLServer(tmp_path / "server", ["--server-id=7"]) as member:
            member.execute(
                "INSTALL PLUGIN group_replication SONAME 'group_replication.so'",
                f"SET GLOBAL group_replication_group_name = '{group}'",
                f"SET GLOBAL group_replication_local_address = '127.0.0.1:{_free_port()}'",
                "SET GLOBAL group_replication_single_primary_mode = OFF",
                "SET GLOBAL group_replication_enforce_update_everywhere_checks = ON",
                "SET GLOBAL group_replication_bootstrap_group = ON",
                "START GROUP_REPLICATION",
            )
            try:
                message = failure(place, member.socket_url)
                assert databases(member) == []
            finally:
                member.execute("STOP GROUP_REPLICATION")
    finally:
        drop_databases(mysql)
    assert "no unique key without NULLs: shop.keyless. " in message
    assert "not of InnoDB: shop.isam. " in message
    assert "cascading foreign keys: shop.child. " in message


@pytest.mark.mysql
def test_a_server_in_offline_mode_says_so(
    mysql_second: MySQLServer, place: tuple[str, str]
) -> None:
    url = mover_url(mysql_second, "ALL ON shop.*")
    mysql_second.execute("SET GLOBAL offline_mode = ON")
    try:
        done = run(*place, "backup", url, env={"MYSQL_PWD": "p"})
    finally:
        mysql_second.execute("SET GLOBAL offline_mode = OFF", "DROP USER mover@'%'")
    assert done.returncode == 1
    assert b"SET GLOBAL offline_mode = OFF there" in done.stderr


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
