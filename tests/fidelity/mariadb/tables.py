"""Engines and options of tables."""

from __future__ import annotations

from fidelity.case import Case, Kept, Named


def _engine(engine: str, columns: str = "id INT PRIMARY KEY, t VARCHAR(99)") -> Case:
    name = f"in_{engine.lower()}"
    return Case(
        f"{engine}: rows and definition",
        f"engine {engine}",
        (
            f"CREATE TABLE {name} ({columns}) ENGINE = {engine}",
            f"INSERT INTO {name} VALUES (2, 'b'), (1, 'a')",
        ),
        (f"table {name}",),
    )


CASES = (
    _engine("InnoDB"),
    _engine("MyISAM", columns="id INT PRIMARY KEY, t TEXT, FULLTEXT (t)"),
    _engine("Aria"),
    _engine("MEMORY"),
    _engine("CSV", columns="id INT NOT NULL, t VARCHAR(99) NOT NULL"),
    _engine("ARCHIVE", columns="id INT, t VARCHAR(99)"),
    _engine("BLACKHOLE"),
    Case(
        "ARCHIVE with AUTO_INCREMENT",
        "engine ARCHIVE",
        (
            "CREATE TABLE archived (id INT AUTO_INCREMENT, t TEXT, KEY (id)) ENGINE = ARCHIVE",
            "INSERT INTO archived (t) VALUES ('x'), ('y')",
        ),
        ("table archived",),
    ),
    Case(
        "MERGE: the rows are those of other tables",
        "engine MERGE",
        (
            "CREATE TABLE merged_1 (a INT) ENGINE = MyISAM",
            "CREATE TABLE merged_2 (a INT) ENGINE = MyISAM",
            "INSERT INTO merged_1 VALUES (1)",
            "INSERT INTO merged_2 VALUES (2)",
            "CREATE TABLE merged (a INT) ENGINE = MERGE UNION = (merged_1, merged_2)",
        ),
        ("table merged_1", "table merged_2", "table merged"),
        Named(
            r"tables\.merged is left out: the rows of a MRG_MyISAM table lie elsewhere",
            "its rows lie in other tables, which are kept",
            loses=("table merged", "rows merged"),
        ),
    ),
    Case(
        "row formats, page compression, statistics, block size",
        "options of InnoDB tables",
        (
            "CREATE TABLE row_compact (a INT) ROW_FORMAT = COMPACT",
            "CREATE TABLE row_redundant (a INT) ROW_FORMAT = REDUNDANT",
            "CREATE TABLE row_compressed (a INT) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 4",
            "CREATE TABLE row_dynamic (a INT) ROW_FORMAT = DYNAMIC STATS_PERSISTENT = 1"
            " STATS_AUTO_RECALC = 0 STATS_SAMPLE_PAGES = 9",
            "CREATE TABLE page_compressed (a TEXT) PAGE_COMPRESSED = 1 PAGE_COMPRESSION_LEVEL = 3",
            "INSERT INTO page_compressed VALUES (REPEAT('x', 50000))",
            "CREATE TABLE bounds (a INT) MIN_ROWS = 10 MAX_ROWS = 1000 AVG_ROW_LENGTH = 50"
            " CHECKSUM = 1 DELAY_KEY_WRITE = 1 PACK_KEYS = 1",
        ),
        (
            "table row_compact",
            "table row_redundant",
            "table row_compressed",
            "table row_dynamic",
            "table page_compressed",
            "table bounds",
        ),
    ),
    Case(
        "rows of fixed and of dynamic length, checksums, transactional or not",
        "options of MyISAM and Aria tables",
        (
            "CREATE TABLE myisam_fixed (a INT, b CHAR(9)) ENGINE = MyISAM ROW_FORMAT = FIXED"
            " MAX_ROWS = 1000000 CHECKSUM = 1",
            "INSERT INTO myisam_fixed VALUES (1, 'x')",
            "CREATE TABLE aria_plain (a INT) ENGINE = Aria TRANSACTIONAL = 0 PAGE_CHECKSUM = 0",
            "CREATE TABLE aria_fixed (a INT) ENGINE = Aria TRANSACTIONAL = 0 ROW_FORMAT = FIXED",
        ),
        ("table myisam_fixed", "table aria_plain", "table aria_fixed"),
    ),
    Case(
        "tables with another charset than their database, and columns with another than they",
        "CHARACTER SET, COLLATE",
        (
            "CREATE TABLE charsets (a VARCHAR(9), b VARCHAR(9) CHARACTER SET latin1, c TEXT COLLATE"
            " utf8mb4_bin, d CHAR(3) CHARACTER SET binary) CHARACTER SET latin2 COLLATE latin2_bin",
            "INSERT INTO charsets VALUES ('a', 'é', 'b', 'c')",
            "CREATE TABLE collated (a VARCHAR(9)) COLLATE utf8mb4_uca1400_as_cs",
        ),
        ("table charsets", "table collated"),
    ),
    Case(
        "empty tables, and one with every value NULL",
        "empty table",
        (
            "CREATE TABLE empty_table (id INT PRIMARY KEY, t TEXT)",
            "CREATE TABLE all_null (a INT, b TEXT, c BLOB, d DATE, e JSON, f POINT, g ENUM('x'))",
            "INSERT INTO all_null VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL), (NULL, NULL,"
            " NULL, NULL, NULL, NULL, NULL)",
        ),
        ("table empty_table", "table all_null"),
    ),
    Case(
        "options of a table, a column and an index that no engine knows",
        "options that the engine ignores",
        (
            "SET sql_mode = 'IGNORE_BAD_TABLE_OPTIONS'",
            "CREATE TABLE unknown_option (a INT invented = 'x', KEY k (a) other = 5) nothing = 'y'",
        ),
        ("table unknown_option",),
        Named(
            r"tables\.unknown_option has options that no engine of this server knows",
            "options that no engine knows are left out",
            loses=("table unknown_option",),
        ),
    ),
    Case(
        "indexes that are disabled",
        "DISABLE KEYS",
        (
            "CREATE TABLE disabled (a INT, KEY (a)) ENGINE = MyISAM",
            "INSERT INTO disabled VALUES (1), (2)",
            "ALTER TABLE disabled DISABLE KEYS",
        ),
        ("table disabled",),
        Kept("the indexes are enabled again", changes=("table disabled",)),
    ),
    Case(
        "rows of one megabyte",
        "long rows",
        (
            "CREATE TABLE long_rows (id INT PRIMARY KEY, b LONGBLOB, t LONGTEXT)",
            "INSERT INTO long_rows SELECT seq, REPEAT(UNHEX(LPAD(HEX(seq), 2, '0')), 700000),"
            " REPEAT('\u00fc', 200000) FROM seq_1_to_4",
        ),
        ("table long_rows",),
    ),
)
