"""Damage to one object of a repository, which is mended later."""

from __future__ import annotations

import os
import random
from pathlib import Path

_GROUPS = ("packs", "index", "snapshots", "tags", "trash", "gc", "ledger", "sessions")


class Damage:
    """An object that was removed, cut off or has a flipped bit."""

    def __init__(self, path: Path, how: str, whole: bytes, bad: bytes | None) -> None:
        self.path = path
        self.how = how
        self._whole = whole
        self._bad = bad

    def __str__(self) -> str:
        return f"{self.path.parent.name}/{self.path.name[:12]} {self.how}"

    @property
    def is_index_segment(self) -> bool:
        """A prune makes those anew from the packs."""
        return self.path.parent.name == "index"

    def mend(self) -> None:
        """Puts the whole object back, unless a command has put another one in its place."""
        found = self.path.read_bytes() if self.path.exists() else None
        if found is None or found == self._bad:
            _write(self.path, self._whole)


def damage_one(repository: Path, chance: random.Random) -> Damage | None:
    """Damages a random object; None where there is none."""
    group = repository / chance.choice(_GROUPS)
    paths = sorted(path for path in group.rglob("*") if path.is_file()) if group.exists() else []
    if not paths:
        return None
    path = chance.choice(paths)
    whole = path.read_bytes()
    how = chance.choice(["removed", "cut off", "flipped"])
    bad = _damaged(whole, how, chance)
    if bad is None:
        path.unlink()
    else:
        _write(path, bad)
    return Damage(path, how, whole, bad)


def _damaged(whole: bytes, how: str, chance: random.Random) -> bytes | None:
    if how == "removed" or not whole:
        return None
    at = chance.randrange(len(whole))
    if how == "cut off":
        return whole[:at]
    return whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :]


def _write(path: Path, data: bytes) -> None:
    """Beside and renamed, as everything in a repository is: objects may be read-only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(data)
    os.replace(beside, path)
