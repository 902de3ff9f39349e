"""How a person names one snapshot: an id or its first digits, `latest`, a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from rowvault.core.errors import SnapshotNotFoundError
from rowvault.repository import names
from rowvault.repository.snapshot import Snapshot, SnapshotListing

SHORTEST_PREFIX = 4
"""Digits of an id: fewer are typed by mistake, and meet a stranger's snapshot too easily."""

_LATEST = re.compile(r"latest(?:~(\d{1,9}))?")
_DIGITS = re.compile(r"[0-9a-f]{1,16}")
_STAMPED = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{1,16})")
_NEARLY_LATEST = re.compile(r"(?:latest|newest|last)?\s*[-~^+ ]\s*(\d{1,9})|latest(\d{1,9})", re.I)
_NEARLY_A_DATE = re.compile(r"\d{4}-\d{1,2}(-\d{1,2})?([T ].*)?")


def choose(listings: Sequence[SnapshotListing], spec: str) -> Snapshot:
    """The snapshot that a person means, out of all, oldest first.

    `spec` is an id or its first digits, four or more; `<utc>-<id>` as a mount shows it; `latest`,
    `latest~N`; or `@` and a time (UTC unless it states a zone): the newest snapshot at or before
    it. Raises SnapshotNotFoundError, and the damage of the one that is meant.
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
    return _by_id(listings, spec)


def _by_id(listings: Sequence[SnapshotListing], spec: str) -> SnapshotListing:
    stamped = _STAMPED.fullmatch(spec)
    prefix = stamped[2] if stamped else spec.lower()
    if not _DIGITS.fullmatch(prefix):
        raise SnapshotNotFoundError(f"{spec!r} names no snapshot{_advice(spec)}")
    if len(prefix) < SHORTEST_PREFIX:
        raise SnapshotNotFoundError(
            f"{prefix!r} is too short for an id's beginning, which has {SHORTEST_PREFIX} digits or "
            "more: add digits."
        )
    found = [listing for listing in listings if listing.id.startswith(prefix)]
    if not found:
        raise SnapshotNotFoundError(
            f"No snapshot has an id that starts with {prefix}{_advice(spec)}"
        )
    if len(found) > 1:
        ids = ", ".join(listing.id for listing in found[:5])
        raise SnapshotNotFoundError(
            f"{len(found)} snapshots start with {prefix}: {ids}; add digits."
        )
    if stamped and names.stamp(found[0].time) != stamped[1]:
        raise SnapshotNotFoundError(
            f"{spec!r} names no snapshot: {found[0].id} is of {names.stamp(found[0].time)}. Give "
            "the id alone if you mean that one."
        )
    return found[0]


def _advice(spec: str) -> str:
    """What a name that fits nothing was perhaps meant to be; else all forms that there are."""
    meant = _meant(spec)
    if meant:
        return f"; did you mean `{meant}`?"
    return (
        ": give an id or its first digits (four or more), `latest`, `latest~2`, or "
        "`@2026-11-20T10:00`; `rowvault snapshots` lists them."
    )


def _meant(spec: str) -> str:
    nearly = _NEARLY_LATEST.fullmatch(spec)
    if nearly:
        return f"latest~{nearly[1] or nearly[2]}"
    if spec.lower() in ("latest", "newest", "last"):
        return "latest"
    if _NEARLY_A_DATE.fullmatch(spec) or _reads_as_time(spec):
        return f"@{spec}"
    return ""


def _reads_as_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


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
