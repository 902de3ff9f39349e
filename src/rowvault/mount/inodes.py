"""Inode numbers of the nodes that the kernel knows."""

from __future__ import annotations

from dataclasses import dataclass

from rowvault.mount.node import File, Node

ROOT = 1


@dataclass(slots=True)
class _Known:
    node: Node
    parent: int
    name: str
    lookups: int = 0
    is_given_back: bool = False


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
        known.is_given_back = False
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

    def give_back(self, count: int) -> list[tuple[int, str]]:
        """(directory, name) of so many files known longest, each told once.

        The kernel is to be asked to forget them.
        """
        chosen = [
            known
            for known in self._known.values()
            if isinstance(known.node, File) and not known.is_given_back
        ][:count]
        for known in chosen:
            known.is_given_back = True
        return [(known.parent, known.name) for known in chosen]
