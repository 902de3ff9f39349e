"""Damage in the middle of what replaces a table: the old table stays, on whichever way.

The damage is where the first rows of the table do not come past it: whoever finds it while rows are
loaded has read and loaded others before.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rowvault.codec.frames import BlockType
from rowvault.core.ids import BlockId
from rowvault.repository import names
from rowvault.repository.repository import Repository
from rowvault.repository.trees.node import LeafEntry
from rowvault.repository.trees.tree import TreeReader
from rowvault.storage.location import open_storage
from support import comparer
from support.comparer import Fingerprint
from support.rowvault import run, run_json
from support.server import DatabaseServer, drop_databases
from support.small_vault import create_small

ROWS = 3000
MAKE = [
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE customer (id INT PRIMARY KEY, boss INT, KEY boss (boss),"
    " CONSTRAINT bosses FOREIGN KEY (boss) REFERENCES customer (id))",
    "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, customer INT, note VARCHAR(200),"
    " KEY customer (customer), CHECK (customer > 0),"
    " CONSTRAINT whose FOREIGN KEY (customer) REFERENCES customer (id))",
    "INSERT INTO customer VALUES (1, 1), (2, 1)",
]
BEHIND = [
    "CREATE TRIGGER shop.g BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.note = 'x'",
    "CREATE VIEW shop.seen AS SELECT id FROM shop.orders",
]
CHANGE = [
    "DELETE FROM shop.orders WHERE id % 7 = 0",
    "INSERT INTO shop.customer VALUES (3, 1)",
    "UPDATE shop.orders SET customer = 3 WHERE id % 5 = 0",
]
OUTSIDE = [
    "CREATE DATABASE other",
    "CREATE TABLE other.parcel (id INT PRIMARY KEY, orders INT,"
    " CONSTRAINT sent FOREIGN KEY (orders) REFERENCES shop.orders (id))",
    "INSERT INTO other.parcel VALUES (1, 1), (2, 2)",
]


class Vault:
    """A repository on this disk, and where in it a table's blocks and nodes are."""

    def __init__(self, place: Path, table: tuple[str, str]) -> None:
        self.place = place
        self._table = table

    @property
    def words(self) -> tuple[str, str]:
        return "-r", str(self.place)

    def lose_pack(self) -> None:
        """One of several packs of rows, that of a late block."""
        with self._open() as repository:
            path, _ = self._found(repository, self._late_block(repository).id)
        assert sum(one.is_file() for one in (self.place / "packs" / "data").rglob("*")) > 3
        path.unlink()

    def flip_in_rows(self) -> None:
        """A byte of a late block."""
        with self._open() as repository:
            self._flip(*self._found(repository, self._late_block(repository).id))

    def flip_in_node(self) -> None:
        """A byte of the last node above rows."""
        with self._open() as repository:
            tree = self._tree(repository)
            entry = tree.root_entry
            while not isinstance(below := tree.children(entry)[-1], LeafEntry):
                entry = below
            self._flip(*self._found(repository, entry.id))

    def _open(self) -> Repository:
        return Repository.open(open_storage(str(self.place)), bytes)

    def _tree(self, repository: Repository) -> TreeReader:
        (snapshot,) = repository.snapshots()
        record = repository.manifest(snapshot).table(*self._table)
        assert record is not None
        assert record.root.sums.rows == ROWS
        return repository.tree(record.root)

    def _late_block(self, repository: Repository) -> LeafEntry:
        return list(self._tree(repository).entries())[-9]

    def _found(self, repository: Repository, block: BlockId) -> tuple[Path, int]:
        """The pack's file, and a byte in the middle of the frame."""
        (place,) = [
            one for kind in BlockType for one in repository.internals.index.find(kind, block)
        ]
        path = self.place / names.pack(place.pack_type, place.pack)
        return path, place.offset + place.frame_bytes * 3 // 4

    def _flip(self, path: Path, at: int) -> None:
        data = bytearray(path.read_bytes())
        data[at] ^= 0x10
        path.write_bytes(data)


DAMAGE: dict[str, Callable[[Vault], None]] = {
    "a missing pack": Vault.lose_pack,
    "a byte of rows": Vault.flip_in_rows,
    "a byte of a node": Vault.flip_in_node,
}
WAYS = {
    "exchanged": ((), []),
    "dropped first": (("--drop-first",), []),
    "referred to from outside": (("-d", "shop"), OUTSIDE),
}
all_damage = pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)


@pytest.fixture(scope="module")
def saved() -> dict[str, Path]:
    """Vendor -> the repository that was made when a test first asked for it."""
    return {}


@pytest.fixture
def target(
    server: DatabaseServer, saved: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DatabaseServer]:
    """A server that holds what is in the repository, changed since."""
    fill = (
        "INSERT INTO shop.orders (customer, note) SELECT 1 + seq % 2, SHA2(seq, 256)"
        f" FROM {server.sequence(ROWS)}"
    )
    server.execute(*MAKE, fill, *BEHIND)
    if server.vendor not in saved:
        place = tmp_path_factory.mktemp("saved") / "vault"
        create_small(place).close()
        run_json("-r", place, "backup", server.socket_url, "-d", "shop")
        saved[server.vendor] = place
    server.execute(*CHANGE)
    yield server
    drop_databases(server)


@pytest.fixture
def vault(target: DatabaseServer, saved: dict[str, Path], tmp_path: Path) -> Vault:
    """A copy of one's own."""
    place = shutil.copytree(saved[target.vendor], tmp_path / "vault")
    return Vault(place, ("shop", "orders"))


def marks(server: DatabaseServer) -> Fingerprint:
    """Of everything, so that nothing may be left beside either."""
    return comparer.fingerprint(server, ["shop", "other"])


@pytest.mark.mariadb
@pytest.mark.parametrize("way", WAYS)
@all_damage
def test_a_damaged_snapshot_leaves_the_old_tables(
    damage: Callable[[Vault], None], way: str, target: DatabaseServer, vault: Vault
) -> None:
    options, statements = WAYS[way]
    target.execute(*(statements or ["CREATE DATABASE other"]))
    before = marks(target)
    damage(vault)
    done = run(*vault.words, "restore", "latest", target.socket_url, "--replace", *options)
    assert done.returncode == 20, done.stderr
    assert comparer.differences(before, marks(target)) == []


@all_damage
def test_a_damaged_snapshot_leaves_the_file(
    damage: Callable[[Vault], None], tmp_path: Path
) -> None:
    file = tmp_path / "shop.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)")
        connection.executemany(
            "INSERT INTO orders (note) VALUES (?)",
            [(f"{one * 7919 % 10007:080d}",) for one in range(ROWS)],
        )
    vault = Vault(tmp_path / "vault", ("main", "orders"))
    create_small(vault.place).close()
    run_json(*vault.words, "backup", f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM orders WHERE id % 2")
    before = file.read_bytes()
    damage(vault)
    done = run(*vault.words, "restore", "latest", f"sqlite:///{file}", "--replace")
    assert done.returncode == 20, done.stderr
    assert file.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["shop.db", "vault"]
