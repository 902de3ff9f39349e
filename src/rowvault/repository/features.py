"""Features of the stored format: what a repository may hold that older programs do not know.

A new repository has all of them; an older one gets those that it lacks by `upgrade`. Without a
feature a writer keeps to what the repository's programs can read and write.
"""

from __future__ import annotations

import enum

import msgspec


class Access(enum.StrEnum):
    """What a program that does not know a feature must not do. The values are stored."""

    READ = "read"
    """Neither read nor write."""
    WRITE = "write"
    """Write; it reads all the same."""


class Feature(msgspec.Struct, frozen=True):
    """One feature, as `upgrade`, `check` and `doctor` tell of it."""

    name: str
    """Stored in the config under `access`."""
    access: Access
    gain: str
    """What the repository gains by it, as one clause without a full stop."""
    since: str = "0.2"
    """The first version of rowvault that knows it."""

    @property
    def consequence(self) -> str:
        """What older programs can then do no more, as one sentence without a full stop."""
        if self.access is Access.READ:
            return f"rowvault before {self.since} can then neither read nor write the repository"
        return f"rowvault before {self.since} can then read the repository, and not write to it"


DELTAS = Feature(
    "deltas",
    Access.WRITE,
    "a block that changed is stored as its difference from an earlier one",
    since="0.1",
)
"""A prune that does not know deltas would remove their bases."""

SEALED_SEGMENTS = Feature(
    "sealed-segments",
    Access.READ,
    "no record of the index is believed that somebody without a key may have written",
)
"""Older programs do not read segments of version 2."""

LEDGER = Feature(
    "ledger",
    Access.WRITE,
    "a snapshot that vanishes or comes back, and a repository that is rolled back, are named",
)
"""A program that does not know it would not record what it adds and forgets."""

ARRANGED_BASES = Feature(
    "arranged-bases",
    Access.READ,
    "a difference states in which arrangement it needs the earlier block, so no other copy of that "
    "is taken for it",
)
"""Programs that do not know it cannot decode such deltas."""

FEATURES = (DELTAS, SEALED_SEGMENTS, LEDGER, ARRANGED_BASES)
"""All that this version knows, oldest first."""


def names_of(features: tuple[Feature, ...], access: Access) -> tuple[str, ...]:
    """The names of those features that are stored under `access`."""
    return tuple(one.name for one in features if one.access is access)
