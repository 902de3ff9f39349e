"""Random column types, and values for them as SQL literals; a seed gives the same ones again."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Literal = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of column, and how a random value of it is written."""

    type: str
    literal: Literal
    key_part: str = "{}"
    """The column as a part of a key; empty: it can be none."""
    prefix_key: bool = False
    """The key holds only the beginning of the value, so it does not tell rows apart for sure."""

    @property
    def is_indexable(self) -> bool:
        """Whether an index may hold the whole column."""
        return self.key_part == "{}" and self.type not in ("JSON", "MEDIUMBLOB", "TEXT", "POINT")


LATIN = ["a", "A", "b", "Z", "ä", "Ä", "ß", "é", "0", "-", " ", "\t", "\x01", "\n", "_", "~"]
WIDE = [*LATIN, "日", "本", "ﬀ", "ñ", "😀", "İ", "\u00ad", "\x1f"]

_LATIN_COLLATIONS = ["latin1_swedish_ci", "latin1_bin", "latin1_german2_ci"]
_WIDE_COLLATIONS = [
    "utf8mb4_general_ci", "utf8mb4_bin", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci",
    "utf16_general_ci", "utf32_bin",
]  # fmt: skip
_VENDOR_COLLATIONS = {
    "mariadb": [
        "utf8mb4_nopad_bin", "utf8mb4_general_nopad_ci", "utf8mb4_unicode_520_nopad_ci",
        "utf8mb4_uca1400_ai_ci", "utf8mb4_uca1400_nopad_as_cs",
    ],
    "mysql": [
        "utf8mb4_0900_ai_ci", "utf8mb4_0900_as_cs", "utf8mb4_0900_bin", "utf8mb4_ja_0900_as_cs",
    ],
}  # fmt: skip


def key_kinds(vendor: str, chance: random.Random) -> list[Kind]:
    """Types that a key may be of."""
    return [
        *_whole_numbers(),
        _decimal(chance),
        *_times(chance),
        *_texts(vendor, chance),
        Kind("BINARY(6)", lambda chance: _hex(chance, 6)),
        Kind("VARBINARY(12)", lambda chance: _hex(chance, 12)),
        Kind("ENUM('z','a','','m')", lambda chance: str(chance.randint(1, 4))),
        Kind("SET('z','a','m')", lambda chance: str(chance.randrange(8))),
        Kind("FLOAT", lambda chance: repr(chance.uniform(-9, 9))),
        Kind("DOUBLE", lambda chance: repr(chance.gauss(0, 1e9))),
        Kind("BIT(20)", lambda chance: str(chance.randrange(1 << 20))),
        *_vendor_kinds(vendor),
    ]


def other_kinds(vendor: str, chance: random.Random) -> list[Kind]:
    """Types of columns in no key."""
    return [
        *key_kinds(vendor, chance),
        Kind("JSON", lambda chance: f'\'{{"a": {chance.randrange(99)}, "b": [null, "x"]}}\''),
        Kind("MEDIUMBLOB", lambda chance: _hex(chance, 200)),
        Kind("TEXT", lambda chance: _text(chance, WIDE, 120)),
        Kind("POINT", lambda chance: f"POINT({chance.randint(-9, 9)}, {chance.randint(-9, 9)})"),
    ]


def _whole_numbers() -> list[Kind]:
    sizes = {"TINYINT": 7, "SMALLINT": 15, "MEDIUMINT": 23, "INT": 31, "BIGINT": 63}
    kinds = []
    for name, bits in sizes.items():
        kinds.append(Kind(name, _signed(bits)))
        kinds.append(Kind(f"{name} UNSIGNED", _unsigned(bits + 1)))
    return [*kinds, Kind("YEAR", lambda chance: str(chance.randint(1901, 2155)))]


def _signed(bits: int) -> Literal:
    """Few near the ends, many in the middle: ranges are as uneven as real ones."""

    def literal(chance: random.Random) -> str:
        if chance.random() < 0.05:
            return str(chance.choice([-(1 << bits), (1 << bits) - 1, -1, 0]))
        return str(int(chance.gauss(0, min(3000, 1 << (bits - 1)))))

    return literal


def _unsigned(bits: int) -> Literal:
    def literal(chance: random.Random) -> str:
        if chance.random() < 0.3:
            return str(chance.randrange(1 << bits))
        return str(chance.randrange(min(5000, 1 << bits)))

    return literal


def _decimal(chance: random.Random) -> Kind:
    scale = chance.choice([0, 2, 10])
    return Kind(f"DECIMAL(20,{scale})", lambda chance: f"{chance.gauss(0, 5000):.{scale}f}")


def _times(chance: random.Random) -> list[Kind]:
    digits = chance.choice([0, 1, 3, 6])
    places = f"({digits})" if digits else ""

    def seconds(chance: random.Random) -> str:
        fraction = f".{chance.randrange(10**digits):0{digits}d}" if digits else ""
        return f"{chance.randrange(60):02d}{fraction}"

    def clock(chance: random.Random) -> str:
        return f"{chance.randrange(24):02d}:{chance.randrange(60):02d}:{seconds(chance)}"

    def span(chance: random.Random) -> str:
        sign, hours = chance.choice(["", "-"]), chance.choice([0, 30, 300, 838])
        return f"{sign}{hours}:00:{seconds(chance)}"

    def day(chance: random.Random) -> str:
        return (
            f"{chance.randint(1971, 2037)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        )

    return [
        Kind("DATE", lambda chance: f"'{chance.choice([day(chance), '0000-00-00'])}'"),
        Kind(f"DATETIME{places}", lambda chance: f"'{day(chance)} {clock(chance)}'"),
        Kind(f"TIMESTAMP{places} NULL", lambda chance: f"'{day(chance)} {clock(chance)}'", ""),
        Kind(f"TIME{places}", lambda chance: f"'{span(chance)}'"),
    ]


def _texts(vendor: str, chance: random.Random) -> list[Kind]:
    kinds = []
    names = [*_LATIN_COLLATIONS, *_WIDE_COLLATIONS, *_VENDOR_COLLATIONS[vendor]]
    for name in chance.sample(names, 5):
        alphabet = WIDE if name[:3] == "utf" else LATIN
        charset = f"CHARACTER SET {name.split('_', maxsplit=1)[0]} COLLATE {name}"
        kinds += [
            Kind(f"CHAR(10) {charset}", _word(alphabet, 10)),
            Kind(f"VARCHAR(20) {charset}", _word(alphabet, 20)),
            Kind(f"TEXT {charset}", _word(alphabet, 30), "{}(8)", prefix_key=True),
        ]
    return kinds


def _word(alphabet: Sequence[str], most: int) -> Literal:
    return lambda chance: _text(chance, alphabet, most)


def _text(chance: random.Random, alphabet: Sequence[str], most: int) -> str:
    """Short ones are frequent, so that keys share beginnings and differ only in what pads."""
    length = chance.choice([0, 1, 2, chance.randint(0, most), most])
    letters = "".join(chance.choices(alphabet, k=length))
    return f"_utf8mb4 X'{letters.encode().hex()}'" if letters else "''"


def _hex(chance: random.Random, most: int) -> str:
    value = bytes(chance.choice([0, 9, 32, 65, 255]) for _ in range(chance.randint(0, most)))
    return f"X'{value.hex()}'"


def _vendor_kinds(vendor: str) -> list[Kind]:
    if vendor != "mariadb":
        return []

    def uuid(chance: random.Random) -> str:
        digits = f"{chance.getrandbits(128):032x}"
        return f"'{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}'"

    return [
        Kind("UUID", uuid),
        Kind("INET6", lambda chance: f"'2001:db8::{chance.randrange(1 << 16):x}'"),
    ]
