"""Tree nodes that were read last, decoded: a walk that comes by again need not decode them anew."""

from __future__ import annotations

import threading
from collections import OrderedDict

from rowvault.core.ids import BlockId
from rowvault.repository.trees.node import Node

KEPT_ENTRIES = 16_384
"""Of all nodes together; an entry takes about 500 bytes."""


class NodeCache:
    """Nodes by their ids, so many entries of them. Used from any thread."""

    def __init__(self, limit: int = KEPT_ENTRIES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._nodes: OrderedDict[BlockId, Node] = OrderedDict()
        self._held = 0

    def get(self, node_id: BlockId) -> Node | None:
        """The node, where it is at hand."""
        with self._lock:
            node = self._nodes.get(node_id)
            if node is not None:
                self._nodes.move_to_end(node_id)
            return node

    def keep(self, node_id: BlockId, node: Node) -> None:
        """Takes a node in; those used longest ago go."""
        with self._lock:
            if node_id in self._nodes:
                return
            self._nodes[node_id] = node
            self._held += len(node.entries)
            while self._held > self._limit and len(self._nodes) > 1:
                self._held -= len(self._nodes.popitem(last=False)[1].entries)
