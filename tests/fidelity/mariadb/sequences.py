"""Sequences, and tables whose defaults call them."""

from __future__ import annotations

from fidelity.case import Case

CASES = (
    Case(
        "sequences before their first value, after some, at their end, with all options",
        "SEQUENCE",
        (
            "CREATE SEQUENCE fresh",
            "CREATE SEQUENCE used START WITH 5 INCREMENT BY 3 CACHE 10",
            "DO NEXTVAL(used), NEXTVAL(used)",
            "CREATE SEQUENCE backwards START WITH 10 INCREMENT BY -1 MINVALUE -5 MAXVALUE 10 CYCLE",
            "DO NEXTVAL(backwards)",
            "CREATE SEQUENCE uncached NOCACHE NOCYCLE MAXVALUE 9223372036854775806",
            "DO SETVAL(uncached, 9223372036854775805)",
            "CREATE SEQUENCE ended MAXVALUE 2 NOCACHE",
            "DO NEXTVAL(ended), NEXTVAL(ended)",
            "CREATE SEQUENCE rounds MAXVALUE 3 CYCLE NOCACHE",
            "DO NEXTVAL(rounds), NEXTVAL(rounds), NEXTVAL(rounds), NEXTVAL(rounds)",
            "CREATE SEQUENCE set_back START 1",
            "DO SETVAL(set_back, 50, 0)",
            "CREATE SEQUENCE restarted START WITH 7",
            "DO NEXTVAL(restarted)",
            "ALTER SEQUENCE restarted RESTART 3",
            "CREATE SEQUENCE `odd ``name` COMMENT = 'it''s'",
        ),
        (
            "sequence fresh",
            "sequence used",
            "sequence backwards",
            "sequence uncached",
            "sequence ended",
            "sequence rounds",
            "sequence set_back",
            "sequence restarted",
            "sequence odd `name",
        ),
    ),
    Case(
        "sequences of other engines",
        "SEQUENCE",
        (
            "CREATE SEQUENCE myisam_sequence ENGINE = MyISAM",
            "CREATE SEQUENCE aria_sequence ENGINE = Aria",
            "DO NEXTVAL(aria_sequence)",
        ),
        ("sequence myisam_sequence", "sequence aria_sequence"),
    ),
    Case(
        "defaults that call a sequence, of the same and of another database",
        "DEFAULT NEXTVAL",
        (
            "CREATE SEQUENCE numbers_of_orders START WITH 100",
            "CREATE TABLE orders (id INT DEFAULT NEXTVAL(numbers_of_orders) PRIMARY KEY, n INT,"
            " m INT DEFAULT (NEXT VALUE FOR sequences.used))",
            "INSERT INTO orders (n) VALUES (1), (2)",
        ),
        ("sequence numbers_of_orders", "table orders"),
    ),
)
