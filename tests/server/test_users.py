"""Users, roles and grants on both vendors, compared by the servers' own tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import comparer
from support.account_marks import account_marks, empty_accounts
from support.clients import pipe_into
from support.rowvault import run, run_json, succeed
from support.server import DatabaseServer

pytestmark = pytest.mark.mariadb

_HASHES = re.compile(rb"\*[0-9A-F]{20}|0x24[0-9A-F]{20}|\$A\$005|Gv2JI8Env2fd5YGonZ082tX3")

SCHEMA = [
    "CREATE DATABASE shop",
    "CREATE TABLE shop.t (a INT PRIMARY KEY, b INT, `o``d'd` INT)",
    "CREATE TABLE shop.other (a INT)",
    "CREATE DATABASE wiki",
    "CREATE TABLE wiki.page (a INT)",
    "CREATE DEFINER = app@'%' PROCEDURE shop.p() SELECT 1",
    "CREATE DEFINER = app@'%' FUNCTION shop.f() RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE DEFINER = app@'%' VIEW shop.v AS SELECT a FROM shop.t",
]

BOTH = [
    "CREATE USER app@'%' IDENTIFIED BY 'secret of app'",
    "CREATE USER nopw@localhost",
    "CREATE USER ''@'192.168.3.4'",
    "CREATE USER 'we`ird'' \"q'@'%.exam_ple.org' IDENTIFIED BY 'q'",
    "CREATE USER 'ünï'@'192.168.0.0/255.255.0.0'",
    "CREATE USER 'multi'@'10.%' IDENTIFIED BY 'm'",
    "CREATE USER tls@localhost IDENTIFIED BY 'p' REQUIRE ISSUER '/C=SE/O=My''s \"CA\"'"
    " AND SUBJECT '/CN=x\\\\y' AND CIPHER 'ECDHE-RSA-AES128-GCM-SHA256'"
    " WITH MAX_QUERIES_PER_HOUR 3 MAX_USER_CONNECTIONS 2 MAX_UPDATES_PER_HOUR 1"
    " MAX_CONNECTIONS_PER_HOUR 9",
    "CREATE USER ssl1@localhost REQUIRE SSL",
    "CREATE USER x509@localhost REQUIRE X509",
    "CREATE USER locked@localhost IDENTIFIED BY 'p' ACCOUNT LOCK",
    "CREATE USER expired@localhost IDENTIFIED BY 'p' PASSWORD EXPIRE",
    "CREATE USER never@localhost IDENTIFIED BY 'p' PASSWORD EXPIRE NEVER",
    "SET timestamp = 1700000000",
    "CREATE USER old@localhost IDENTIFIED BY 'p' PASSWORD EXPIRE INTERVAL 30 DAY",
    "SET timestamp = DEFAULT",
]

RIGHTS = [
    "GRANT SELECT, INSERT (a, `o``d'd`), UPDATE (b, a) ON shop.t TO multi@'10.%' WITH GRANT OPTION",
    "GRANT SELECT ON `sh\\_p%`.* TO nopw@localhost",
    "GRANT ALL ON shop.* TO never@localhost WITH GRANT OPTION",
    "GRANT SELECT ON wiki.* TO never@localhost",
    "GRANT SELECT ON wiki.page TO nopw@localhost",
    "GRANT EXECUTE ON PROCEDURE shop.p TO nopw@localhost",
    "GRANT EXECUTE, ALTER ROUTINE ON FUNCTION shop.f TO app@'%' WITH GRANT OPTION",
    "GRANT SELECT ON shop.v TO 'we`ird'' \"q'@'%.exam_ple.org'",
    "GRANT PROXY ON nopw@localhost TO multi@'10.%' WITH GRANT OPTION",
    "GRANT PROXY ON ''@'' TO ssl1@localhost",
    "GRANT PROCESS, RELOAD ON *.* TO tls@localhost WITH GRANT OPTION",
    "GRANT USAGE ON *.* TO x509@localhost WITH GRANT OPTION",
    "GRANT SELECT ON mysql.* TO locked@localhost",
]

MARIADB = [
    "INSTALL SONAME 'auth_ed25519'",
    "CREATE USER many@'10.%' IDENTIFIED VIA ed25519 USING PASSWORD('x')"
    " OR mysql_native_password USING PASSWORD('y') OR unix_socket",
    "CREATE USER slow@localhost WITH MAX_STATEMENT_TIME 1.5 PASSWORD EXPIRE",
    "ALTER USER slow@localhost PASSWORD EXPIRE INTERVAL 30 DAY",
    "CREATE ROLE r1",
    "CREATE ROLE r2 WITH ADMIN multi@'10.%'",
    "CREATE ROLE r3 WITH ADMIN r1",
    "CREATE ROLE `odd``role`",
    # A user and a role of one name.
    "CREATE ROLE multi",
    "CREATE ROLE own WITH ADMIN root@localhost",
    "GRANT r1 TO multi@'10.%' WITH ADMIN OPTION",
    "GRANT r1 TO r2",
    "GRANT r1 TO nopw@localhost",
    "SET DEFAULT ROLE r1 FOR nopw@localhost",
    "GRANT SELECT ON *.* TO r1",
    "GRANT SELECT ON shop.t TO multi",
    "GRANT SELECT ON shop.* TO PUBLIC",
    "CREATE SEQUENCE shop.s",
    "GRANT SELECT, INSERT ON shop.s TO r1",
    "GRANT ALL ON *.* TO app@'%'",
]

MYSQL = [
    "SET GLOBAL partial_revokes = ON",
    "CREATE USER full@'10.%' IDENTIFIED BY 'x' PASSWORD HISTORY 5 PASSWORD REUSE INTERVAL 10 DAY"
    " PASSWORD REQUIRE CURRENT FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2"
    " COMMENT 'it''s \"me\" \\\\ ünï'",
    "CREATE USER attr@localhost IDENTIFIED BY 'p'"
    ' ATTRIBUTE \'{"fname": "J\\\\"a\'\'mes", "n": 1.50}\'',
    "CREATE USER twice@localhost IDENTIFIED BY 'old' PASSWORD HISTORY 4",
    "ALTER USER twice@localhost IDENTIFIED BY 'mid'",
    "ALTER USER twice@localhost IDENTIFIED BY 'new' RETAIN CURRENT PASSWORD",
    "CREATE USER thrice@localhost IDENTIFIED BY 'old'",
    "ALTER USER thrice@localhost IDENTIFIED BY 'new' RETAIN CURRENT PASSWORD PASSWORD EXPIRE",
    "CREATE USER wait@localhost IDENTIFIED BY 'p' PASSWORD_LOCK_TIME UNBOUNDED"
    " FAILED_LOGIN_ATTEMPTS 4 PASSWORD REQUIRE CURRENT OPTIONAL",
    "CREATE USER sha@localhost IDENTIFIED WITH sha256_password BY 'p'",
    "CREATE ROLE r1, r2@'192.168.3.5', `odd``role`",
    "GRANT r1 TO multi@'10.%' WITH ADMIN OPTION",
    "GRANT r1 TO r2@'192.168.3.5'",
    "GRANT r2@'192.168.3.5', r1 TO nopw@localhost",
    "SET DEFAULT ROLE r2@'192.168.3.5', r1 TO nopw@localhost",
    "GRANT SELECT ON *.* TO r1",
    "GRANT SELECT, INSERT ON *.* TO attr@localhost WITH GRANT OPTION",
    "REVOKE SELECT ON mysql.* FROM attr@localhost",
    "REVOKE INSERT ON `sh_p`.* FROM attr@localhost",
    "GRANT SYSTEM_USER, BACKUP_ADMIN ON *.* TO attr@localhost",
    "GRANT CLONE_ADMIN, XA_RECOVER_ADMIN ON *.* TO attr@localhost WITH GRANT OPTION",
    "GRANT BACKUP_ADMIN ON *.* TO expired@localhost WITH GRANT OPTION",
    "GRANT ALL ON *.* TO app@'%' WITH GRANT OPTION",
]

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
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        for (name,) in cursor.fetchall():
            if name not in ("mysql", "information_schema", "performance_schema", "sys"):
                cursor.execute(f"DROP DATABASE `{name}`")
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
    own = MARIADB if server.vendor == "mariadb" else MYSQL
    server.execute(*BOTH, *SCHEMA, *RIGHTS, *own)


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
    # Nobody is touched who is the same already.
    again = run_json(*place, "restore", "latest", as_root(target), "--users", "--replace")
    assert again["accounts"] == 0
    assert comparer.differences(wanted, account_marks(target)) == []


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
