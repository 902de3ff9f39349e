"""What a column may be beside its type."""

from __future__ import annotations

from fidelity.case import Case

_MANY = ", ".join(f"c{number} INT DEFAULT {number}" for number in range(1, 1000))

CASES = (
    Case(
        "generated columns, stored and virtual, indexed and as a key",
        "generated column",
        (
            "CREATE TABLE generated (a INT, b INT AS (a * 2) STORED, c VARCHAR(20) AS"
            " (CONCAT('<', a, '>')) VIRTUAL, d INT AS (b + 1) PERSISTENT UNIQUE, e JSON,"
            " f VARCHAR(9) AS (JSON_VALUE(e, '$.x')) VIRTUAL, KEY (c), KEY (f))",
            "INSERT INTO generated (a, e) VALUES (1, '{\"x\": \"y\"}'), (2, NULL), (-7, '{}')",
        ),
        ("table generated",),
    ),
    Case(
        "generated column whose value is not what its expression gives now",
        "generated column",
        (
            "SET div_precision_increment = 9",
            "CREATE TABLE stale (id INT PRIMARY KEY, d DECIMAL(20,10), q DECIMAL(20,10) AS (d / 3)"
            " STORED)",
            "INSERT INTO stale (id, d) VALUES (1, 1), (2, 2)",
        ),
        ("table stale",),
    ),
    Case(
        "generated columns that the values do not fit",
        "generated column",
        (
            "CREATE TABLE unfit (id INT PRIMARY KEY, a INT, v VARCHAR(9), t TINYINT AS (a * 2)"
            " STORED, n INT AS (v + 0) STORED, s VARCHAR(3) AS (v) STORED)",
            "INSERT INTO unfit (id, a, v) VALUES (1, 100, 'abcdef'), (2, -100, '12x'), (3, 1, '')",
        ),
        ("table unfit",),
    ),
    Case(
        "invisible columns, first and last, with and without a default",
        "invisible column",
        (
            "CREATE TABLE invisible (a INT INVISIBLE DEFAULT 3, b INT PRIMARY KEY,"
            " c VARCHAR(9) INVISIBLE, d INT AS (b) VIRTUAL INVISIBLE)",
            "INSERT INTO invisible (a, b, c) VALUES (9, 1, 'x'), (NULL, 2, NULL)",
            "INSERT INTO invisible VALUES (3)",
            "CREATE TABLE only_invisible (a INT INVISIBLE, b INT)",
            "INSERT INTO only_invisible (a) VALUES (1), (1), (2)",
        ),
        ("table invisible", "table only_invisible"),
    ),
    Case(
        "expressions as defaults",
        "DEFAULT (expression)",
        (
            "CREATE TABLE expressions (id INT PRIMARY KEY, a VARCHAR(40) DEFAULT (UUID()),"
            " b INT DEFAULT (id * 2), c TEXT DEFAULT ('long''s \\\\ text'), d BLOB DEFAULT"
            " (X'00FF'),"
            " e DATETIME DEFAULT (NOW() + INTERVAL 1 DAY), f VARCHAR(9) DEFAULT 'a\\\\b''c\\n',"
            " g BIT(4) DEFAULT b'1010', h VARBINARY(4) DEFAULT X'00FF', i INT DEFAULT (NULL),"
            " j VARCHAR(20) DEFAULT (CONCAT(_latin1 X'E9', 'x')), k DOUBLE DEFAULT 1e300,"
            " l VARCHAR(30) DEFAULT CURRENT_USER)",
            "INSERT INTO expressions (id, e, a) VALUES (1, '2024-01-01', 'x'), (2, NULL, DEFAULT)",
        ),
        ("table expressions",),
    ),
    Case(
        "literals as defaults in every charset",
        "DEFAULT 'literal'",
        (
            "CREATE TABLE literals (a VARCHAR(9) CHARACTER SET latin1 DEFAULT 'é',"
            " b VARCHAR(9) CHARACTER SET cp1251 DEFAULT 'ж', c VARCHAR(9) CHARACTER SET sjis"
            " DEFAULT 'ソ', d VARCHAR(9) CHARACTER SET ucs2 DEFAULT 'ü', e CHAR(9) DEFAULT ' x ',"
            " f VARCHAR(9) CHARACTER SET utf32 DEFAULT 'a''b\\\\', g VARCHAR(20) DEFAULT '\\0\\n')",
            "INSERT INTO literals () VALUES ()",
        ),
        ("table literals",),
    ),
    Case(
        "comments of tables, columns, indexes and partitions, with every odd character",
        "COMMENT",
        (
            "CREATE TABLE comments (a INT COMMENT 'it''s \\\\ -- # /* ; `b` \"c\" \\n end',"
            " b INT COMMENT 'é日本 */', KEY k (a) COMMENT 'key''s \\\\ comment') COMMENT"
            " 'table''s; \\\\ comment é'",
            "CREATE TABLE long_comment (a INT COMMENT '"
            + "x" * 1024
            + "') COMMENT '"
            + "y" * 2048
            + "'",
        ),
        ("table comments", "table long_comment"),
    ),
    Case(
        "characters of four bytes in defaults, members, comments and expressions",
        "characters of four bytes in a definition",
        (
            "CREATE TABLE four_bytes (id INT PRIMARY KEY, v VARCHAR(9) DEFAULT '\U0001f600',"
            " e ENUM('\U0001f600', 'b', '\U0001f601') DEFAULT 'b', s SET('x', '\U0001f602'),"
            " g VARCHAR(9) AS (CONCAT(v, '\U0001f603')) STORED, w VARCHAR(9) DEFAULT"
            " (CONCAT('\U0001f604', 'x')), CHECK (v <> '\U0001f605')) COLLATE utf8mb4_bin",
            "INSERT INTO four_bytes (id, e, s) VALUES (1, 1, 2), (2, 3, 3), (3, 2, 0)",
        ),
        ("table four_bytes",),
    ),
    Case(
        "compressed columns",
        "COMPRESSED column",
        (
            "CREATE TABLE compressed (id INT PRIMARY KEY, t TEXT COMPRESSED, b BLOB COMPRESSED,"
            " v VARCHAR(1000) COMPRESSED, w VARBINARY(1000) COMPRESSED=zlib)",
            "INSERT INTO compressed VALUES (1, REPEAT('abc', 5000), REPEAT('z', 9999),"
            " REPEAT('v', 1000), REPEAT(X'00', 1000)), (2, '', '', '', ''),"
            " (3, NULL, NULL, NULL, NULL)",
        ),
        ("table compressed",),
    ),
    Case(
        "UUID, INET4, INET6: values, keys and defaults",
        "UUID, INET4, INET6",
        (
            "CREATE TABLE natives (u UUID DEFAULT UUID(), a INET4, b INET6, PRIMARY KEY (u))",
            "INSERT INTO natives VALUES ('00112233-4455-6677-8899-aabbccddeeff', '0.0.0.0', '::'),"
            " ('ffffffff-ffff-ffff-ffff-ffffffffffff', '255.255.255.255', '::ffff:1.2.3.4'),"
            " ('00000000-0000-0000-0000-000000000000', NULL, 'fe80::1')",
            "INSERT INTO natives (a) VALUES ('1.2.3.4')",
            "CREATE TABLE inet_key (a INET4, b INET6, PRIMARY KEY (a, b))",
            "INSERT INTO inet_key VALUES ('10.0.0.1', '::1'), ('9.0.0.1', '::2')",
        ),
        ("table natives", "table inet_key"),
    ),
    Case(
        "1000 columns",
        "1000 columns",
        (
            f"CREATE TABLE thousand (id INT PRIMARY KEY, {_MANY})",
            "INSERT INTO thousand (id) VALUES (1), (2)",
        ),
        ("table thousand",),
    ),
    Case(
        "columns whose names are words, quotes, commas and spaces",
        "column names",
        (
            "CREATE TABLE column_names (`a,``b` INT, `select` INT AS (`a,``b` + 1), ` sp` INT"
            ' PRIMARY KEY, `"q"` INT, `it\'s` INT, `é` INT, `日本` INT, `x.y` INT, `1` INT,'
            " `a;b` INT, `--` INT, `/*` INT, `\\\\` INT, `%s` INT, `t` INT, KEY `k``,` (`a,``b`))",
            'INSERT INTO column_names (`a,``b`, ` sp`, `"q"`, `%s`) VALUES (1, 2, 3, 4)',
        ),
        ("table column_names",),
    ),
    Case(
        "JSON: the text as it was written",
        "JSON",
        (
            "CREATE TABLE documents (id INT PRIMARY KEY, j JSON, k JSON NOT NULL DEFAULT '{}')",
            "INSERT INTO documents VALUES (1, '{\"b\":  1, \"a\": [2.50, 1e5, -0.0]}', '[]'),"
            ' (2, \'"\\\\u00e9 é 😀 \\\\\\\\ \\\\" "\', \'{"a":1,"a":2}\'), (3, NULL, \'null\'),'
            " (4, '12345678901234567890123', ' true ')",
        ),
        ("table documents",),
    ),
    Case(
        "spatial values with their SRID, in every type, with a spatial index",
        "GEOMETRY and its kinds",
        (
            "CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, a POINT NOT NULL, b LINESTRING,"
            " c POLYGON, d MULTIPOINT, e MULTILINESTRING, f MULTIPOLYGON, h GEOMETRYCOLLECTION,"
            " SPATIAL KEY (a))",
            "INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1 2)', 4326),"
            " ST_GeomFromText('POINT(-0.1 1e300)'), ST_GeomFromText('LINESTRING(0 0,1 1.1)', 3857),"
            " ST_GeomFromText('POLYGON((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))'),"
            " ST_GeomFromText('MULTIPOINT(0 0,1 1)'),"
            " ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'),"
            " ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))'),"
            " ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')),"
            " (2, NULL, POINT(0, 0), NULL, NULL, NULL, NULL, NULL, NULL)",
        ),
        ("table shapes",),
    ),
    Case(
        "the reference system of a spatial column, which SHOW CREATE does not tell",
        "REF_SYSTEM_ID",
        (
            "CREATE TABLE referenced (id INT PRIMARY KEY, g GEOMETRY REF_SYSTEM_ID=4326 NOT NULL"
            " COMMENT 'a `p` point', `p``q` POINT REF_SYSTEM_ID=3857, r LINESTRING,"
            " SPATIAL KEY (g))",
            "INSERT INTO referenced VALUES (1, ST_GeomFromText('POINT(1 2)', 4326),"
            " ST_GeomFromText('POINT(1 2)', 3857), NULL)",
        ),
        ("table referenced",),
    ),
)
