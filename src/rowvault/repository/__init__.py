"""The stored format: blocks, trees, packs, index, sessions, snapshots.

Engines and verbs use what is named here; the rooms behind it are for `upkeep` alone.

    with Repository.open(open_storage("/backups/shop"), password) as repository:
        snapshot = repository.find("latest")
        for record in repository.manifest(snapshot).tables():
            print(record.definition.name, record.row_count)
"""

from rowvault.repository.crypto.key_ring import Key
from rowvault.repository.records.find_snapshot import FoundSnapshot, SnapshotRequest
from rowvault.repository.records.known_head import KnownHead, state_directory
from rowvault.repository.records.ledger import CHECKPOINT_WITHOUT_PRUNE
from rowvault.repository.records.selected import Selected
from rowvault.repository.records.selection import Name, selection_text
from rowvault.repository.records.session_object import SessionDocument, SessionState
from rowvault.repository.records.session_watch import Life, SessionWatch
from rowvault.repository.records.snapshot import (
    Snapshot,
    SnapshotDraft,
    SnapshotListing,
    SnapshotSelection,
)
from rowvault.repository.records.snapshot_set import ADVICE
from rowvault.repository.records.sources import SourceDecision, Sources
from rowvault.repository.records.tag_name import check_tag
from rowvault.repository.repository import Repository
from rowvault.repository.trees.difference import differing
from rowvault.repository.trees.manifest import Manifest, ManifestWriter, TableRecord
from rowvault.repository.trees.node import LeafEntry, NodeRule, Sums
from rowvault.repository.trees.parent_walk import ParentTable, ParentTables, ParentWalk
from rowvault.repository.trees.tree import TreeReader, TreeRoot, TreeWriter

__all__ = [
    "ADVICE",
    "CHECKPOINT_WITHOUT_PRUNE",
    "FoundSnapshot",
    "Key",
    "KnownHead",
    "LeafEntry",
    "Life",
    "Manifest",
    "ManifestWriter",
    "Name",
    "NodeRule",
    "ParentTable",
    "ParentTables",
    "ParentWalk",
    "Repository",
    "Selected",
    "SessionDocument",
    "SessionState",
    "SessionWatch",
    "Snapshot",
    "SnapshotDraft",
    "SnapshotListing",
    "SnapshotRequest",
    "SnapshotSelection",
    "SourceDecision",
    "Sources",
    "Sums",
    "TableRecord",
    "TreeReader",
    "TreeRoot",
    "TreeWriter",
    "check_tag",
    "differing",
    "selection_text",
    "state_directory",
]
