"""Keys: what tells rows apart, and in what order they are read."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "no key: equal rows, NULLs",
        "table without a key",
        (
            "CREATE TABLE keyless (a INT, b VARCHAR(9), KEY ab (a, b), KEY ba (b, a))",
            "INSERT INTO keyless VALUES (3,'c'),(1,'a'),(3,'c'),(2,NULL),(NULL,'z'),(NULL,NULL)",
        ),
        ("table keyless",),
    ),
    Case(
        "composite, descending, unsigned 64-bit",
        "PRIMARY KEY",
        (
            "CREATE TABLE composite (a INT, b VARCHAR(9), c DATE, n INT, PRIMARY KEY (c, a DESC,"
            " b))",
            "INSERT INTO composite VALUES (1,'x','2024-01-01',1),(2,'x','2024-01-01',2),"
            " (1,'y','2023-01-01',3)",
            "CREATE TABLE big_key (id BIGINT UNSIGNED PRIMARY KEY, n INT)",
            "INSERT INTO big_key VALUES (18446744073709551615, 1), (9223372036854775808, 2), (0,"
            " 3)",
            "CREATE TABLE negative_key (id BIGINT PRIMARY KEY)",
            "INSERT INTO negative_key VALUES (-9223372036854775808), (9223372036854775807), (0)",
            "CREATE TABLE decimal_key (d DECIMAL(40,20) PRIMARY KEY)",
            "INSERT INTO decimal_key VALUES (-0.5), (0),"
            " (12345678901234567890.12345678901234567890)",
        ),
        ("table composite", "table big_key", "table negative_key", "table decimal_key"),
    ),
    Case(
        "CHAR under NO PAD collations: tabs, no characters at all, characters below the space",
        "PRIMARY KEY",
        (
            "CREATE TABLE filled (a CHAR(10) COLLATE utf8mb4_nopad_bin, b INT, PRIMARY KEY (a, b))",
            "INSERT INTO filled VALUES ('a', 1), ('a\\tb', 2), ('', 3), ('\\t', 4), ('a b', 5),"
            " ('a\\t', 6), ('a!', 7)",
            "CREATE TABLE filled_ci (a CHAR(10) CHARACTER SET latin1"
            " COLLATE latin1_swedish_nopad_ci, b INT, UNIQUE (b, a))",
            "INSERT INTO filled_ci VALUES ('é\\t', 1), ('e', 1), ('', 2), ('\\n', 2)",
        ),
        ("table filled", "table filled_ci"),
    ),
    Case(
        "keys of prefixes of text and bytes",
        "prefix key",
        (
            "CREATE TABLE prefix_key (k TEXT NOT NULL, n INT, PRIMARY KEY (k(5)))",
            "INSERT INTO prefix_key VALUES ('abcde-long',1),('abcdf',2),('b',3)",
            "CREATE TABLE prefix_blob (k BLOB NOT NULL, PRIMARY KEY (k(3)))",
            "INSERT INTO prefix_blob VALUES (X'00'),(X'0000'),(X'FFFFFF00')",
            "CREATE TABLE prefix_unique (a VARCHAR(90) NOT NULL, b INT NOT NULL, UNIQUE (a(3), b),"
            " KEY (a(10) DESC))",
            "INSERT INTO prefix_unique VALUES ('abcd',1),('abce',2),('abc',3)",
        ),
        ("table prefix_key", "table prefix_blob", "table prefix_unique"),
    ),
    Case(
        "unique keys with and without NULLs, over long text by hash",
        "UNIQUE",
        (
            "CREATE TABLE unique_nulls (a INT, b INT, UNIQUE (a), UNIQUE (b, a))",
            "INSERT INTO unique_nulls VALUES (NULL,NULL),(NULL,NULL),(1,NULL),(2,1),(3,1)",
            "CREATE TABLE unique_only (a INT NOT NULL UNIQUE, b INT)",
            "INSERT INTO unique_only VALUES (5,1),(4,2)",
            "CREATE TABLE unique_hash (b LONGBLOB NOT NULL, t TEXT, UNIQUE (b), UNIQUE (t) USING"
            " HASH)",
            "INSERT INTO unique_hash VALUES ('x', 'y'), (REPEAT('x', 9999), REPEAT('y', 9999))",
        ),
        ("table unique_nulls", "table unique_only", "table unique_hash"),
    ),
    Case(
        "rows that repeat a unique key, added while it was not checked",
        "UNIQUE",
        (
            "CREATE TABLE unique_kept (a INT, b INT, UNIQUE (a)) ENGINE = MyISAM",
            "INSERT INTO unique_kept VALUES (1, 1), (2, 2)",
        ),
        ("table unique_kept",),
    ),
    Case(
        "fulltext, hash and ignored indexes, with parser, block size and comment",
        "indexes",
        (
            "CREATE TABLE indexes (id INT PRIMARY KEY, t TEXT, u VARCHAR(99), v INT,"
            " FULLTEXT f (t, u), KEY i (v) IGNORED, KEY c (u) COMMENT 'x', KEY b (v, u) USING BTREE"
            " KEY_BLOCK_SIZE = 1024)",
            "INSERT INTO indexes VALUES (1, 'some words', 'u', 1)",
            "CREATE TABLE hash_index (a INT, KEY (a) USING HASH, UNIQUE u (a) USING BTREE)"
            " ENGINE = MEMORY",
            "INSERT INTO hash_index VALUES (2), (1)",
            "CREATE TABLE own_document_id (FTS_DOC_ID BIGINT UNSIGNED NOT NULL AUTO_INCREMENT"
            " PRIMARY KEY, t TEXT, FULLTEXT (t))",
            "INSERT INTO own_document_id (t) VALUES ('a b'), ('c')",
        ),
        ("table indexes", "table hash_index", "table own_document_id"),
    ),
    Case(
        "periods without overlaps",
        "WITHOUT OVERLAPS",
        (
            "CREATE TABLE rooms (room INT, a DATE, b DATE, guest VARCHAR(9), PERIOD FOR stay (a,"
            " b),"
            " PRIMARY KEY (room, stay WITHOUT OVERLAPS))",
            "INSERT INTO rooms VALUES"
            " (1,'2024-01-01','2024-01-05','x'),(1,'2024-01-05','2024-01-07','y')",
        ),
        ("table rooms",),
    ),
)
