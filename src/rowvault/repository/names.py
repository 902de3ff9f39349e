"""The names of all objects in a repository (docs/format.md, "Layout")."""

from __future__ import annotations

import enum
import re
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
LEDGER = "ledger/"
UPKEEP = "gc/"
REMOVED_KEYS = "gc/keys"
PRUNE_STATE = "gc/prune"
SIGHTINGS = "gc/sightings"
VERIFIED = "gc/verified"
_ROUND = "gc/round-"

PACK_GROUPS = ("packs/data/", "packs/tree/")
GROUPS = (KEYS, *PACK_GROUPS, INDEX, SNAPSHOTS, TAGS, SESSIONS, TRASH, LEDGER, UPKEEP)
"""All groups of a repository."""
FILLED_BY_A_BACKUP = (*PACK_GROUPS, INDEX, SNAPSHOTS)
"""Those that hold something after the first backup, also where each was made for its first object.
"""

_STAMP = "%Y%m%dT%H%M%SZ"
_OBJECT = re.compile(
    "config|keys/<16>|packs/(?:data|tree)/<2>/<64>|index/<64>|tags/<16>/<16>|sessions/<32>|"
    r"(?:snapshots|trash)/\d{8}T\d{6}Z-<16>|ledger/\d{10}|gc/(?:prune|keys|verified|sightings|round-<16>)"
    .replace("<", "[0-9a-f]{").replace(">", "}")
)  # fmt: skip


class PackType(enum.IntEnum):
    """Packs of data blocks and of tree nodes stand apart. The numbers are stored."""

    DATA = 1
    TREE = 2


def is_object(name: str) -> bool:
    """Whether a name has the form of an object's, whatever lies there."""
    return _OBJECT.fullmatch(name) is not None


def group_of(name: str) -> str:
    """The group that an object, or a part of a group, belongs to: one of GROUPS, mostly."""
    for group in GROUPS:
        if name.startswith(group):
            return group
    return name


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


def ledger_entry(number: int) -> str:
    """`ledger/<number>`, ten digits."""
    return f"{LEDGER}{number:010}"


def split_ledger_entry(object_name: str) -> int:
    """The inverse of `ledger_entry`."""
    return int(object_name.removeprefix(LEDGER))


def forgotten(time: datetime, snapshot_id: SnapshotId) -> str:
    """`trash/<utc>-<id>`, to the second."""
    return TRASH + snapshot(time, snapshot_id).removeprefix(SNAPSHOTS)


def split_forgotten(object_name: str) -> tuple[datetime, SnapshotId]:
    """The inverse of `forgotten`. Raises CorruptError for an object that is out of place."""
    return split_snapshot(SNAPSHOTS + object_name.removeprefix(TRASH))


def stamp(time: datetime) -> str:
    """`<utc>`, to the second: `20261120T110000Z`."""
    return time.astimezone(UTC).strftime(_STAMP)


def snapshot(time: datetime, snapshot_id: SnapshotId) -> str:
    """`snapshots/<utc>-<id>`, to the second."""
    return f"{SNAPSHOTS}{stamp(time)}-{snapshot_id}"


def split_snapshot(object_name: str) -> tuple[datetime, SnapshotId]:
    """(time to the second, id). Raises CorruptError for an object that is out of place."""
    stated, _, snapshot_id = object_name.removeprefix(SNAPSHOTS).partition("-")
    try:
        time = datetime.strptime(stated, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        time = None
    if time is None or len(snapshot_id) != 16 or set(snapshot_id) - set("0123456789abcdef"):
        raise CorruptError(f"{object_name} is not the name of a snapshot")
    return time, SnapshotId(snapshot_id)


def tag(snapshot_id: SnapshotId, digest: str) -> str:
    """`tags/<snapshot id>/<16 hex digits of the tag's keyed hash>`."""
    return f"{TAGS}{snapshot_id}/{digest}"
