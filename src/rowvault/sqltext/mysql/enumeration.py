"""ENUM and SET columns, as the server writes their types: `enum('a','it''s')`."""

from __future__ import annotations

import functools
import re
import unicodedata

from rowvault.core.model import Column

_MEMBER = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)
_LETTERS = {"0": "\0", "n": "\n", "r": "\r"}
_ONE_LETTER = str.maketrans({"v": "u", "w": "u", "j": "i", "y": "i"})
"""What some language takes for one letter: Swedish, Latin, Lithuanian."""
_ALPHABETS = (("\u03b1", "\u03c9"), ("\u0430", "\u044f"))
"""Greek and Cyrillic: without case and accents every collation tells their letters apart."""


def is_enum(column: Column) -> bool:
    """Each value is one member, or the error value, index 0, which reads as ''."""
    return _listing(column.type) == "enum("


def is_set(column: Column) -> bool:
    """Each value is any number of members; none of them reads as ''."""
    return _listing(column.type) == "set("


@functools.lru_cache(4096)
def _listing(type_: str) -> str:
    """`enum(` or `set(`; nothing for other types. Databases have few types and many columns."""
    lowered = type_[:5].lower()
    return next((word for word in ("enum(", "set(") if lowered.startswith(word)), "")


def value_count(column: Column) -> int:
    """How many numbers, from nought on, an ENUM or SET can hold; nought for other types."""
    if is_enum(column):
        return 1 + len(_MEMBER.findall(column.type))
    return 1 << len(_MEMBER.findall(column.type)) if is_set(column) else 0


def members_of(type_: str) -> list[str]:
    """The members of a type such as `enum('a','it''s')`, in order; of any other type: none."""
    return [_ESCAPED.sub(_plain, quoted[1:-1]) for quoted in _MEMBER.findall(type_)]


def is_ambiguous(column: Column) -> bool:
    """The text of a value may not tell its number.

    A member is '', as an ENUM's index 0 and an empty SET read; or two members may be equal under
    some collation, and the server would find the first of them for the text of the second; or a
    member reads `?`, as the server's catalogue writes any character beyond utf8mb3.
    """
    if not (is_enum(column) or is_set(column)):
        return False
    members = [member[1:-1] for member in _MEMBER.findall(column.type)]
    folded = {_folded(member) for member in members}
    return "" in members or None in folded or len(folded) < len(members)


def _plain(match: re.Match[str]) -> str:
    return _LETTERS.get(match[1], match[1]) if match[1] else "'"


def _folded(member: str) -> str | None:
    """Equal for texts that any collation takes for equal; None where that cannot be told."""
    parts = unicodedata.normalize("NFKD", member)
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    folded = bare.casefold().rstrip(" ").translate(_ONE_LETTER)
    return folded if folded and all(_is_told_apart(part) for part in folded) else None


def _is_told_apart(character: str) -> bool:
    return (" " <= character <= "~" and character != "?") or (
        any(low <= character <= high for low, high in _ALPHABETS) and character.isalpha()
    )
