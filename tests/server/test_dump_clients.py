"""Dumps in the stock clients: the same result whatever the client's and the server's defaults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import comparer
from support.clients import pipe_into
from support.mariadb import MariaDBServer
from support.mysql import MySQLServer
from support.rowvault import run_json, succeed
from support.server import DatabaseServer

pytestmark = pytest.mark.mariadb

SERVERS = {"mariadb": MariaDBServer, "mysql": MySQLServer}

DEFAULTS = {
    "mariadb": [
        "--sql-mode=ANSI,NO_BACKSLASH_ESCAPES,NO_ZERO_DATE,NO_ZERO_IN_DATE,STRICT_ALL_TABLES",
        "--explicit-defaults-for-timestamp=OFF",
        "--character-set-server=sjis",
        "--default-storage-engine=MyISAM",
        "--default-time-zone=+05:00",
    ],
    "mysql": [
        "--sql-mode=ANSI,NO_BACKSLASH_ESCAPES,NO_ZERO_DATE,NO_ZERO_IN_DATE,STRICT_ALL_TABLES,"
        "ERROR_FOR_DIVISION_BY_ZERO",
        "--explicit-defaults-for-timestamp=OFF",
        "--character-set-server=sjis",
        "--default-storage-engine=MyISAM",
        "--default-time-zone=+05:00",
        "--sql-require-primary-key=ON",
        "--sql-generate-invisible-primary-key=ON",
        "--restrict-fk-on-non-standard-key=ON",
    ],
}
"""Of a server whose administrator likes none of ours."""

CLIENTS = [
    (),
    ("--binary-mode",),
    ("--default-character-set=latin1",),
    ("--default-character-set=gbk",),
    ("--default-character-set=sjis",),
    ("--max-allowed-packet=64M", "--quick", "--unbuffered"),
]

MAKE = [
    "CREATE DATABASE shop",
    "USE shop",
    "SET sql_mode = 'ALLOW_INVALID_DATES'",
    "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v TEXT CHARACTER SET utf8mb4,"
    " b BLOB, d DATE DEFAULT '0000-00-00', s TIMESTAMP NULL, f DOUBLE,"
    " e ENUM('a\\\\b', 'c''d', ''))",
    # In gbk or sjis the end of the first character hides the backslash or quote that follows it.
    "INSERT INTO t (v, b, d, s, f, e) VALUES (_utf8mb4 X'E4BDA0275CE4BDA05C', X'275C000A0D1A',"
    " '0000-00-00', '2024-07-01 12:00:00', '-0', 2),"
    " (_utf8mb4 X'83275C83222A2F', '', '2024-02-31', NULL, 1e300, 1)".replace("83", "C3A9"),
    "INSERT INTO t (v) VALUES"
    " ('-- x\\r\\n# y\\n/* z */ ; \\\\g \\\\! DELIMITER ;;\\ndelimiter $$\\n')",
    "CREATE TABLE keyless (a INT, s TIMESTAMP)",
    "INSERT INTO keyless VALUES (1, '2024-07-01 12:00:00'), (1, '2024-07-01 12:00:00')",
    b"CREATE TABLE `\xe4\xbd\xa0\\` (`\xc3\xa9'` INT COMMENT '\xe4\xbd\xa0''\\\\')",
    b"CREATE VIEW v AS SELECT '\xe4\xbd\xa0\\\\''' AS `\xe4\xbd\xa0` FROM t",
    "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
    b"CREATE PROCEDURE p () BEGIN -- '\n"
    b' SELECT "v" || \'\xe4\xbd\xa0\\\' /* ; */ FROM t; # "\nEND',
    "SET sql_mode = ''",
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.v = CONCAT(NEW.v, '\\\\;');"
    " END",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO BEGIN DELETE FROM keyless; END",
]


@pytest.fixture
def script(server: DatabaseServer, tmp_path: Path) -> Iterator[bytes]:
    """The dump of a database that is on `server` meanwhile."""
    place = ("-r", str(tmp_path / "vault"))
    succeed(*place, "init", "--no-encryption")
    server.execute(*MAKE)
    run_json(*place, "backup", server.socket_url, "-d", "shop")
    yield succeed(*place, "dump", "latest")
    server.execute("DROP DATABASE shop")


def test_whatever_the_defaults_the_result_is_the_same(
    vendor: str, server: DatabaseServer, script: bytes, tmp_path: Path
) -> None:
    wanted = comparer.fingerprint(server, ["shop"])
    with SERVERS[vendor](tmp_path / "server", DEFAULTS[vendor]) as other:
        for options in CLIENTS:
            pipe_into(other, script, *options)
            found = comparer.fingerprint(other, ["shop"])
            assert comparer.differences(wanted, found) == [], options
            other.execute("DROP DATABASE shop")


def test_an_account_with_few_rights_can_load_a_dump(
    server_second: DatabaseServer, script: bytes
) -> None:
    """What only an administrator may set is left alone where it need not be set."""
    server_second.execute(
        "CREATE USER app@localhost IDENTIFIED BY 'p'",
        "GRANT ALL ON shop.* TO app@localhost",
        "CREATE DATABASE shop",
    )
    rows = script[: script.index(b"-- procedure ")]
    try:
        pipe_into(server_second, rows, "--user=app", "--password=p")
    finally:
        server_second.execute("DROP DATABASE shop", "DROP USER app@localhost")
