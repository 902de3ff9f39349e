"""What a file system may hold after a power cut: all states, from a record of the system calls.

A run is recorded at the level of open, write, fsync, link, rename, unlink and mkdir. What fsync has
not made durable may be there or not, each entry of a directory for itself and in any order; bytes
of a file that was not synced may be lost, torn or zeros. (POSIX promises no more; file systems that
promise more reach fewer of these states.)
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

NOT_OBJECTS = (".tmp", ".lock")
_ALL_SUBSETS = 6
"""As many unsynced entries as all subsets are built of."""

State = tuple[tuple[str, bytes], ...]
"""(relative path, content) of all objects, sorted; a directory ends with `/`, and is empty."""


@dataclass(slots=True)
class _File:
    """One inode."""

    current: bytes = b""
    durable: bytes = b""

    def contents(self) -> set[bytes]:
        """All that it may hold after a power cut."""
        if self.current == self.durable:
            return {self.current}
        torn = self.durable + self.current[len(self.durable) :][: len(self.current) // 2]
        return {self.current, self.durable, torn, bytes(len(self.current))}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One change of a directory: a name gets a file, or a directory (None), or is removed."""

    path: str
    file: _File | None = None
    is_removed: bool = False


@dataclass(slots=True)
class Disk:
    """The recorded run up to now: what is seen, what is durable, and what is on its way."""

    root: Path
    skips: Callable[[str, bool], bool] = lambda path, is_directory: False
    """(relative path, is it a directory) -> this fsync does nothing: a mutant of the writer."""
    names: dict[str, _File] = field(default_factory=dict)
    durable: dict[str, _File | None] = field(default_factory=dict)
    pending: list[_Entry] = field(default_factory=list)
    on_change: Callable[[Disk], None] = lambda disk: None
    descriptors: dict[int, str] = field(default_factory=dict)

    def load(self) -> None:
        """Takes what is there as durable."""
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            content = path.read_bytes() if path.is_file() else b""
            file = _File(content, content) if path.is_file() else None
            self.durable[name] = file
            if file is not None:
                self.names[name] = file

    def relative(self, path: Any) -> str | None:
        """The path below the root; None for what lies elsewhere."""
        whole = os.fspath(path)
        if not isinstance(whole, str) or not (whole + "/").startswith(f"{self.root}/"):
            return None
        return whole[len(str(self.root)) + 1 :]

    def change(self, *entries: _Entry) -> None:
        """Changes of directories, not durable yet."""
        self.pending += entries
        self.on_change(self)

    def sync_file(self, name: str) -> None:
        """fsync of a file."""
        if not self.skips(name, False):
            self.names[name].durable = self.names[name].current
            self.on_change(self)

    def sync_directory(self, name: str) -> None:
        """fsync of a directory: all its entries."""
        if self.skips(name, True):
            return
        done = [entry for entry in self.pending if os.path.dirname(entry.path) == name]
        self.pending = [entry for entry in self.pending if entry not in done]
        _apply(self.durable, done)
        self.on_change(self)

    def states(self) -> Iterator[State]:
        """Everything that a power cut now may leave."""
        open_entries = [one for one in self.pending if not one.path.startswith(NOT_OBJECTS)]
        for chosen in _subsets(len(open_entries)):
            names = dict(self.durable)
            _apply(names, itertools.compress(open_entries, chosen))
            reachable = sorted(_reachable(names).items())
            directories = [(f"{name}/", b"") for name, file in reachable if file is None]
            files = [(name, file) for name, file in reachable if file is not None]
            for contents in _contents([file for _, file in files]):
                found = zip((name for name, _ in files), contents, strict=True)
                yield tuple(sorted([*directories, *found]))


def _subsets(count: int) -> Iterator[tuple[bool, ...]]:
    """All subsets of a few; of many those that begin at one end, and all but one or one alone."""
    if count <= _ALL_SUBSETS:
        yield from itertools.product((False, True), repeat=count)
        return
    for edge in range(count + 1):
        yield tuple(at < edge for at in range(count))
        yield tuple(at >= edge for at in range(count))
        yield tuple(at == edge for at in range(count))
        yield tuple(at != edge for at in range(count))


def _contents(files: list[_File]) -> Iterator[tuple[bytes, ...]]:
    """All files as they are seen, all as they are durable, and each one alone otherwise."""
    seen = [file.current for file in files]
    yield tuple(seen)
    yield tuple(file.durable for file in files)
    for at, file in enumerate(files):
        for other in file.contents() - {file.current}:
            yield (*seen[:at], other, *seen[at + 1 :])


def _apply(names: dict[str, _File | None], entries: Any) -> None:
    for entry in entries:
        if entry.is_removed:
            names.pop(entry.path, None)
        else:
            names[entry.path] = entry.file


def _reachable(names: Mapping[str, _File | None]) -> dict[str, _File | None]:
    """Files and directories all of whose directories are there."""
    return {
        name: file
        for name, file in names.items()
        if not name.startswith(NOT_OBJECTS)
        and all(parent in names for parent in _directories(name))
    }


@cache
def _directories(name: str) -> tuple[str, ...]:
    """All that it lies in, below the root."""
    return tuple(str(parent) for parent in Path(name).parents if str(parent) != ".")


@contextmanager
def recorded(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Records all calls below the disk's root while the block runs; they take effect as ever."""
    real = {
        name: getattr(os, name)
        for name in ("open", "close", "write", "fsync", "link", "rename", "unlink", "mkdir")
    }

    def opened(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        descriptor: int = real["open"](path, flags, *rest, **options)
        name = disk.relative(path)
        if name is not None:
            disk.descriptors[descriptor] = name
            if flags & os.O_CREAT and name not in disk.names:
                disk.names[name] = _File()
                disk.change(_Entry(name, disk.names[name]))
        return descriptor

    def closed(descriptor: int) -> None:
        disk.descriptors.pop(descriptor, None)
        real["close"](descriptor)

    def written(descriptor: int, data: Any) -> int:
        count: int = real["write"](descriptor, data)
        if descriptor in disk.descriptors:
            disk.names[disk.descriptors[descriptor]].current += bytes(data[:count])
        return count

    def synced(descriptor: int) -> None:
        real["fsync"](descriptor)
        name = disk.descriptors.get(descriptor)
        if name is None:
            return
        if name in disk.names:
            disk.sync_file(name)
        else:
            disk.sync_directory(name)

    def linked(source: Any, target: Any, **options: Any) -> None:
        real["link"](source, target, **options)
        old, new = disk.relative(source), disk.relative(target)
        if old is not None and new is not None:
            disk.names[new] = disk.names[old]
            disk.change(_Entry(new, disk.names[old]))

    def renamed(source: Any, target: Any, **options: Any) -> None:
        real["rename"](source, target, **options)
        old, new = disk.relative(source), disk.relative(target)
        if old is not None and new is not None:
            disk.names[new] = disk.names.pop(old)
            disk.change(_Entry(new, disk.names[new]), _Entry(old, is_removed=True))

    def unlinked(path: Any, **options: Any) -> None:
        real["unlink"](path, **options)
        name = disk.relative(path)
        if name is not None:
            disk.names.pop(name, None)
            disk.change(_Entry(name, is_removed=True))

    def made(path: Any, *rest: Any, **options: Any) -> None:
        real["mkdir"](path, *rest, **options)
        name = disk.relative(path)
        if name is not None:
            disk.change(_Entry(name))

    wrappers = {
        "open": opened,
        "close": closed,
        "write": written,
        "fsync": synced,
        "link": linked,
        "rename": renamed,
        "unlink": unlinked,
        "mkdir": made,
    }
    with monkeypatch.context() as patch:
        for name, wrapper in wrappers.items():
            patch.setattr(os, name, wrapper)
        yield
