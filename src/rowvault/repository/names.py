"""The names of all objects in a repository (docs/format.md, "Layout")."""

from __future__ import annotations

import enum
from datetime import UTC, datetime

from rowvault.core.errors import CorruptError
from rowvault.core.ids import PackName, SessionId, SnapshotId

CONFIG = "config"
KEYS = "keys/"
PACKS = "packs/"
INDEX = "index/"
SNAPSHOTS = "snapshots/"
TAGS = "tags/"
SESSIONS = "sessions/"
TRASH = "trash/"
REMOVED_KEYS = "gc/keys"
PRUNE_STATE = "gc/prune"
SIGHTINGS = "gc/sightings"
VERIFIED = "gc/verified"
_ROUND = "gc/round-"

_STAMP = "%Y%m%dT%H%M%SZ"


class PackType(enum.IntEnum):
    """Packs of data blocks and of tree nodes stand apart. The numbers are stored."""

    DATA = 1
    TREE = 2


def pack(kind: PackType, name: PackName) -> str:
    """`packs/data/<xx>/<name>` or `packs/tree/<xx>/<name>`."""
    return f"{PACKS}{kind.name.lower()}/{name[:2]}/{name}"


def split_pack(object_name: str) -> tuple[PackType, PackName]:
    """The inverse of `pack`. Raises CorruptError for an object that is out of place."""
    parts = object_name.split("/")
    for kind in PackType:
        if len(parts) == 4 and object_name == pack(kind, PackName(parts[3])):
            return kind, PackName(parts[3])
    raise CorruptError(f"{object_name} is not the name of a pack")


def segment(name: str) -> str:
    """`index/<name>`."""
    return INDEX + name


def session(session_id: SessionId) -> str:
    """`sessions/<id>`."""
    return SESSIONS + session_id


def key_slot(slot_id: str) -> str:
    """`keys/<slot>`."""
    return KEYS + slot_id


def prune_round(round_id: str) -> str:
    """`gc/round-<id>`."""
    return _ROUND + round_id


def forgotten(time: datetime, snapshot_id: SnapshotId) -> str:
    """`trash/<utc>-<id>`, to the second."""
    return TRASH + snapshot(time, snapshot_id).removeprefix(SNAPSHOTS)


def split_forgotten(object_name: str) -> tuple[datetime, SnapshotId]:
    """The inverse of `forgotten`. Raises CorruptError for an object that is out of place."""
    return split_snapshot(SNAPSHOTS + object_name.removeprefix(TRASH))


def snapshot(time: datetime, snapshot_id: SnapshotId) -> str:
    """`snapshots/<utc>-<id>`, to the second."""
    return f"{SNAPSHOTS}{time.astimezone(UTC).strftime(_STAMP)}-{snapshot_id}"


def split_snapshot(object_name: str) -> tuple[datetime, SnapshotId]:
    """(time to the second, id). Raises CorruptError for an object that is out of place."""
    stamp, _, snapshot_id = object_name.removeprefix(SNAPSHOTS).partition("-")
    try:
        time = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        time = None
    if time is None or len(snapshot_id) != 16 or set(snapshot_id) - set("0123456789abcdef"):
        raise CorruptError(f"{object_name} is not the name of a snapshot")
    return time, SnapshotId(snapshot_id)


def tag(snapshot_id: SnapshotId, digest: str) -> str:
    """`tags/<snapshot id>/<16 hex digits of the tag's keyed hash>`."""
    return f"{TAGS}{snapshot_id}/{digest}"
