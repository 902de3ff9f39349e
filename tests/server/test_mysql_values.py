"""Values of every type: read as they are stored, and the same again after a copy."""

from __future__ import annotations

import pytest

from rowvault.codec.rows import Value
from support import comparer
from support.copying import copy, table_rows
from support.mariadb import MariaDBServer
from support.mysql import MySQLServer
from support.server import DatabaseServer

SESSION = "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'"

VALUES: dict[str, list[tuple[str, Value]]] = {
    "TINYINT": [("-128", b"-128"), ("127", b"127"), ("NULL", None)],
    "BIGINT": [(f"{-(2**63)}", str(-(2**63)).encode()), ("0", b"0")],
    "BIGINT UNSIGNED": [(f"{2**64 - 1}", str(2**64 - 1).encode())],
    "INT(6) ZEROFILL": [("42", b"000042")],
    "YEAR": [("0", b"0000"), ("1901", b"1901"), ("2155", b"2155")],
    "DECIMAL(65,30)": [
        (
            "-12345678901234567890123456789012345.5",
            b"-" + b"1234567890" * 3 + b"12345.5" + b"0" * 29,
        )
    ],
    "FLOAT": [
        ("16777218", b"16777218"),
        ("1.1", b"1.100000023841858"),
        ("3.4028234663852886e38", b"3.4028234663852886e38"),
        ("1.401298464324817e-45", b"1.401298464324817e-45"),
    ],
    "DOUBLE": [
        ("1.7976931348623157e308", b"1.7976931348623157e308"),
        ("5e-324", b"5e-324"),
        ("0.1", b"0.1"),
    ],
    "DOUBLE(20,5)": [("0.1", b"0.1"), ("-123456789.12345", b"-123456789.12345")],
    "BIT(12)": [("b'111111111111'", b"\x0f\xff"), ("0", b"\0\0")],
    "BIT(64)": [(f"{2**64 - 1}", b"\xff" * 8)],
    "CHAR(5)": [("'a   '", b"a"), ("''", b"")],
    "VARCHAR(20)": [("'a  '", b"a  "), (r"'\\\'\0\n\r\Z'", b"\\'\0\n\r\x1a")],
    "TEXT": [("_utf8mb4 X'F09F9880'", b"\xf0\x9f\x98\x80")],
    "LONGTEXT": [("REPEAT('x', 300000)", b"x" * 300000)],
    "VARCHAR(9) CHARACTER SET latin1": [("_latin1 X'E980'", "é€".encode())],
    "VARCHAR(9) CHARACTER SET cp932": [("_cp932 X'8790'", b"\x87\x90"), ("''", b"")],
    "VARCHAR(9) CHARACTER SET ucs2": [("_ucs2 X'00FC'", b"\x00\xfc")],
    "TEXT CHARACTER SET utf16": [("_utf16 X'D83DDE00'", b"\xd8\x3d\xde\x00")],
    "CHAR(3) CHARACTER SET koi8r": [("_koi8r X'D6'", b"\xd6")],
    "BINARY(4)": [("X'01'", b"\x01\0\0\0")],
    "VARBINARY(4)": [("X'00FF00'", b"\0\xff\0"), ("X''", b"")],
    "LONGBLOB": [("REPEAT(X'FB00', 40000)", b"\xfb\0" * 40000)],
    "DATE": [("'0000-00-00'", b"0000-00-00"), ("'2024-02-30'", b"2024-02-30")],
    "DATETIME(6)": [("'9999-12-31 23:59:59.999999'", b"9999-12-31 23:59:59.999999")],
    "TIMESTAMP(3) NULL": [
        ("'2024-03-31 02:30:00.125'", b"2024-03-31 02:30:00.125"),
        ("'0000-00-00'", b"0000-00-00 00:00:00.000"),
    ],
    "TIME(6)": [
        ("'-838:59:58.999999'", b"-838:59:58.999999"),
        ("'-00:00:00.000001'", b"-00:00:00.000001"),
    ],
    r"ENUM('x','é','it''s','\\') CHARACTER SET latin1": [
        ("'é'", "é".encode()),
        ("'it''s'", b"it's"),
        (r"'\\'", b"\\"),
    ],
    "SET('p','q','r s')": [("'p,r s'", b"p,r s"), ("''", b"")],
    "POINT": [
        (
            "ST_GeomFromText('POINT(1 2)', 3857)",
            b"\x11\x0f\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@",
        )
    ],
}
MARIADB_VALUES: dict[str, list[tuple[str, Value]]] = {
    "JSON": [('\'{"b":  1, "a": [2.50]}\'', b'{"b":  1, "a": [2.50]}')],
    "UUID": [("'00112233-4455-6677-8899-AABBCCDDEEFF'", b"00112233-4455-6677-8899-aabbccddeeff")],
    "TIME(6)": [("'-838:59:59.999999'", b"-838:59:59.999999")],
    "INET4": [("'1.2.3.4'", b"1.2.3.4")],
    "INET6": [("'::1'", b"::1")],
}
MYSQL_VALUES: dict[str, list[tuple[str, Value]]] = {
    "JSON": [('\'{"b":  1, "a": [2.50]}\'', b'{"a": [2.5], "b": 1}')],
    "VECTOR(2)": [("TO_VECTOR('[1,-0.5]')", b"\0\0\x80?\0\0\0\xbf")],
    "GEOMETRY SRID 4326": [
        (
            "ST_GeomFromText('POINT(1 2)', 4326)",
            b"\xe6\x10\0\0\x01\x01\0\0\0\0\0\0\0\0\0\0@\0\0\0\0\0\0\xf0?",
        )
    ],
}


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_is_read_as_stored_and_comes_back_the_same(
    kind: str, server: DatabaseServer, server_second: DatabaseServer, database: str
) -> None:
    assert_value_comes_back(kind, VALUES[kind], server, server_second, database)


@pytest.mark.parametrize("kind", MARIADB_VALUES)
def test_a_value_that_mariadb_has_comes_back_the_same(
    kind: str, mariadb: MariaDBServer, mariadb_second: MariaDBServer, database: str
) -> None:
    assert_value_comes_back(kind, MARIADB_VALUES[kind], mariadb, mariadb_second, database)


@pytest.mark.mysql
@pytest.mark.parametrize("kind", MYSQL_VALUES)
def test_a_value_that_mysql_has_comes_back_the_same(
    kind: str, mysql: MySQLServer, mysql_second: MySQLServer, database: str
) -> None:
    assert_value_comes_back(kind, MYSQL_VALUES[kind], mysql, mysql_second, database)


def assert_value_comes_back(
    kind: str,
    values: list[tuple[str, Value]],
    source: DatabaseServer,
    target: DatabaseServer,
    database: str,
) -> None:
    literals = [literal for literal, _ in values]
    source.execute(
        "SET NAMES utf8mb4",
        SESSION,
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, v {kind})",
        *(
            f"INSERT INTO {database}.t VALUES ({number}, {literal})"
            for number, literal in enumerate(literals)
        ),
    )
    found = [row[1] for row in table_rows(source.url, database, "t")]
    assert found == [value for _, value in values]
    assert_copies(source, target, database)


def assert_copies(source: DatabaseServer, target: DatabaseServer, database: str) -> None:
    try:
        copy(source.url, target.url, [database])
        left = comparer.fingerprint(source, [database])
        assert comparer.differences(left, comparer.fingerprint(target, [database])) == []
    finally:
        target.execute(f"DROP DATABASE IF EXISTS `{database}`")


TABLES = {
    "keyless": [
        "CREATE TABLE t (a INT, b VARCHAR(9), KEY ab (a, b), KEY ba (b, a))",
        "INSERT INTO t VALUES (3,'c'),(1,'a'),(3,'c'),(2,NULL),(NULL,'z')",
    ],
    "float_key": [
        "CREATE TABLE t (f FLOAT PRIMARY KEY)",
        "INSERT INTO t VALUES (16777216),(16777218),(-0.5)",
    ],
    "prefix_key": [
        "CREATE TABLE t (k TEXT NOT NULL, n INT, PRIMARY KEY (k(5)))",
        "INSERT INTO t VALUES ('abcde-long',1),('abcdf',2),('b',3)",
    ],
    "descending_key": [
        "CREATE TABLE t (a INT, b INT, PRIMARY KEY (a DESC, b))",
        "INSERT INTO t VALUES (1,1),(2,1),(2,2)",
    ],
    "collated_key": [
        "CREATE TABLE t (k VARCHAR(9) COLLATE utf8mb4_unicode_ci PRIMARY KEY)",
        "INSERT INTO t VALUES ('a'),('B'),('ç'),('Z')",
    ],
    "bit_key": ["CREATE TABLE t (b BIT(9) PRIMARY KEY)", "INSERT INTO t VALUES (3),(300)"],
    "generated_and_invisible": [
        "CREATE TABLE t (a INT INVISIBLE DEFAULT 3, b INT PRIMARY KEY,"
        " c INT AS (b * 2) STORED, d INT AS (b + 1) VIRTUAL)",
        "INSERT INTO t (a, b) VALUES (9, 1), (NULL, 2)",
    ],
    "odd_names": [
        "CREATE TABLE `we``ird\n;-- \"x\" 'y' ü/.` (`a,``b` INT, `select` INT AS (`a,``b` + 1),"
        " ` sp` INT PRIMARY KEY) COMMENT = 'it''s; \\\\ -- '",
        "INSERT INTO `we``ird\n;-- \"x\" 'y' ü/.` (`a,``b`, ` sp`) VALUES (1, 2)",
    ],
    "partitions": [
        "CREATE TABLE t (id INT, d DATE, PRIMARY KEY (id, d)) PARTITION BY RANGE (YEAR(d))"
        " (PARTITION `p 1` VALUES LESS THAN (2020), PARTITION p2 VALUES LESS THAN MAXVALUE)",
        "INSERT INTO t VALUES (5,'2019-01-01'),(1,'2021-01-01')",
    ],
    "foreign_key_ring": [
        "SET foreign_key_checks = 0",
        "CREATE TABLE a (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES b (id))",
        "CREATE TABLE b (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES a (id))",
        "INSERT INTO a VALUES (1, 2), (2, 77)",
        "INSERT INTO b VALUES (2, 1)",
    ],
    "zero_id_and_counter": [
        "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT)",
        "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
        "INSERT INTO t VALUES (0), (500)",
        "DELETE FROM t WHERE id = 500",
    ],
    "without_transactions": [
        "CREATE TABLE t (id INT PRIMARY KEY, t TEXT, FULLTEXT (t)) ENGINE = MyISAM",
        "INSERT INTO t VALUES (2, 'b'), (1, 'a')",
    ],
    "empty": ["CREATE TABLE t (id INT PRIMARY KEY)"],
}
MARIADB_TABLES = {
    "rows_against_their_check": [
        "CREATE TABLE t (a INT, CHECK (a > 0))",
        "SET check_constraint_checks = 0",
        "INSERT INTO t VALUES (-1)",
    ],
    "compressed": [
        "CREATE TABLE t (id INT PRIMARY KEY, t TEXT COMPRESSED, b BLOB COMPRESSED)",
        "INSERT INTO t VALUES (1, REPEAT('abc', 5000), REPEAT('z', 9999))",
    ],
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_comes_back_the_same(
    name: str, server: DatabaseServer, server_second: DatabaseServer, database: str
) -> None:
    server.execute("SET NAMES utf8mb4", f"USE {database}", *TABLES[name])
    assert_copies(server, server_second, database)


@pytest.mark.parametrize("name", MARIADB_TABLES)
def test_a_table_that_mariadb_has_comes_back_the_same(
    name: str, mariadb: MariaDBServer, mariadb_second: MariaDBServer, database: str
) -> None:
    mariadb.execute(f"USE {database}", *MARIADB_TABLES[name])
    assert_copies(mariadb, mariadb_second, database)


def test_a_row_of_several_packets_comes_back_the_same(
    server: DatabaseServer, server_second: DatabaseServer, database: str
) -> None:
    """20 MB: a packet holds 16 MiB at most."""
    server.execute(
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, v LONGTEXT)",
        f"INSERT INTO {database}.t VALUES (1, REPEAT('0123456789', 2000000)), (2, 'b')",
    )
    rows = table_rows(server.url, database, "t")
    assert rows == [[b"1", b"0123456789" * 2_000_000], [b"2", b"b"]]
    assert_copies(server, server_second, database)


def test_the_comparer_sees_one_altered_cent(mariadb: MariaDBServer, database: str) -> None:
    mariadb.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT PRIMARY KEY, price DECIMAL(9,2))",
        f"INSERT INTO {database}.t SELECT seq, seq / 7 FROM seq_1_to_1000",
    )
    before = comparer.fingerprint(mariadb, [database])
    assert comparer.differences(before, comparer.fingerprint(mariadb, [database])) == []
    mariadb.execute(f"UPDATE {database}.t SET price = price + 0.01 WHERE id = 777")
    lines = comparer.differences(before, comparer.fingerprint(mariadb, [database]))
    assert [line.split(":")[0] for line in lines] == [f"rows {database}.t"]


def test_the_comparer_sees_a_float_that_prints_alike(mariadb: MariaDBServer, database: str) -> None:
    mariadb.execute(
        f"CREATE TABLE {database}.t (f FLOAT)", f"INSERT INTO {database}.t VALUES (16777216)"
    )
    before = comparer.fingerprint(mariadb, [database])
    mariadb.execute(f"UPDATE {database}.t SET f = 16777218")
    assert comparer.differences(before, comparer.fingerprint(mariadb, [database]))
