"""Orders of tenants: a table under a composite textual key whose collation ignores case.

Most rows are of one tenant, which is written in several ways that the collation takes for equal.
"""

from __future__ import annotations

from support.server import DatabaseServer

BATCH = 10_000

TABLE = (
    "CREATE TABLE orders (tenant VARCHAR(30), code VARCHAR(40), number INT NOT NULL,"
    " PRIMARY KEY (tenant, code)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
)
VALUES = (
    "IF(n % 10 < 7, ELT(n % 3 + 1, 'Most', 'MOST', 'most'), CONCAT('Tenant-', n % 97)),"
    " CONCAT(IF(n % 2, 'Code-', 'cODE-'), LEFT(SHA2(n DIV 4, 256), 30), '-', n % 4), n"
)


def fill_tenants(server: DatabaseServer, database: str, rows: int) -> None:
    """Makes the table `orders` in a database that exists."""
    inserts = (
        f"INSERT INTO orders SELECT {VALUES} FROM"
        f" (SELECT seq + {first} AS n FROM {server.sequence(min(BATCH, rows - first))}) AS numbers"
        for first in range(0, rows, BATCH)
    )
    server.execute(f"USE {database}", TABLE, *inserts, "ANALYZE TABLE orders")
