"""Users, roles and grants on both vendors, compared by the servers' own tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fidelity.accounts import CASES, DEFINERS, SCHEMA
from support import comparer
from support.account_marks import account_marks, empty_accounts
from support.clients import pipe_into
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer, drop_databases, onto

pytestmark = pytest.mark.mariadb

_HASHES = re.compile(rb"\*[0-9A-F]{20}|0x24[0-9A-F]{20}|\$A\$005|Gv2JI8Env2fd5YGonZ082tX3")

ON_THE_TARGET = {
    "mariadb": ["INSTALL SONAME 'auth_ed25519'"],
    "mysql": ["SET GLOBAL partial_revokes = ON"],
}


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    succeed("-r", tmp_path / "vault", "init", "--no-encryption")
    return "-r", str(tmp_path / "vault")


@pytest.fixture
def source(server: DatabaseServer) -> Iterator[DatabaseServer]:
    _empty(server)
    yield server
    _empty(server)


@pytest.fixture
def target(server_second: DatabaseServer, server: DatabaseServer) -> Iterator[DatabaseServer]:
    _empty(server_second)
    if server.vendor == "mysql":
        # Passwords are salted: make that of `test` the same.
        _copy_password(server, server_second)
    yield server_second
    _empty(server_second)


def _empty(server: DatabaseServer) -> None:
    drop_databases(server)
    empty_accounts(server)
    if server.vendor == "mysql":
        server.execute("SET GLOBAL partial_revokes = OFF")
    else:
        server.execute("UNINSTALL SONAME IF EXISTS 'auth_ed25519'")


def _copy_password(server: DatabaseServer, other: DatabaseServer) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT HEX(authentication_string) FROM mysql.user WHERE User = 'test' AND Host = '%'"
        )
        ((digest,),) = cursor.fetchall()
    other.execute(f"ALTER USER test@'%' IDENTIFIED WITH caching_sha2_password AS 0x{digest}")


def make_everything(server: DatabaseServer) -> None:
    cases = CASES[server.vendor]
    server.execute(*DEFINERS, *SCHEMA, *(one for case in cases for one in case.makes))


def as_root(server: DatabaseServer) -> str:
    """Only root may let others be proxies."""
    return f"mysql://root@localhost/?unix_socket={server.socket}"


def no_hash(*outputs: bytes) -> None:
    for output in outputs:
        assert not _HASHES.search(output), output


def test_all_users_and_grants_come_back(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    make_everything(source)
    target.execute(*ON_THE_TARGET[source.vendor])
    saved = run(*place, "-v", "backup", as_root(source), "--users")
    assert saved.returncode == 0, saved.stderr.decode()
    restored = run(*place, "-v", "restore", "latest", as_root(target), "--users")
    assert restored.returncode == 0, restored.stderr.decode()
    no_hash(saved.stdout, saved.stderr, restored.stdout, restored.stderr)
    wanted = account_marks(source)
    assert len(wanted) > 40
    assert comparer.differences(wanted, account_marks(target)) == []
    assert comparer.fingerprint(source, ["shop", "wiki"]) == comparer.fingerprint(
        target, ["shop", "wiki"]
    )
    _log_in(target, "app", "secret of app")
    if target.vendor == "mysql":
        for password in ("mid", "new"):
            _log_in(target, "twice", password)
    # Nobody is touched who is the same already.
    again = run_json(
        *place, "restore", "latest", as_root(target), "--users", "--replace", *onto(target)
    )
    assert again["accounts"] == 0
    assert comparer.differences(wanted, account_marks(target)) == []


def _log_in(server: DatabaseServer, user: str, password: str) -> None:
    server.connect(user=user, password=password).close()


def test_a_dump_makes_users_and_grants(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    make_everything(source)
    target.execute(*ON_THE_TARGET[source.vendor])
    succeed(*place, "backup", as_root(source), "--users")
    wanted = account_marks(source)
    script = succeed(*place, "dump", "latest")
    assert _HASHES.search(script)
    pipe_into(target, script)
    assert comparer.differences(wanted, account_marks(target)) == []
    assert not _HASHES.search(succeed(*place, "dump", "latest", "shop"))


def test_another_user_of_the_same_name_is_left_unless_it_may_be_replaced(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute(*ROLES, "CREATE DATABASE shop", "GRANT SELECT ON shop.* TO app@'%'")
    succeed(*place, "backup", as_root(source), "--users")
    wanted = account_marks(source)
    source.execute("DROP DATABASE shop")
    target.execute(
        "CREATE USER app@'%' IDENTIFIED BY 'another'",
        "CREATE USER friend@localhost",
        "CREATE ROLE reader",
        "GRANT reader TO friend@localhost",
        "GRANT INSERT ON *.* TO reader",
    )
    before = account_marks(target)
    refused = run(*place, "restore", "latest", as_root(target), "--users")
    assert refused.returncode == 1
    assert b"`app`@`%`" in refused.stderr
    assert b"reader" in refused.stderr
    assert account_marks(target) == before
    with target.connect() as connection, connection.cursor() as cursor:
        assert cursor.execute("SHOW DATABASES LIKE 'shop'") == 0
    done = run_json(
        *place, "restore", "latest", as_root(target), "--users", "--replace", *onto(target)
    )
    assert done["accounts"] == 2
    found = account_marks(target)
    # Whoever else held the role still does.
    assert len(found.keys() - wanted.keys()) == 2
    assert all("friend" in mark for mark in found.keys() - wanted.keys())
    assert wanted.keys() <= found.keys()


ROLES = [
    "CREATE USER app@'%' IDENTIFIED BY 'secret of app'",
    "CREATE ROLE reader",
    "GRANT reader TO app@'%'",
    "GRANT SELECT ON *.* TO reader",
]


def test_the_account_in_use_is_never_touched(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute("CREATE USER boss@'%' IDENTIFIED BY 'one' ACCOUNT LOCK")
    succeed(*place, "backup", as_root(source), "--users")
    target.execute(
        "CREATE USER boss@'%' IDENTIFIED BY 'two'", "GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION"
    )
    before = account_marks(target)
    url = target.url.replace("test:test", "boss:two")
    done = run(*place, "restore", "latest", url, "--users", "--replace", *onto(target))
    assert done.returncode == 3, done.stderr.decode()
    assert b"user `boss`@`%` is the account in use: it is left as it is" in done.stderr
    assert account_marks(target) == before


def test_a_part_brings_the_grants_on_it_under_its_new_names(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute(
        "CREATE DATABASE shop_a",
        "CREATE TABLE shop_a.t (a INT, b INT)",
        "CREATE PROCEDURE shop_a.p() SELECT 1",
        "CREATE DATABASE wiki",
        "CREATE TABLE wiki.page (a INT)",
        "CREATE USER app@'%' IDENTIFIED BY 'secret of app'",
        "GRANT PROCESS ON *.* TO app@'%'",
        "GRANT SELECT ON `shop\\_a`.* TO app@'%'",
        "GRANT INSERT ON `shop_a`.* TO app@'%'",
        "GRANT DELETE ON `shop%`.* TO app@'%'",
        "GRANT SELECT, UPDATE (b, a) ON shop_a.t TO app@'%'",
        "GRANT EXECUTE ON PROCEDURE shop_a.p TO app@'%'",
        "GRANT SELECT ON wiki.* TO app@'%'",
        "GRANT SELECT ON wiki.page TO app@'%'",
    )
    succeed(*place, "backup", as_root(source), "--users")
    # What the user has elsewhere on the target is none of this restore's business.
    target.execute(
        "CREATE USER app@'%' IDENTIFIED BY 'another'", "GRANT TRIGGER ON elsewhere.* TO app@'%'"
    )
    done = run(
        *place, "restore", "latest", as_root(target), "--users", "-d", "shop_a",
        "--rename", "shop_a=new_b", "--replace", *onto(target),
    )  # fmt: skip
    assert done.returncode == 3
    warnings = [line for line in done.stderr.splitlines() if line.startswith(b"warning")]
    assert len(warnings) == 1, warnings
    assert b"`shop%`.*" in warnings[0]
    assert set(_grants(target, "app@'%'")) == {
        "PROCESS ON *.*",
        "SELECT ON `new\\_b`.*",
        "INSERT ON `new_b`.*",
        "DELETE ON `shop%`.*",
        "SELECT, UPDATE (`a`, `b`) ON `new_b`.`t`",
        "EXECUTE ON PROCEDURE `new_b`.`p`",
        "TRIGGER ON `elsewhere`.*",
    }


def _grants(server: DatabaseServer, user: str) -> list[str]:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SHOW GRANTS FOR {user}")
        return [
            match[1]
            for (line,) in cursor.fetchall()
            if (match := re.match("GRANT (.*?) TO ", line)) and match[1] != "USAGE ON *.*"
        ]


def test_what_cannot_be_made_is_named_without_its_password(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    method = {
        "mariadb": "INSTALL SONAME 'auth_ed25519'",
        "mysql": "INSTALL PLUGIN mysql_no_login SONAME 'mysql_no_login.so'",
    }[source.vendor]
    login = {
        "mariadb": "VIA ed25519 USING PASSWORD('x')",
        "mysql": "WITH mysql_no_login AS 'Gv2JI8Env2fd5YGonZ082tX3UAW'",
    }[source.vendor]
    source.execute(
        method,
        f"CREATE USER strange@localhost IDENTIFIED {login}",
        "CREATE USER app@'%' IDENTIFIED BY 'secret of app'",
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (a INT)",
        "CREATE TABLE shop.left_out (a INT)",
        "GRANT SELECT ON shop.left_out TO app@'%'",
        "GRANT SELECT ON shop.t TO strange@localhost",
    )
    saved = run(*place, "-v", "backup", as_root(source), "--users", "--exclude", "shop.left_out")
    assert saved.returncode == 0
    try:
        done = run("--json", *place, "-v", "restore", "latest", as_root(target), "--users")
    finally:
        source.execute("DROP USER strange@localhost")
        if source.vendor == "mysql":
            source.execute("UNINSTALL PLUGIN mysql_no_login")
    assert done.returncode == 3, done.stderr.decode()
    result = json.loads(done.stdout)
    assert result["verified"] is False
    assert result["accounts"] == 1
    user, table = result["warnings"]
    assert "`strange`@`localhost`" in user
    assert "left out with its grants" in user
    assert "shop`.`left_out" in table
    no_hash(saved.stdout, saved.stderr, done.stdout, done.stderr)
    # A script would end at such a grant.
    script = run(*place, "dump", "latest")
    assert b"left_out" in script.stderr
    assert b"left_out" not in script.stdout


def test_the_right_that_is_missing_is_named(source: DatabaseServer, place: tuple[str, str]) -> None:
    source.execute("CREATE USER low@'%' IDENTIFIED BY 'p'", "GRANT PROCESS ON *.* TO low@'%'")
    url = source.url.replace("test:test", "low:p")
    done = run(*place, "backup", url, "--users")
    assert done.returncode == 1
    assert b"GRANT SELECT ON mysql.* TO `low`@`%`" in done.stderr
    assert b"Traceback" not in done.stderr
    source.execute("GRANT SELECT ON mysql.* TO low@'%'")
    assert b"mysql" not in run(*place, "backup", url, "--users").stderr


def test_users_are_restored_only_when_that_is_asked_for(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    succeed(*place, "backup", as_root(source))
    done = run(*place, "restore", "latest", as_root(target), "--users")
    assert done.returncode == 2
    assert b"backup --users" in done.stderr
    source.execute(*ROLES)
    succeed(*place, "backup", as_root(source), "--users")
    before = account_marks(target)
    done = run(*place, "restore", "latest", as_root(target))
    assert done.returncode == 0
    assert b"--users restores them" in done.stdout
    assert account_marks(target) == before


def test_users_are_listed_and_compared(source: DatabaseServer, place: tuple[str, str]) -> None:
    source.execute(*ROLES, "CREATE DATABASE shop")
    succeed(*place, "backup", as_root(source), "--users")
    source.execute("GRANT INSERT ON shop.* TO app@'%'", "ALTER USER app@'%' IDENTIFIED BY 'new'")
    succeed(*place, "backup", as_root(source), "--users")
    listed = run_json(*place, "ls", "latest", "--users")["accounts"]
    assert {"kind": "user", "name": "`app`@`%`", "account": "`app`@`%`"} in listed
    assert "users" in succeed(*place, "ls", "latest").decode()
    assert run_json(*place, "ls", "latest")["databases"][0]["database"] == "shop"
    assert "users and grants" in succeed(*place, "show", "latest").decode()
    changes = run_json(*place, "diff", "latest~1", "latest")["objects"]
    assert changes == [
        {"kind": "grant", "database": "", "name": "`app`@`%` on `shop`.*", "status": "added"},
        {"kind": "user", "database": "", "name": "`app`@`%`", "status": "redefined"},
    ]
    no_hash(succeed(*place, "diff", "latest~1", "latest"), succeed(*place, "ls", "latest"))


@pytest.mark.mysql
def test_nobody_gets_more_than_they_had(
    mysql: DatabaseServer, mysql_second: DatabaseServer, place: tuple[str, str]
) -> None:
    for server in (mysql, mysql_second):
        _empty(server)
    mysql.execute(
        "SET GLOBAL partial_revokes = ON",
        "CREATE USER app@'%'",
        "GRANT SELECT ON *.* TO app@'%'",
        "REVOKE SELECT ON mysql.* FROM app@'%'",
    )
    try:
        succeed(*place, "backup", as_root(mysql), "--users")
        before = account_marks(mysql_second)
        done = run(*place, "restore", "latest", as_root(mysql_second), "--users")
        assert done.returncode == 1
        assert b"SET PERSIST partial_revokes = ON" in done.stderr
        assert account_marks(mysql_second) == before
    finally:
        _empty(mysql)


def test_rights_on_a_routine_outlive_its_replacement(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    """The servers take them away when a routine is dropped."""
    make = [
        "CREATE DATABASE shop",
        "CREATE PROCEDURE shop.p() SELECT 1",
        "CREATE FUNCTION shop.f() RETURNS INT DETERMINISTIC RETURN 1",
    ]
    source.execute(*make)
    succeed(*place, "backup", as_root(source))
    target.execute(
        *make,
        *ROLES,
        "GRANT EXECUTE ON PROCEDURE shop.p TO app@'%'",
        "GRANT EXECUTE, ALTER ROUTINE ON FUNCTION shop.f TO reader WITH GRANT OPTION",
    )
    before = account_marks(target)
    succeed(*place, "restore", "latest", as_root(target), "--replace", *onto(target))
    assert account_marks(target) == before


def test_a_server_is_compared_with_the_users_of_a_snapshot(
    source: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute(*ROLES, "CREATE DATABASE shop", "GRANT SELECT ON shop.* TO app@'%'")
    succeed(*place, "backup", as_root(source), "--users")
    assert run_json(*place, "verify", "latest", as_root(source), "--users")["differences"] == []
    source.execute(
        "SET timestamp = 1700000000",
        "ALTER USER app@'%' IDENTIFIED BY 'another'",
        "REVOKE SELECT ON shop.* FROM app@'%'",
        "GRANT INSERT ON shop.* TO reader",
        "CREATE USER more@localhost",
    )
    done = run("--json", *place, "verify", "latest", as_root(source), "--users")
    assert done.returncode == 4
    found = sorted(json.loads(done.stdout)["differences"])
    assert [one.rpartition(": ")[2] for one in found] == [
        "not on the server",
        "on the server, but not in the snapshot",
        "otherwise on the server",
        "on the server, but not in the snapshot",
    ], found
    no_hash(done.stdout, done.stderr)
    assert run_json(*place, "verify", "latest", as_root(source))["differences"] == []


def test_nothing_is_changed_by_an_account_that_may_not_create_users(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    source.execute("CREATE DATABASE shop", "CREATE TABLE shop.t (a INT)", *ROLES)
    succeed(*place, "backup", as_root(source), "--users")
    target.execute(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (a INT)",
        "INSERT INTO shop.t VALUES (1)",
        "CREATE USER low@'%' IDENTIFIED BY 'p'",
        "GRANT ALL ON shop.* TO low@'%'",
        "GRANT SELECT ON mysql.* TO low@'%'",
    )
    before = comparer.fingerprint(target, ["shop"]), account_marks(target)
    url = target.url.replace("test:test", "low:p")
    done = run(*place, "restore", "latest", url, "--users", "--replace", *onto(target))
    assert done.returncode == 1
    assert b"a user who has CREATE USER" in done.stderr
    assert (comparer.fingerprint(target, ["shop"]), account_marks(target)) == before


@pytest.mark.mysql
def test_a_target_that_keeps_no_history_says_so(
    mysql: DatabaseServer, mysql_second: DatabaseServer, place: tuple[str, str]
) -> None:
    for server in (mysql, mysql_second):
        _empty(server)
    _copy_password(mysql, mysql_second)
    mysql.execute(
        "SET GLOBAL password_history = 3",
        "CREATE USER app@'%' IDENTIFIED BY 'one'",
        "ALTER USER app@'%' IDENTIFIED BY 'two'",
    )
    try:
        succeed(*place, "backup", as_root(mysql), "--users")
        done = run(*place, "restore", "latest", as_root(mysql_second), "--users")
        assert done.returncode == 3, done.stderr.decode()
        assert b"former passwords of user `app`@`%` are not kept" in done.stderr
        _log_in(mysql_second, "app", "two")
    finally:
        mysql.execute("SET GLOBAL password_history = DEFAULT")
        for server in (mysql, mysql_second):
            _empty(server)


def test_views_on_views_of_users_that_come_with_them(
    source: DatabaseServer, target: DatabaseServer, place: tuple[str, str]
) -> None:
    """A server makes the outer one only where the inner one's definer may read already."""
    source.execute(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.item (id INT PRIMARY KEY)",
        "CREATE USER app@'%' IDENTIFIED BY 'secret'",
        "GRANT SELECT, EXECUTE, SHOW VIEW ON shop.* TO app@'%'",
        "CREATE DEFINER = app@'%' VIEW shop.inside AS SELECT id FROM shop.item",
        "CREATE DEFINER = app@'%' FUNCTION shop.f () RETURNS INT DETERMINISTIC RETURN 1",
        "CREATE VIEW shop.outside AS SELECT id FROM shop.inside",
        "CREATE VIEW shop.calling AS SELECT shop.f() AS x",
        "GRANT SELECT ON shop.outside TO app@'%'",
    )
    run(*place, "backup", as_root(source), "--users")
    done = run("--json", *place, "restore", "latest", as_root(target), "--users")
    result = json.loads(done.stdout)
    assert (result["verified"], result["left_out"]) == (True, [])
    wanted, found = (comparer.fingerprint(one, ["shop"]) for one in (source, target))
    assert comparer.differences(wanted, found) == []
