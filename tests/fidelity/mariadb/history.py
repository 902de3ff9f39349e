"""System-versioned tables: all versions of all rows, with their times."""

from __future__ import annotations

from fidelity.case import Case, Named

_CHANGES = (
    "INSERT INTO {0} (id, v) VALUES (1, 1), (2, 1), (3, 1)",
    "UPDATE {0} SET v = 2 WHERE id < 3",
    "UPDATE {0} SET v = 3 WHERE id = 1",
    "DELETE FROM {0} WHERE id = 2",
    "INSERT INTO {0} (id, v) VALUES (2, 9), (-5, 0)",
    "DELETE FROM {0} WHERE id = -5",
)


def _changes(table: str) -> tuple[str, ...]:
    return tuple(statement.format(table) for statement in _CHANGES)


CASES = (
    Case(
        "history of a table that names no period",
        "system versioning",
        (
            "CREATE TABLE implicit (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
            *_changes("implicit"),
        ),
        ("table implicit",),
    ),
    Case(
        "history of a table with invisible period columns in its key",
        "system versioning",
        (
            "CREATE TABLE explicit (id INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE,"
            " v INT, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE,"
            " PERIOD FOR SYSTEM_TIME (s, e), PRIMARY KEY (id)) WITH SYSTEM VERSIONING",
            *_changes("explicit"),
        ),
        ("table explicit",),
    ),
    Case(
        "history of a table without a key",
        "system versioning",
        ("CREATE TABLE keyless (id INT, v INT) WITH SYSTEM VERSIONING", *_changes("keyless")),
        ("table keyless",),
    ),
    Case(
        "history under a unique key that may be NULL, and one of text",
        "system versioning",
        (
            "CREATE TABLE textual (id INT UNIQUE, v INT, t VARCHAR(9) CHARACTER SET cp932"
            " NOT NULL UNIQUE DEFAULT (UUID_SHORT() % 1000000007)) WITH SYSTEM VERSIONING",
            *_changes("textual"),
        ),
        ("table textual",),
    ),
    Case(
        "columns without versioning, generated and invisible ones",
        "system versioning",
        (
            "CREATE TABLE partial (id INT PRIMARY KEY, v INT, w INT DEFAULT 7 WITHOUT SYSTEM"
            " VERSIONING, g INT AS (v * 2) STORED, i INT INVISIBLE DEFAULT 4, j BLOB"
            ") WITH SYSTEM VERSIONING",
            *_changes("partial"),
            "UPDATE partial SET w = 8",
        ),
        ("table partial",),
    ),
    Case(
        "only chosen columns versioned",
        "system versioning",
        (
            "CREATE TABLE chosen (id INT PRIMARY KEY, v INT WITH SYSTEM VERSIONING, w INT)",
            *_changes("chosen"),
        ),
        ("table chosen",),
    ),
    Case(
        "history in partitions by time",
        "system versioning in partitions",
        (
            "CREATE TABLE by_time (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING"
            " PARTITION BY SYSTEM_TIME INTERVAL 1 YEAR STARTS '2018-01-01' ("
            " PARTITION h0 HISTORY, PARTITION h1 HISTORY, PARTITION c CURRENT)",
            "SET system_versioning_insert_history = 1",
            "INSERT INTO by_time (id, v, row_start, row_end) VALUES"
            " (1, 2, '2018-01-01 00:00:00.5', '2018-11-01 00:00:00.25'),"
            " (1, 3, '2018-11-01 00:00:00.25', '2019-11-01 00:00:00.25'),"
            " (1, 4, '2019-11-01 00:00:00.25', '2038-01-19 03:14:07.999999')",
        ),
        ("table by_time",),
    ),
    Case(
        "history in one partition of bounded size",
        "system versioning in partitions",
        (
            "CREATE TABLE bounded (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING"
            " PARTITION BY SYSTEM_TIME LIMIT 100 ("
            " PARTITION h0 HISTORY, PARTITION h1 HISTORY, PARTITION c CURRENT)",
            *_changes("bounded"),
        ),
        ("table bounded",),
    ),
    Case(
        "history in several partitions of bounded size",
        "system versioning in partitions of bounded size",
        (
            "CREATE TABLE scattered (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING"
            " PARTITION BY SYSTEM_TIME LIMIT 2 ("
            " PARTITION h0 HISTORY, PARTITION `h``1` HISTORY, PARTITION c CURRENT)",
            *_changes("scattered"),
        ),
        ("table scattered",),
        Named(
            r"history\.scattered has its history in several partitions of bounded size",
            "all versions are kept; a restore puts them into the first history partition",
            loses=("rows scattered",),
        ),
    ),
    Case(
        "versioned partitions by key",
        "system versioning in partitions",
        (
            "CREATE TABLE by_key (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING"
            " PARTITION BY KEY (id) PARTITIONS 3",
            *_changes("by_key"),
        ),
        ("table by_key",),
    ),
    Case(
        "history of an Aria table",
        "system versioning",
        (
            "CREATE TABLE aria (id INT PRIMARY KEY, v INT) ENGINE = Aria WITH SYSTEM VERSIONING",
            *_changes("aria"),
        ),
        ("table aria",),
    ),
    Case(
        "bitemporal table",
        "application-time period",
        (
            "CREATE TABLE bitemporal (id INT, v INT, a DATE DEFAULT '2020-01-01',"
            " b DATE DEFAULT '2030-01-01', PERIOD FOR p (a, b),"
            " UNIQUE (id, p WITHOUT OVERLAPS)) WITH SYSTEM VERSIONING",
            *_changes("bitemporal"),
            "DELETE FROM bitemporal FOR PORTION OF p FROM '2022-01-01' TO '2023-01-01'",
        ),
        ("table bitemporal",),
    ),
    Case(
        "history that counts transactions",
        "system versioning by transaction",
        (
            "CREATE TABLE counted (id INT PRIMARY KEY, v INT,"
            " s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START,"
            " e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END,"
            " PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING",
            *_changes("counted"),
        ),
        ("table counted",),
        Named(
            r"history\.counted is system-versioned: its current rows are kept, its history is left",
            "current rows are kept; history by transaction number cannot be put back",
            loses=("rows counted",),
        ),
    ),
    Case(
        "many versions of one row, read in row-chunks",
        "system versioning",
        (
            "CREATE TABLE many (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
            "SET system_versioning_insert_history = 1",
            "INSERT INTO many (id, v, row_start, row_end) SELECT seq % 7, seq,"
            " '2020-01-01' + INTERVAL seq SECOND, '2020-01-01' + INTERVAL seq + 7 SECOND"
            " FROM seq_1_to_20000",
        ),
        ("table many",),
    ),
)
