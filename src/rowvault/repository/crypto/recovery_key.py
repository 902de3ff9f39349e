"""Recovery keys: passwords that a machine makes, a person prints, and a typo cannot alter unseen.

`RVK1-` and 32 characters in groups of four, in the alphabet of Crockford's Base32: 128 random bits
and 32 bits of BLAKE3 over them. Case, spaces and hyphens do not matter; O reads as 0, I and L as 1.
"""

from __future__ import annotations

import os
import re

from blake3 import blake3

_PREFIX = "RVK1"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BYTES = 16
_CHECK_BYTES = 4
_CHARACTERS = (_RANDOM_BYTES + _CHECK_BYTES) * 8 // 5
_GROUP = 4
_ALIKE = str.maketrans("OIL", "011")
_SEPARATORS = re.compile(r"[\s-]+")
_CONTEXT = "rowvault format 1: recovery key check"


def make_recovery_key() -> str:
    """A fresh one, in the form in which it is printed and used as a password."""
    random = os.urandom(_RANDOM_BYTES)
    return _spell(random + _check(random))


def looks_like_recovery_key(password: bytes) -> bool:
    """Whether somebody means a recovery key, be it right or not."""
    return _compact(password).startswith(_PREFIX)


def read_recovery_key(password: bytes) -> str | None:
    """The key in its printed form, however it was typed; None where it is none, or has a typo."""
    text = _compact(password)
    if not text.startswith(_PREFIX):
        return None
    text = text.removeprefix(_PREFIX).translate(_ALIKE)
    if len(text) != _CHARACTERS or set(text) - set(_ALPHABET):
        return None
    number = 0
    for character in text:
        number = number * 32 + _ALPHABET.index(character)
    data = number.to_bytes(_RANDOM_BYTES + _CHECK_BYTES, "big")
    if _check(data[:_RANDOM_BYTES]) != data[_RANDOM_BYTES:]:
        return None
    return _spell(data)


def _compact(password: bytes) -> str:
    try:
        return _SEPARATORS.sub("", password.decode("ascii")).upper()
    except UnicodeDecodeError:
        return ""


def _check(random: bytes) -> bytes:
    return blake3(random, derive_key_context=_CONTEXT).digest(length=_CHECK_BYTES)


def _spell(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    characters = [_ALPHABET[number >> 5 * place & 31] for place in range(_CHARACTERS - 1, -1, -1)]
    groups = ["".join(characters[at : at + _GROUP]) for at in range(0, _CHARACTERS, _GROUP)]
    return "-".join((_PREFIX, *groups))
