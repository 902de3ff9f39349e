"""Where tables lie, and what databases have beside tables and programs."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "a table in the system tablespace, one that names its own file",
        "TABLESPACE of the server's own",
        (
            "CREATE TABLE in_system (id INT PRIMARY KEY) TABLESPACE innodb_system",
            "INSERT INTO in_system VALUES (1)",
            "CREATE TABLE in_file (id INT PRIMARY KEY) TABLESPACE innodb_file_per_table",
        ),
        ("table in_system", "table in_file"),
    ),
    Case(
        "JSON duality view",
        "JSON duality view",
        (
            "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9))",
            "INSERT INTO people VALUES (1, 'é')",
            "CREATE JSON DUALITY VIEW person AS SELECT JSON_DUALITY_OBJECT(WITH (INSERT, UPDATE)"
            " '_id': id, 'name': name) FROM people",
        ),
        ("table people", "view person"),
    ),
)
