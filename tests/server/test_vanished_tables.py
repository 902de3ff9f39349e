"""Tables that a server no longer shows, because a grant is gone or because they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.rowvault import run, succeed
from support.server import DatabaseServer

pytestmark = [pytest.mark.mysql, pytest.mark.mariadb]


@pytest.fixture
def shop(server: DatabaseServer, database: str) -> str:
    server.execute(
        f"USE {database}",
        "CREATE TABLE orders (id INT PRIMARY KEY)",
        "CREATE TABLE items (id INT PRIMARY KEY)",
        "CREATE TABLE customers (id INT PRIMARY KEY)",
        "CREATE VIEW busy AS SELECT 1 AS a",
        "INSERT INTO orders VALUES (1), (2)",
    )
    return database


@pytest.fixture
def account(server: DatabaseServer, shop: str) -> Iterator[str]:
    server.execute(
        "CREATE USER keeper IDENTIFIED BY 'secret'",
        "GRANT PROCESS, RELOAD, SHOW DATABASES ON *.* TO keeper",
    )
    yield f"mysql://keeper@127.0.0.1:{server.port}/"
    server.execute("DROP USER keeper")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    succeed("-r", tmp_path / "place", "init", "--no-encryption")
    return tmp_path / "place"


def take(place: Path, url: str, *options: str) -> tuple[int, dict[str, Any]]:
    done = run("-r", place, "--json", "backup", url, *options, env={"MYSQL_PWD": "secret"})
    return done.returncode, json.loads(done.stdout)


def grant(server: DatabaseServer, scope: str) -> None:
    rights = "SELECT, SHOW VIEW" if "*" not in scope else "SELECT, SHOW VIEW, TRIGGER, EVENT"
    server.execute(f"GRANT {rights} ON {scope} TO keeper")


def test_a_grant_that_is_gone_makes_a_snapshot_incomplete_and_stays_named(
    server: DatabaseServer, shop: str, account: str, place: Path
) -> None:
    tables = ("orders", "items", "customers", "busy")
    for table in tables:
        grant(server, f"{shop}.{table}")
    code, first = take(place, account, "-d", shop)
    assert first["tables"] == 3
    server.execute(f"REVOKE ALL ON {shop}.orders FROM keeper")
    server.execute(f"REVOKE ALL ON {shop}.busy FROM keeper")
    for _ in range(2):  # the second is no less incomplete, though its parent held no more
        code, found = take(place, account, "-d", shop)
        assert code == 3
        (told,) = [one for one in found["missing"] if f"{shop}.orders" in one]
        assert f"{shop}.busy" in told
        assert "items" not in told
        assert found["notices"] == []
    # Renamed, so that nothing but the right itself comes back.
    grant(server, f"{shop}.orders")
    server.execute(f"DROP VIEW {shop}.busy")
    grant(server, f"{shop}.*")
    code, found = take(place, account, "-d", shop)
    assert not any(f"{shop}.orders" in one for one in found["missing"])


def test_the_rights_on_the_server_do_not_hide_that_a_database_is_out_of_sight(
    server: DatabaseServer, shop: str, account: str, place: Path
) -> None:
    """The server still lists the database, for the account has SHOW DATABASES, but no table."""
    grant(server, f"{shop}.*")
    _, first = take(place, account, "-d", shop)
    assert first["tables"] == 3
    assert not any("tables of" in one for one in first["missing"])
    server.execute(f"REVOKE ALL ON {shop}.* FROM keeper")
    code, found = take(place, account, "-d", shop)
    assert (code, found["tables"]) == (3, 0)
    told = "\n".join(found["missing"])
    for table in ("orders", "items", "customers", "busy"):
        assert f"{shop}.{table}" in told
    assert f"SELECT, SHOW VIEW, TRIGGER ON `{shop}`.*" in told
    assert "no table at all" in found["notices"][0]


def test_dropped_tables_are_a_notice_alone(server: DatabaseServer, shop: str, place: Path) -> None:
    url = server.url
    assert take_all(place, url, shop)[1]["notices"] == []
    server.execute(f"DROP TABLE {shop}.orders")
    code, found = take_all(place, url, shop)
    assert (code, found["missing"]) == (0, [])
    assert f"{shop}.orders" in found["notices"][0]
    server.execute(f"DROP TABLE {shop}.items, {shop}.customers")
    code, found = take_all(place, url, shop)
    assert code == 0
    assert "no table at all" in found["notices"][0]


def test_what_is_excluded_is_not_missing(server: DatabaseServer, shop: str, place: Path) -> None:
    take_all(place, server.url, shop)
    code, found = take_all(place, server.url, shop, "--exclude", f"{shop}.o*")
    assert (code, found["missing"], found["notices"]) == (0, [], [])


def test_grants_are_kept_without_anything_secret(
    server: DatabaseServer, shop: str, account: str, place: Path
) -> None:
    grant(server, f"{shop}.*")
    take(place, account, "-d", shop)
    shown = succeed("-r", place, "--json", "show", "latest").decode()
    grants = json.loads(shown)["grants"]
    assert any(f"ON `{shop}`.*" in one and "SELECT" in one for one in grants)
    assert not any("IDENTIFIED" in one or "keeper" in one for one in grants)


def take_all(place: Path, url: str, shop: str, *options: str) -> tuple[int, dict[str, Any]]:
    done = run("-r", place, "--json", "backup", url, "-d", shop, *options)
    return done.returncode, json.loads(done.stdout)


def test_a_right_that_came_by_a_role_counts_as_well(
    server: DatabaseServer, shop: str, account: str, place: Path
) -> None:
    server.execute("CREATE ROLE readers", f"GRANT SELECT ON {shop}.* TO readers")
    try:
        server.execute("GRANT readers TO keeper")
        default = "SET DEFAULT ROLE readers FOR keeper"
        server.execute(default if server.vendor == "mariadb" else default.replace("FOR", "TO"))
        server.execute(f"DROP VIEW {shop}.busy", f"GRANT SELECT ON {shop}.orders TO keeper")
        _, first = take(place, account, "-d", shop)
        assert first["tables"] == 3
        server.execute(f"DROP TABLE {shop}.customers")
        _, found = take(place, account, "-d", shop)
        assert f"{shop}.customers" in found["notices"][0]
        server.execute("REVOKE readers FROM keeper")
        code, found = take(place, account, "-d", shop)
    finally:
        server.execute("DROP ROLE readers")
    assert (code, found["tables"]) == (3, 1)
    (told,) = [one for one in found["missing"] if f"{shop}.items" in one]
    assert "customers" not in told


@pytest.mark.parametrize("vendor", ["mysql"], indirect=True)
def test_what_mysql_revokes_in_one_database_alone_is_revoked(
    server: DatabaseServer, shop: str, place: Path
) -> None:
    url = f"mysql://keeper@127.0.0.1:{server.port}/"
    server.execute("SET GLOBAL partial_revokes = ON", "CREATE USER keeper IDENTIFIED BY 'secret'")
    try:
        server.execute("GRANT SELECT, RELOAD, SHOW DATABASES ON *.* TO keeper")
        _, first = take(place, url, "--exclude", "nothing.*")
        assert not any(shop in one and "tables" in one for one in first["missing"])
        server.execute(f"REVOKE SELECT ON {shop}.* FROM keeper")
        code, found = take(place, url, "--exclude", "nothing.*")
    finally:
        server.execute("DROP USER keeper", "SET GLOBAL partial_revokes = OFF")
    assert code == 3
    assert any(f"{shop}.orders" in one for one in found["missing"])
