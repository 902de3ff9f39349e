"""A repository with small blocks, so that few rows already make many of them."""

from __future__ import annotations

from pathlib import Path

from rowvault.repository.config import CutSizes, NodeSizes, Sizes
from rowvault.repository.repository import Repository
from rowvault.storage.location import open_storage

SMALL = Sizes(
    data=CutSizes(64, 256, 1024),
    manifest=CutSizes(256, 1024, 4096),
    node=NodeSizes(2, 4, 16),
    pack_bytes=1 << 14,
)


def create_small(place: Path) -> Repository:
    """Makes one at `place`, not encrypted."""
    return Repository.create(open_storage(str(place)), None, SMALL)
