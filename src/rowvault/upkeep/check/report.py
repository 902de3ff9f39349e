"""What a check has found."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from rowvault.core.errors import (
    CorruptError,
    MissingError,
    ObjectMissingError,
    TruncatedError,
    UnsupportedFormatError,
)
from rowvault.repository.features import Feature


class DamageKind(enum.StrEnum):
    """How something differs from what was stored. The values are part of `check --json`."""

    CORRUPT = "corrupt"
    TRUNCATED = "truncated"
    MISSING = "missing"
    UNSUPPORTED = "unsupported"
    UNREADABLE = "unreadable"

    @classmethod
    def of(cls, error: Exception) -> DamageKind:
        """The kind of an error."""
        kinds: dict[type[Exception], DamageKind] = {
            CorruptError: cls.CORRUPT,
            TruncatedError: cls.TRUNCATED,
            MissingError: cls.MISSING,
            ObjectMissingError: cls.MISSING,
            UnsupportedFormatError: cls.UNSUPPORTED,
        }
        return kinds.get(type(error), cls.UNREADABLE)


@dataclass(frozen=True, slots=True)
class CheckError:
    """One piece of damage: of an object, or what it means for a table."""

    kind: DamageKind
    message: str
    object: str
    """The stored object; for what cannot be read because of it, `database.table` or `manifest`."""
    snapshots: tuple[str, ...] = ()
    """Ids of the snapshots that cannot be restored whole; empty where no table is named."""


@dataclass(slots=True)
class CheckReport:
    """All damage, and how much was looked at."""

    errors: list[CheckError] = field(default_factory=list)
    packs: int = 0
    unlisted_packs: int = 0
    """Packs among them that no index segment lists yet: of runs at work, or that were killed."""
    condemned_packs: int = 0
    """Packs that a prune is about to remove."""
    packs_read: int = 0
    """Packs of which every byte was read."""
    blocks: int = 0
    """Frames of all packs."""
    ambiguous_blocks: int = 0
    """Blocks that this version reads, but an earlier one perhaps not: a base stands in several
    arrangements, or in another one than a delta was made of. A repair stores them anew."""
    bytes_read: int = 0
    """Of packs; the small objects are not counted."""
    missing_features: tuple[Feature, ...] = ()
    """What this version knows and the repository lacks: no damage."""
    accepted: int | None = None
    """How many listed snapshots were put on record as they are; None: nobody asked for it."""
    foreign: list[str] = field(default_factory=list)
    """What lies among the objects and cannot be one: no damage, and left alone."""

    def add(self, error: Exception, object_name: str) -> None:
        """Notes damage of one stored object."""
        self.errors.append(CheckError(DamageKind.of(error), str(error), object_name))
