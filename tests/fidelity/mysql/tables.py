"""Tables: engines, options, counters, partitions, constraints."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "MyISAM: rows, FULLTEXT, MERGE_* options, AUTO_INCREMENT as second part of the key",
        "MyISAM",
        (
            "CREATE TABLE myisam (g CHAR(3), n INT AUTO_INCREMENT, t TEXT, PRIMARY KEY (g, n),"
            " FULLTEXT (t)) ENGINE=MyISAM MAX_ROWS=1000 PACK_KEYS=1 ROW_FORMAT=DYNAMIC CHECKSUM=1"
            " DELAY_KEY_WRITE=1 MIN_ROWS=10 AVG_ROW_LENGTH=50",
            "INSERT INTO myisam VALUES ('a', 1, 'x'), ('a', 2, 'y'), ('b', 1, NULL)",
        ),
        ("table myisam",),
    ),
    Case(
        "MEMORY with HASH and BTREE keys",
        "MEMORY",
        (
            "CREATE TABLE memory (a INT, b VARCHAR(9), PRIMARY KEY (a) USING HASH,"
            " KEY (b) USING BTREE) ENGINE=MEMORY",
            "INSERT INTO memory VALUES (3, 'x'), (1, NULL)",
        ),
        ("table memory",),
    ),
    Case(
        "ARCHIVE, also with AUTO_INCREMENT",
        "ARCHIVE",
        (
            "CREATE TABLE archive (a INT, b TEXT) ENGINE=ARCHIVE",
            "INSERT INTO archive VALUES (2, 'x'), (1, NULL), (2, 'x')",
            "CREATE TABLE archive_counter (id INT AUTO_INCREMENT, b TEXT, KEY (id)) ENGINE=ARCHIVE",
            "INSERT INTO archive_counter (b) VALUES ('x'), ('y'), ('z')",
            "CREATE TABLE archive_primary (id INT AUTO_INCREMENT PRIMARY KEY, b TEXT)"
            " ENGINE=ARCHIVE",
            "INSERT INTO archive_primary (b) VALUES ('x'), ('y'), ('z')",
        ),
        ("table archive", "table archive_counter", "table archive_primary"),
    ),
    Case(
        "CSV and BLACKHOLE",
        "CSV, BLACKHOLE",
        (
            "CREATE TABLE csv (a INT NOT NULL, b VARCHAR(50) NOT NULL) ENGINE=CSV",
            "INSERT INTO csv VALUES (2, 'x,\"y\"\\n'), (1, '')",
            "CREATE TABLE blackhole (a INT PRIMARY KEY) ENGINE=BLACKHOLE",
            "INSERT INTO blackhole VALUES (1)",
        ),
        ("table csv", "table blackhole"),
    ),
    Case(
        "AUTO_INCREMENT: zero and negative values, a counter beyond the rows, rows deleted",
        "AUTO_INCREMENT",
        (
            "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
            "CREATE TABLE counter (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT=1000",
            "INSERT INTO counter VALUES (0), (-5), (NULL)",
            "CREATE TABLE deleted (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY)",
            "INSERT INTO deleted VALUES (1), (9000)",
            "DELETE FROM deleted WHERE id = 9000",
            "CREATE TABLE emptied (id INT AUTO_INCREMENT PRIMARY KEY)",
            "INSERT INTO emptied VALUES (77)",
            "DELETE FROM emptied",
            "CREATE TABLE full_counter (id TINYINT AUTO_INCREMENT PRIMARY KEY)",
            "INSERT INTO full_counter VALUES (127)",
            "CREATE TABLE unkeyed_counter (a INT PRIMARY KEY, id INT AUTO_INCREMENT, KEY (id))",
            "INSERT INTO unkeyed_counter VALUES (1, 0), (2, 5), (3, 5)",
        ),
        (
            "table counter",
            "table deleted",
            "table emptied",
            "table full_counter",
            "table unkeyed_counter",
        ),
    ),
    Case(
        "ROW_FORMAT, KEY_BLOCK_SIZE, STATS_*, COMPRESSION, AUTOEXTEND_SIZE, other options",
        "table options",
        (
            "CREATE TABLE compact (a INT PRIMARY KEY, b BLOB) ROW_FORMAT=COMPACT"
            " STATS_PERSISTENT=0 STATS_AUTO_RECALC=1 STATS_SAMPLE_PAGES=9",
            "CREATE TABLE redundant (a INT PRIMARY KEY) ROW_FORMAT=REDUNDANT",
            "CREATE TABLE compressed (a INT PRIMARY KEY, b TEXT) ROW_FORMAT=COMPRESSED"
            " KEY_BLOCK_SIZE=8",
            "CREATE TABLE page_compressed (a INT PRIMARY KEY, b TEXT) COMPRESSION='zlib'",
            "CREATE TABLE extended (a INT PRIMARY KEY) AUTOEXTEND_SIZE=4M",
            "CREATE TABLE limited (a INT PRIMARY KEY) MAX_ROWS=10 MIN_ROWS=1 AVG_ROW_LENGTH=7"
            " CHECKSUM=1 DELAY_KEY_WRITE=1 PACK_KEYS=0",
            "INSERT INTO compressed VALUES (1, REPEAT('x', 9000))",
            "INSERT INTO page_compressed VALUES (1, REPEAT('x', 9000))",
        ),
        (
            "table compact",
            "table redundant",
            "table compressed",
            "table page_compressed",
            "table extended",
            "table limited",
        ),
    ),
    Case(
        "SECONDARY_ENGINE that the server does not have",
        "table options",
        ("CREATE TABLE secondary (a INT PRIMARY KEY) SECONDARY_ENGINE=rapid",),
        ("table secondary",),
    ),
    Case(
        "rows as wide as InnoDB takes; a row format that today's strict mode refuses",
        "table options",
        (
            "SET SESSION innodb_strict_mode = 0",
            "CREATE TABLE broad (id INT PRIMARY KEY, "
            + ", ".join(f"c{number} VARCHAR(200)" for number in range(60))
            + ") CHARACTER SET latin1 ROW_FORMAT=COMPACT",
            f"INSERT INTO broad (id, c0, c59) VALUES (1, '{'x' * 200}', 'y')",
        ),
        ("table broad",),
    ),
    Case(
        "empty table; a table whose only column is generated's base",
        "empty table",
        ("CREATE TABLE empty_table (a INT, b TEXT)", "CREATE TABLE lone (a INT)"),
        ("table empty_table", "table lone"),
    ),
    Case(
        "CHECK: enforced, NOT ENFORCED with rows that violate it, of a column, named oddly",
        "CHECK",
        (
            "CREATE TABLE checks (a INT CHECK (a > 0) NOT ENFORCED, b INT,"
            " CONSTRAINT `odd``name` CHECK (b <> 3 AND b > a), CONSTRAINT c CHECK"
            " ((a IS NULL) OR (b LIKE '%''%\\\\\\\\%' OR TRUE)))",
            "INSERT INTO checks VALUES (-1, 1), (NULL, NULL)",
        ),
        ("table checks",),
    ),
    Case(
        "CHECK: rows that violate it, because its meaning has changed since",
        "CHECK",
        (
            "CREATE TABLE violated (id INT PRIMARY KEY, a VARCHAR(9), CHECK (a < 'b'))",
            "INSERT INTO violated VALUES (1, 'a')",
            "ALTER TABLE violated ALTER CHECK violated_chk_1 NOT ENFORCED",
            "INSERT INTO violated VALUES (2, 'z')",
        ),
        ("table violated",),
    ),
    Case(
        "FOREIGN KEY: cycle, to itself, composite, all actions, named oddly, orphans",
        "FOREIGN KEY",
        (
            "SET SESSION foreign_key_checks = 0",
            "CREATE TABLE hen (id INT PRIMARY KEY, egg INT, CONSTRAINT hen_egg FOREIGN KEY (egg)"
            " REFERENCES egg (id) ON DELETE SET NULL)",
            "CREATE TABLE egg (id INT PRIMARY KEY, hen INT, FOREIGN KEY (hen) REFERENCES hen (id)"
            " ON UPDATE CASCADE ON DELETE RESTRICT)",
            "CREATE TABLE tree (id INT PRIMARY KEY, parent INT, CONSTRAINT `to``self` FOREIGN KEY"
            " (parent) REFERENCES tree (id))",
            "CREATE TABLE pairs (a INT, b INT, PRIMARY KEY (a, b))",
            "CREATE TABLE child (a INT, b INT, KEY k (a, b), FOREIGN KEY (a, b) REFERENCES"
            " pairs (a, b) ON DELETE CASCADE)",
            "INSERT INTO hen VALUES (1, 1), (2, 99)",
            "INSERT INTO egg VALUES (1, 2), (2, 1)",
            "INSERT INTO tree VALUES (1, 2), (2, 1), (3, 77)",
            "INSERT INTO child VALUES (5, 5), (NULL, 1)",
        ),
        ("table hen", "table egg", "table tree", "table pairs", "table child"),
    ),
    Case(
        "FOREIGN KEY to a key that is not unique",
        "FOREIGN KEY",
        (
            "SET SESSION restrict_fk_on_non_standard_key = OFF, foreign_key_checks = 0",
            "CREATE TABLE repeated (a INT, KEY (a))",
            "CREATE TABLE to_repeated (a INT, FOREIGN KEY (a) REFERENCES repeated (a))",
            "INSERT INTO repeated VALUES (1), (1)",
            "INSERT INTO to_repeated VALUES (1)",
        ),
        ("table repeated", "table to_repeated"),
    ),
)
