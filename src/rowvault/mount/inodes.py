"""Inode numbers of the nodes that the kernel knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rowvault.mount.tree import Node

ROOT = 1


@dataclass(slots=True)
class _Known:
    node: Node
    parent: int
    name: str
    lookups: int = 0


class Inodes:
    """A number for each node that the kernel holds, until it has forgotten it.

    Used by the event loop's thread alone.
    """

    def __init__(self, root: Node) -> None:
        self._known: dict[int, _Known] = {ROOT: _Known(root, ROOT, "", 1)}
        self._numbers: dict[tuple[int, str], int] = {}
        self._next = ROOT + 1

    def __len__(self) -> int:
        return len(self._known)

    def node(self, number: int) -> Node:
        """The node of a number that the kernel was told. Raises KeyError."""
        return self._known[number].node

    def parent(self, number: int) -> int:
        """The number of the directory above."""
        return self._known[number].parent

    def remember(self, parent: int, name: str, node: Node) -> int:
        """The number of an entry that the kernel is told of once more."""
        number = self._numbers.get((parent, name))
        if number is None:
            number, self._next = self._next, self._next + 1
            self._numbers[parent, name] = number
            self._known[number] = _Known(node, parent, name)
        known = self._known[number]
        known.node = node
        known.lookups += 1
        return number

    def replace(self, number: int, node: Node) -> None:
        """The node has changed, if the kernel still knows it."""
        known = self._known.get(number)
        if known is not None:
            known.node = node

    def forget(self, number: int, lookups: int) -> None:
        """The kernel drops so many of its references."""
        known = self._known.get(number)
        if known is None or number == ROOT:
            return
        known.lookups -= lookups
        if known.lookups <= 0:
            del self._known[number]
            self._numbers.pop((known.parent, known.name), None)

    def names_below(self, parent: int) -> Iterator[str]:
        """The entries of a directory that the kernel knows."""
        return (name for directory, name in list(self._numbers) if directory == parent)
