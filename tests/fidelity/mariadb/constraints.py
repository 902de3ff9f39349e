"""Constraints, and rows that break them."""

from __future__ import annotations

from fidelity.case import Case, Kept

CASES = (
    Case(
        "rows against their own CHECK, added while checks were off",
        "CHECK",
        (
            "CREATE TABLE checked (a INT CHECK (a < 100), b VARCHAR(9), CONSTRAINT `b``s` CHECK"
            " (b <>"
            " 'it''s'), CHECK (a > 0), CONSTRAINT json CHECK (JSON_VALID(b)))",
            "SET check_constraint_checks = 0",
            "INSERT INTO checked VALUES (-1, 'it''s'), (500, NULL)",
        ),
        ("table checked",),
    ),
    Case(
        "foreign keys with every action, to itself, composite, without a parent row",
        "FOREIGN KEY",
        (
            "CREATE TABLE parents (a INT, b INT, c VARCHAR(9), PRIMARY KEY (a, b), UNIQUE (c))",
            "CREATE TABLE children (id INT PRIMARY KEY, a INT, b INT, c VARCHAR(9), d INT,"
            " CONSTRAINT `fk``1` FOREIGN KEY (a, b) REFERENCES parents (a, b) ON DELETE CASCADE ON"
            " UPDATE SET NULL, FOREIGN KEY (c) REFERENCES parents (c) ON DELETE RESTRICT ON UPDATE"
            " NO ACTION, CONSTRAINT self FOREIGN KEY (d) REFERENCES children (id))",
            "SET foreign_key_checks = 0",
            "INSERT INTO parents VALUES (1, 1, 'x')",
            "INSERT INTO children VALUES (1, 1, 1, 'x', 2), (2, 9, 9, 'none', 1), (3, NULL, 1,"
            " NULL, 3)",
        ),
        ("table parents", "table children"),
    ),
    Case(
        "a ring of foreign keys",
        "FOREIGN KEY in a ring",
        (
            "SET foreign_key_checks = 0",
            "CREATE TABLE ring_a (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES ring_b"
            " (id))",
            "CREATE TABLE ring_b (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES ring_c"
            " (id))",
            "CREATE TABLE ring_c (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES ring_a"
            " (id))",
            "INSERT INTO ring_a VALUES (1, 2), (2, 77)",
            "INSERT INTO ring_b VALUES (2, 1)",
        ),
        ("table ring_a", "table ring_b", "table ring_c"),
    ),
    Case(
        "a foreign key to a table that is not there",
        "FOREIGN KEY to nothing",
        (
            "SET foreign_key_checks = 0",
            "CREATE TABLE orphan (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES missing"
            " (id))",
            "INSERT INTO orphan VALUES (1, 1)",
        ),
        ("table orphan",),
        Kept(at_restore=r"constraints\.orphan refers to constraints\.missing by a foreign key"),
    ),
    Case(
        "a foreign key to another database",
        "FOREIGN KEY to another database",
        (
            "SET foreign_key_checks = 0",
            "CREATE TABLE abroad (id INT PRIMARY KEY, o BIGINT UNSIGNED, FOREIGN KEY (o) REFERENCES"
            " `keys`.big_key (id))",
            "INSERT INTO abroad VALUES (1, NULL)",
        ),
        ("table abroad",),
    ),
    Case(
        "a foreign key to a column that is not unique",
        "FOREIGN KEY to a key that is not unique",
        (
            "CREATE TABLE many_parents (a INT, KEY (a))",
            "INSERT INTO many_parents VALUES (1), (1)",
            "CREATE TABLE many_children (a INT, FOREIGN KEY (a) REFERENCES many_parents (a))",
            "INSERT INTO many_children VALUES (1)",
        ),
        ("table many_parents", "table many_children"),
    ),
)
