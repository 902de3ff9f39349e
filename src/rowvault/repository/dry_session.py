"""A session that stores nothing: for a run that only finds out what it would store."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rowvault.codec.frames import BlockType
from rowvault.core.ids import BlockId, SnapshotId
from rowvault.repository.records.snapshot import SnapshotDraft
from rowvault.repository.session import Previous, RepositoryInternals, SessionStats


class DrySession:
    """Names and counts blocks as a WriteSession does. `put_*` from any thread.

    `stats.stored_bytes` stays 0: nothing is compressed.
    """

    def __init__(self, internals: RepositoryInternals, parent: SnapshotId | None = None) -> None:
        self.parent = parent
        self.stats = SessionStats()
        self.manifest_cut_rule = internals.manifest_cut_rule
        self.node_rule = internals.node_rule
        self._internals = internals
        self._new: set[bytes] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to end."""

    def put_data(self, raw: bytes, column_count: int = 0, base: Previous | None = None) -> BlockId:
        """The data block's id; whether it would be a delta is not looked at."""
        block_id = self._internals.make_id(BlockType.DATA, raw)
        with self._lock:
            self.stats.blocks += 1
            known = block_id in self._new or bool(
                self._internals.index.find(BlockType.DATA, block_id)
            )
            if not known:
                self._new.add(block_id)
                self.stats.new_blocks += 1
                self.stats.raw_new_bytes += len(raw)
        return block_id

    def put_node(self, raw: bytes) -> BlockId:
        """The tree node's id."""
        return self._internals.make_id(BlockType.NODE, raw)

    def end_data(self) -> None:
        """Nothing waits to be written."""

    def commit(self, draft: SnapshotDraft, tags: Iterable[str] = ()) -> None:
        """No snapshot comes of it."""
