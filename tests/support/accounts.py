"""Accounts with few rights."""

from __future__ import annotations

from support.server import DatabaseServer


def make_account(server: DatabaseServer, name: str, *grants: str) -> str:
    """A fresh account with these grants (`SELECT ON d.*`); the URL under which it comes."""
    who = f"{name}@'%'"
    server.execute(
        f"DROP USER IF EXISTS {who}",
        f"CREATE USER {who} IDENTIFIED BY 'p'",
        *(f"GRANT {grant} TO {who}" for grant in grants),
    )
    return f"mysql://{name}:p@127.0.0.1:{server.port}/"
