"""The demo's comparison notices what a demo must notice."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rowvault.commands.demo_shop import (
    CHANGES,
    change_shop,
    copy_shop,
    first_difference,
    make_shop,
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    assert make_shop(path) == 50_000
    return path


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE products SET price = price + 0.000001 WHERE id = 500",
        "UPDATE products SET name = CAST(name AS BLOB) WHERE id = 500",
        "DELETE FROM events WHERE id = 30000",
        "UPDATE customers SET city = '' WHERE city IS NULL",
        "DROP INDEX orders_by_customer",
    ],
)
def test_one_altered_value(shop: Path, tmp_path: Path, change: str) -> None:
    other = tmp_path / "other.db"
    copy_shop(shop, other)
    assert first_difference(shop, other) is None
    with closing(sqlite3.connect(other)) as database:
        database.execute(change)
        database.commit()
    assert first_difference(shop, other) is not None


def test_a_day_changes_what_it_says(shop: Path, tmp_path: Path) -> None:
    after = tmp_path / "after.db"
    copy_shop(shop, after)
    change_shop(after)
    for table, change in CHANGES.items():
        pre_data, after_rows = (_rows(path, table) for path in (shop, after))
        both = pre_data.keys() & after_rows.keys()
        assert len(after_rows.keys() - both) == change.added
        assert len(pre_data.keys() - both) == change.removed
        assert sum(pre_data[key] != after_rows[key] for key in both) == change.changed


def _rows(path: Path, table: str) -> dict[int, tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return {row[0]: row for row in database.execute(f"SELECT * FROM {table}")}
