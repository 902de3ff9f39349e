"""Where the blocks of a scan go: into a repository, or nowhere."""

from __future__ import annotations

import threading
from typing import Protocol

from rowvault.core.ids import BlockId
from rowvault.repository import Repository
from rowvault.repository.session import Previous


class BlockSink(Protocol):
    """Takes blocks from many threads and names them."""

    def put_data(self, raw: bytes, column_count: int = 0, base: Previous | None = None) -> BlockId:
        """The id of a block, kept if the sink keeps blocks.

        `column_count` where it is whole rows of so many columns; `base` tells what the parent has
        at its place.
        """
        ...

    def put_node(self, raw: bytes) -> BlockId:
        """The id of a tree node, kept if the sink keeps nodes."""
        ...


class HashingSink:
    """Names blocks as a repository would and stores none; keeps the nodes, to find differences.

    A node takes about a thousandth of the rows below it.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._lock = threading.Lock()
        self._nodes: dict[BlockId, bytes] = {}

    def put_data(self, raw: bytes, column_count: int = 0, base: Previous | None = None) -> BlockId:
        """The id alone."""
        return self._repository.data_id(raw)

    def put_node(self, raw: bytes) -> BlockId:
        """The id; the node's bytes are kept for `read_node`."""
        identifier = self._repository.node_id(raw)
        with self._lock:
            self._nodes[identifier] = raw
        return identifier

    def read_node(self, identifier: BlockId) -> bytes:
        """A node that was put here; Raises KeyError for any other."""
        return self._nodes[identifier]
