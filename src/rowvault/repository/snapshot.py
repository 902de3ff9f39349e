"""Snapshot documents, and how a person names one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from rowvault.core.errors import DamageError, SnapshotNotFoundError, UnsupportedFormatError
from rowvault.core.ids import SessionId, SnapshotId
from rowvault.core.instant import Instant
from rowvault.core.model import Moment, ServerInfo
from rowvault.repository.old_warnings import missing_of
from rowvault.repository.tree import TreeRoot

_LATEST = re.compile(r"latest(?:~(\d{1,9}))?")
_PREFIX = re.compile(r"[0-9a-f]{1,16}")


class SnapshotSelection(msgspec.Struct, frozen=True):
    """What the run was asked to hold; all empty: every database."""

    databases: tuple[str, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    excludes: tuple[str, ...] = ()
    users: bool = False
    """The server's users, roles and grants, too."""


class SnapshotDraft(msgspec.Struct, frozen=True, kw_only=True):
    """All that the engine knows of a snapshot before it is committed."""

    time: Instant
    """When the state was taken, with a time zone."""
    server: ServerInfo
    moment: Moment
    manifest: TreeRoot
    tables: int
    rows: int
    raw_bytes: int
    seconds: float
    parent: SnapshotId | None = None
    selection: SnapshotSelection = SnapshotSelection()
    warnings: tuple[str, ...] = ()
    tool_version: str = ""
    mends: SnapshotId | None = None
    """The snapshot, damaged, whose rest this one holds."""
    losses: tuple[str, ...] = ()
    """Definitions that a repair found lost; lost rows stand with their tables."""
    missing: tuple[str, ...] | None = None
    """Those of the warnings that tell of rows or objects that are not in it; None: by a version
    that did not state it, and the warnings tell."""

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


def choose(listings: Sequence[SnapshotListing], spec: str) -> Snapshot:
    """The snapshot that a person means, out of all, oldest first.

    `spec` is an id prefix, `latest`, `latest~N`, or `@` and a time (UTC unless it states a zone):
    the newest snapshot at or before it. Raises SnapshotNotFoundError, and the damage of the one
    that is meant.
    """
    if not listings:
        raise SnapshotNotFoundError("The repository holds no snapshot yet; `backup` makes one.")
    listing = _choose(listings, spec.strip())
    if listing.snapshot is None:
        assert listing.damage is not None
        raise listing.damage
    return listing.snapshot


def _choose(listings: Sequence[SnapshotListing], spec: str) -> SnapshotListing:
    latest = _LATEST.fullmatch(spec)
    if latest:
        return _counted_back(listings, int(latest[1] or 0))
    if spec.startswith("@"):
        return _at_or_before(listings, spec)
    prefix = spec.lower().rpartition("-")[2]  # also as the mount shows it: <utc>-<id>
    if not _PREFIX.fullmatch(prefix):
        raise SnapshotNotFoundError(
            f"{spec!r} names no snapshot: give an id or its first digits, `latest`, `latest~2`, "
            "or `@2026-11-20T10:00`."
        )
    found = [listing for listing in listings if listing.id.startswith(prefix)]
    if not found:
        raise SnapshotNotFoundError(f"No snapshot has an id that starts with {prefix}.")
    if len(found) > 1:
        ids = ", ".join(listing.id for listing in found[:5])
        raise SnapshotNotFoundError(
            f"{len(found)} snapshots start with {prefix}: {ids}; add digits."
        )
    return found[0]


def _counted_back(listings: Sequence[SnapshotListing], steps: int) -> SnapshotListing:
    if steps >= len(listings):
        raise SnapshotNotFoundError(
            f"There {'is 1 snapshot' if len(listings) == 1 else f'are {len(listings)} snapshots'}, "
            f"so none is {steps} before the latest."
        )
    return listings[-1 - steps]


def _at_or_before(listings: Sequence[SnapshotListing], spec: str) -> SnapshotListing:
    try:
        time = datetime.fromisoformat(spec[1:])
    except ValueError:
        raise SnapshotNotFoundError(
            f"{spec!r} is not a time; write it like `@2026-11-20T10:00` (UTC)."
        ) from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    # Times are shown to the second, so a snapshot of that second is meant too.
    found = [listing for listing in listings if listing.time.replace(microsecond=0) <= time]
    if not found:
        raise SnapshotNotFoundError(f"No snapshot is as old as {spec[1:]}.")
    return found[-1]
