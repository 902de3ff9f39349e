"""What a repair did, or in a dry run would do."""

from __future__ import annotations

from dataclasses import dataclass, field

from rowvault.core.ids import SnapshotId


@dataclass(frozen=True, slots=True)
class MendedSnapshot:
    """A snapshot that had lost something."""

    id: SnapshotId
    replacement: SnapshotId | None
    """The snapshot that holds the rest; None where nothing was left of it."""
    losses: tuple[str, ...]
    """What is lost: tables with key ranges, or definitions."""


@dataclass(frozen=True, slots=True)
class DroppedObject:
    """A stored object that was damaged and of no use."""

    object: str
    message: str


@dataclass(slots=True)
class RepairReport:
    """All that was mended and all that is lost."""

    segments: int = 0
    """Index segments that were damaged and made anew from the packs."""
    listed_packs: int = 0
    """Packs that no segment listed, of a run that was killed or beside an old index; now one does.
    """
    damaged_packs: int = 0
    """Packs that gave way to new ones of their whole blocks."""
    missing_packs: int = 0
    """Packs that the index listed, and that are not there."""
    salvaged_blocks: int = 0
    """Whole blocks of damaged packs."""
    renewed_blocks: int = 0
    """Blocks that stood as deltas of ambiguous bases, and now on their own, too."""
    snapshots: list[MendedSnapshot] = field(default_factory=list)
    dropped: list[DroppedObject] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """What stays as it is."""

    @property
    def is_complete(self) -> bool:
        """Nothing was lost and nothing was left."""
        return not self.snapshots and not self.dropped and not self.warnings

    @property
    def found_nothing(self) -> bool:
        """There was nothing to do."""
        done = (
            self.segments
            or self.listed_packs
            or self.damaged_packs
            or self.missing_packs
            or self.renewed_blocks
        )
        return self.is_complete and not done
