"""The identifiers that cross module boundaries."""

from typing import NewType

BlockId = NewType("BlockId", bytes)
"""32 bytes: the keyed BLAKE3-256 of a block's raw bytes."""

PackName = NewType("PackName", str)
"""64 hex digits: the BLAKE3-256 of a pack file's bytes."""

SessionId = NewType("SessionId", str)
"""32 hex digits, random: one run that writes to a repository."""

SnapshotId = NewType("SnapshotId", str)
"""16 hex digits, random."""

RepositoryId = NewType("RepositoryId", str)
"""32 hex digits, random, fixed when the repository is made."""

BLOCK_ID_BYTES = 32
