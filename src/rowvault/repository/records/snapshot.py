"""Snapshot documents."""

from __future__ import annotations

from datetime import UTC

import msgspec

from rowvault.core.errors import DamageError, UnsupportedFormatError
from rowvault.core.ids import SessionId, SnapshotId
from rowvault.core.instant import Instant
from rowvault.core.model import ConsistencyPoint, ServerInfo
from rowvault.repository.records.old_warnings import missing_of
from rowvault.repository.trees.tree import TreeRoot


class SnapshotSelection(msgspec.Struct, frozen=True):
    """What the run was asked to hold; all empty: every database."""

    databases: tuple[str, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    excludes: tuple[str, ...] = ()
    users: bool = False
    """The server's users, roles and grants, too."""


class SourceName(msgspec.Struct, frozen=True):
    """What a backup called its source."""

    name: str
    is_given: bool = False
    """By a person, and so whatever server answers; else it is the default one."""


class SnapshotDraft(msgspec.Struct, frozen=True, kw_only=True):
    """All that the engine knows of a snapshot before it is committed."""

    time: Instant
    """When the state was taken, with a time zone."""
    server: ServerInfo
    """With its identity; see `source`."""
    moment: ConsistencyPoint
    manifest: TreeRoot
    tables: int
    rows: int
    raw_bytes: int
    seconds: float
    parent: SnapshotId | None = None
    selection: SnapshotSelection = SnapshotSelection()
    warnings: tuple[str, ...] = ()
    tool_version: str = ""
    source: SourceName | None = None
    """None: by a version that did not state it; see `sources.Sources` for whose it is."""
    mends: SnapshotId | None = None
    """The snapshot, damaged, whose rest this one holds."""
    losses: tuple[str, ...] = ()
    """Definitions that a repair found lost; lost rows stand with their tables."""
    missing: tuple[str, ...] | None = None
    """Those of the warnings that tell of rows or objects that are not in it; None: by a version
    that did not state it, and the warnings tell."""
    grants: tuple[str, ...] | None = None
    """The rights of the account that read, as `SELECT ON db.*`; None: not stated, or no account."""
    unseen: tuple[tuple[str, str], ...] = ()
    """(database, table or view) that an earlier snapshot held and that account does not see."""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What rows or objects, of those that it was to hold, are missing, one sentence each."""
        if self.missing is not None:
            return self.missing
        found = missing_of(self.warnings)
        return found if found or self.mends is None else ("what a repair could not save",)

    @property
    def is_whole(self) -> bool:
        """Whether all rows and objects are there; a property that is not carried is no matter."""
        return not self.lacks

    def __post_init__(self) -> None:
        """Raises ValueError for a time that no object's name can state."""
        try:
            self.time.astimezone(UTC)
        except OverflowError:
            raise ValueError("its time is beyond what UTC can state") from None


class Snapshot(SnapshotDraft, frozen=True, kw_only=True):
    """One snapshot as it is stored; never changed."""

    id: SnapshotId
    blocks: int
    """Data blocks that the run came by, a block that is there twice counted twice."""
    new_blocks: int
    """Data blocks among them that the repository did not hold."""
    stored_bytes: int
    """By how much the run made the repository's files grow."""
    session: SessionId | None = None
    """Which committed it; another one where it was forgotten and brought back."""


class ForgottenSnapshot(msgspec.Struct, frozen=True):
    """What stands in `trash/<utc>-<id>`."""

    snapshot: Snapshot
    forgotten: Instant


class SnapshotListing(msgspec.Struct, frozen=True):
    """One object under `snapshots/`: its document, or why that cannot be read."""

    id: SnapshotId
    time: Instant
    """Of the document; of the object's name where the document is damaged."""
    snapshot: Snapshot | None
    damage: DamageError | UnsupportedFormatError | None = None
