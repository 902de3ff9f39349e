"""Random tables: their definitions, their rows, and what happens to both."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from histories.columns import Kind, key_kinds, other_kinds

_BATCH = 250
_BUCKETS = 40


@dataclass(slots=True)
class Table:
    """A table as it was made; `database` and `name` follow a RENAME."""

    database: str
    name: str
    columns: list[tuple[str, Kind]]
    key: list[str]
    """The columns of its primary or unique key; empty: it has none."""
    options: str = ""
    indexes: list[str] = field(default_factory=list)
    """Definitions of keys, the first one of `key`."""
    added: int = 0
    """Columns that ALTER TABLE added."""

    @property
    def place(self) -> str:
        """The quoted name."""
        return f"`{self.database}`.`{self.name}`"

    def create(self) -> str:
        """The statement that makes it."""
        parts = [f"`{name}` {kind.type}{self._null(name)}" for name, kind in self.columns]
        return f"CREATE TABLE {self.place} ({', '.join([*parts, *self.indexes])}) {self.options}"

    def inserts(self, chance: random.Random, count: int) -> Iterator[str]:
        """Statements that add rows; those whose key is taken are left out by the server."""
        names = ", ".join(f"`{name}`" for name, _ in self.columns)
        for start in range(0, count, _BATCH):
            rows = ", ".join(self._row(chance) for _ in range(min(_BATCH, count - start)))
            yield f"INSERT IGNORE INTO {self.place} ({names}) VALUES {rows}"

    def update(self, chance: random.Random) -> str:
        """Changes one column of some scattered rows."""
        name, kind = chance.choice(self.columns)
        return (
            f"UPDATE IGNORE {self.place} SET `{name}` = {kind.literal(chance)} "
            f"WHERE {self._some(chance)}"
        )

    def delete(self, chance: random.Random) -> str:
        """Removes some scattered rows."""
        return f"DELETE FROM {self.place} WHERE {self._some(chance)}"

    def add_column(self) -> str:
        """A column more, with a value in every row."""
        self.added += 1
        return f"ALTER TABLE {self.place} ADD COLUMN `more{self.added}` INT NOT NULL DEFAULT 7"

    def rename(self, chance: random.Random) -> str:
        """Another name in its database."""
        old = self.place
        self.name = f"t{chance.getrandbits(40):x}"
        return f"RENAME TABLE {old} TO {self.place}"

    def _null(self, name: str) -> str:
        return " NOT NULL" if name in self.key else ""

    def _row(self, chance: random.Random) -> str:
        values = [
            kind.literal(chance) if name in self.key or chance.random() < 0.9 else "NULL"
            for name, kind in self.columns
        ]
        return f"({', '.join(values)})"

    def _some(self, chance: random.Random) -> str:
        """Rows by a hash of a column: scattered, and the same ones each time."""
        names = self.key or [name for name, _ in self.columns[:1]]
        text = ", ".join(f"HEX(`{name}`)" for name in names)
        return f"CRC32(CONCAT_WS(',', {text})) % {_BUCKETS} = {chance.randrange(_BUCKETS)}"


def random_table(vendor: str, chance: random.Random, database: str) -> Table:
    """A table with any kind of key, or none."""
    wanted = chance.choice([0, 1, 1, 2, 2, 3])
    usable = [kind for kind in key_kinds(vendor, chance) if kind.key_part]
    keyed = [(f"k{number}", chance.choice(usable)) for number in range(wanted)]
    others = [
        (f"c{number}", chance.choice(other_kinds(vendor, chance)))
        for number in range(chance.randint(1, 5))
    ]
    columns = [*keyed, *others]
    chance.shuffle(columns)
    table = Table(database, f"t{chance.getrandbits(40):x}", columns, [name for name, _ in keyed])
    if keyed:
        table.indexes.append(_key(chance, keyed))
    plain = [name for name, kind in others if kind.is_indexable]
    if plain and chance.random() < 0.5:
        table.indexes.append(f"KEY `by_{plain[0]}` (`{plain[0]}`)")
    table.options = _options(vendor, chance, columns, keyed)
    return table


def _key(chance: random.Random, keyed: list[tuple[str, Kind]]) -> str:
    parts = [
        kind.key_part.format(f"`{name}`") + chance.choice(["", "", " DESC"]) for name, kind in keyed
    ]
    word = chance.choice(["PRIMARY KEY", "PRIMARY KEY", "UNIQUE KEY `u`"])
    return f"{word} ({', '.join(parts)})"


def _options(
    vendor: str,
    chance: random.Random,
    columns: list[tuple[str, Kind]],
    keyed: list[tuple[str, Kind]],
) -> str:
    engine = chance.choices(["InnoDB", "MyISAM", "Aria"], [12, 1, 1])[0]
    has_places = any(kind.type == "POINT" for _, kind in columns)
    # MySQL's MyISAM takes no descending keys, and has no Aria; Aria takes no places.
    if vendor == "mysql" or (engine == "Aria" and has_places):
        engine = "InnoDB"
    words = [f"ENGINE={engine}"]
    if engine == "InnoDB" and chance.random() < 0.2:
        words.append(f"ROW_FORMAT={chance.choice(['COMPACT', 'DYNAMIC', 'REDUNDANT'])}")
    whole = [name for name, kind in keyed if "INT" in kind.type]
    has_prefix = any(kind.prefix_key for _, kind in keyed)
    divisible = whole and not has_prefix and not has_places
    if engine == "InnoDB" and divisible and chance.random() < 0.4:
        way = chance.choice([f"HASH (`{whole[0]}`)", f"KEY (`{whole[0]}`)"])
        words.append(f"PARTITION BY {way} PARTITIONS {chance.randint(2, 5)}")
    return " ".join(words)


def twins(chance: random.Random, database: str) -> tuple[list[str], list[str]]:
    """Statements that make, and that change, two tables whose rows are the same bytes.

    One has two columns, the other four and half as many rows.
    """
    count = chance.randint(100, 500) * 2
    words = [f"{chance.getrandbits(64):016x}" for _ in range(2 * count)]
    narrow = ", ".join(f"('{words[at]}', '{words[at + 1]}')" for at in range(0, 2 * count, 2))
    wide = ", ".join("('" + "', '".join(words[at : at + 4]) + "')" for at in range(0, 2 * count, 4))
    made = [
        f"CREATE TABLE `{database}`.narrow (a CHAR(16), b CHAR(16))",
        f"CREATE TABLE `{database}`.wide (a CHAR(16), b CHAR(16), c CHAR(16), d CHAR(16))",
        f"INSERT INTO `{database}`.narrow VALUES {narrow}",
        f"INSERT INTO `{database}`.wide VALUES {wide}",
    ]
    changes = [
        f"UPDATE `{database}`.narrow SET a = REVERSE(a) LIMIT 3",
        f"UPDATE `{database}`.wide SET a = REVERSE(a) LIMIT 3",
    ]
    return made, changes
