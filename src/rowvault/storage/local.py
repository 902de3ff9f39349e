"""A directory of a local file system as storage, durable against power cuts.

Write order for a new object: temporary file on the same file system, write, fsync, link under its
name (which never replaces), fsync of the directory. A directory's own entry is made durable before
the first object in it is. A failed fsync is final for that file: the kernel may have dropped the
dirty pages, so a second fsync on it proves nothing.

Others may tidy up: a temporary file that is gone before it has its name is written again, and the
lock file counts only where the name still leads to it. Nothing is written once another file system
is in the directory's place, as below a mount point.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import mmap
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from rowvault.core.errors import (
    GroupMissingError,
    ObjectChangedError,
    ObjectExistsError,
    ObjectMissingError,
    StorageError,
    UnreadableError,
)
from rowvault.storage.protocol import Content, check_name, is_part

_log = logging.getLogger(__name__)

_TEMPORARY = ".tmp"
_LOCK = ".lock"
_TEMPORARY_NAME = re.compile("[0-9a-f]{32}")
_LEFTOVER_AGE_S = 24 * 60 * 60
_ATTEMPTS = 5
"""So many temporary files may be lost, one after the other, before an object is given up."""
_MAPPED_BYTES = 128 * 1024
_NOT_OURS = frozenset({_TEMPORARY, _LOCK, "lost+found"})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_MEDIUM_ERRORS = frozenset({errno.EIO, errno.EUCLEAN, errno.EBADMSG})


class LocalStorage:
    """Objects as files below one directory, which is made when the first object is written."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = Path(root).absolute()
        self._durable_directories: set[Path] = set()
        self._identity: tuple[int, int] | None = None
        """Device and inode of the directory when it was first written to."""
        self._directory_lock = threading.Lock()
        self.location = str(self._root)

    def create(self, name: str, data: Content, *, is_bulk: bool = False) -> None:
        """See Storage.create."""
        path = self._path(name)
        with self._failing("write", name):
            self._ensure_directory(path.parent)
            self._put(data, lambda temporary: self._link(temporary, path), is_bulk)
            _sync_directory(path.parent)

    def swap(self, name: str, expected: bytes, data: Content) -> None:
        """See Storage.swap."""
        path = self._path(name)
        with self._failing("replace", name), self._locked():
            if self.read(name) != expected:
                raise ObjectChangedError(
                    f"{self.location}: {name} was changed by somebody else; nothing was written"
                )
            self._put(data, lambda temporary: os.rename(temporary, path))
            _sync_directory(path.parent)

    def read(self, name: str) -> bytes:
        """See Storage.read."""
        path = self._path(name)
        with self._failing("read", name):
            return path.read_bytes()

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See Storage.read_range."""
        # Once for each block that is read: no Path, no file object.
        path = f"{self.location}/{check_name(name)}"
        with self._failing("read", name):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                return _read_fully(descriptor, offset, length)
            finally:
                os.close(descriptor)

    def view(self, name: str) -> memoryview:
        """See Storage.view; what is mapped is not this process's own memory.

        A mapping keeps a file descriptor, so small files, of which there may be many, are read.
        """
        path = self._path(name)
        with self._failing("read", name), path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < _MAPPED_BYTES:
                return memoryview(file.read())
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def size(self, name: str) -> int:
        """See Storage.size."""
        path = self._path(name)
        with self._failing("read", name):
            return path.stat().st_size

    def top(self) -> list[str]:
        """See Storage.top."""
        with self._failing("list", "."):
            try:
                entries = list(os.scandir(self._root))
            except (FileNotFoundError, NotADirectoryError):
                return []
            return sorted(
                entry.name + "/" if entry.is_dir() else entry.name
                for entry in entries
                if entry.name not in _NOT_OURS
            )

    def make_group(self, group: str) -> None:
        """See Storage.make_group."""
        with self._failing("make", group):
            self._ensure_directory(self._group_path(group))

    def has_group(self, group: str) -> bool:
        """See Storage.has_group."""
        with self._failing("look at", group):
            return self._group_path(group).is_dir()  # False for what is not there alone

    def list(self, prefix: str) -> list[str]:
        """See Storage.list; temporary files, the lock file and `lost+found` are not objects."""
        start = self._group_path(prefix) if prefix else self._root
        with self._failing("list", prefix or "."):
            if not start.is_dir():
                if prefix:
                    raise GroupMissingError(f"{self.location}: the directory {prefix} is missing")
                return []
            return sorted(prefix + name for name in _names_below(start, top=not prefix))

    def delete(self, name: str) -> None:
        """See Storage.delete."""
        path = self._path(name)
        with self._failing("delete", name), self._locked():
            try:
                path.unlink()
            except FileNotFoundError:
                return
            _sync_directory(path.parent)

    def _path(self, name: str) -> Path:
        return self._root / check_name(name)

    def _group_path(self, group: str) -> Path:
        if not group.endswith("/"):
            raise StorageError(f"{group!r} is not the name of a group of objects")
        return self._path(group[:-1])

    @contextlib.contextmanager
    def _failing(self, action: str, name: str) -> Iterator[None]:
        """Turns an OSError into the StorageError that says what failed, where, and why."""
        try:
            yield
        except FileExistsError as error:
            raise ObjectExistsError(f"{self.location}: {name} is there already") from error
        except OSError as error:
            if error.errno in _ABSENT and action == "read" and not (self._root / name).is_symlink():
                raise ObjectMissingError(f"{self.location}: {name} is not there") from error
            is_medium = error.errno in _MEDIUM_ERRORS and action in ("read", "list", "look at")
            kind = UnreadableError if is_medium else StorageError
            raise kind(self._explain(error, action, name)) from error

    def _explain(self, error: OSError, action: str, name: str) -> str:
        reason = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return (
                f"The disk is full ({reason}): {name} could not be written to {self.location}. "
                "Make room there and run the command again; what was stored before is intact."
            )
        if error.errno == errno.ENOENT and (self._root / name).is_symlink():
            return (
                f"{self.location}: {name} is a link to what is not there; look whether the disk "
                "that it leads to is mounted"
            )
        if error.errno == errno.ENOTDIR:
            return (
                f"{self.location} is not a directory, or a part of its path is not; name a "
                "directory, or a place where one can be made."
            )
        return f"{self.location}: cannot {action} {name}: {reason}"

    def _put(self, data: Content, put: Callable[[Path], None], is_bulk: bool = False) -> None:
        """Writes a durable file and gives it its name; anew where it is gone before that."""
        for _ in range(_ATTEMPTS):
            with self._temporary_file(data, is_bulk) as temporary:
                try:
                    put(temporary)
                    return
                except FileNotFoundError:
                    if temporary.exists():
                        raise  # what is gone is the directory of the object
                    _log.info("%s: a temporary file is gone; it is written anew", self.location)
        raise StorageError(
            f"{self.location}: temporary files in {_TEMPORARY}/ vanish while they are written, "
            f"{_ATTEMPTS} in a row; nothing was stored under a name. Look what else tidies up "
            "there: another host whose clock is wrong, or a copy that deletes what it does not know"
        )

    @contextlib.contextmanager
    def _temporary_file(self, data: Content, is_bulk: bool = False) -> Iterator[Path]:
        """A durable file with this content; its name is gone again at the end."""
        directory = self._root / _TEMPORARY
        if not directory.is_dir():  # tidied away since it was made
            self._durable_directories.discard(directory)
        self._ensure_directory(directory)
        path = directory / secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            try:
                _write_fully(descriptor, data)
                os.fsync(descriptor)
                if is_bulk:
                    _leave_page_cache(descriptor)
            finally:
                os.close(descriptor)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _link(self, temporary: Path, path: Path) -> None:
        """Gives the file its name unless the name is taken (FileExistsError)."""
        try:
            os.link(temporary, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # No hard links here (FAT, some network file systems): every writer comes this way,
            # so the lock makes looking and renaming one step.
            with self._locked():
                if path.exists():
                    raise FileExistsError(errno.EEXIST, "exists", str(path)) from error
                os.rename(temporary, path)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Excludes every other swap and delete, in this process and in others."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        path = self._root / _LOCK
        while True:
            descriptor = os.open(path, flags, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if not _leads_to(path, descriptor):
                    continue  # it was removed while we waited: others lock the one there now
                yield
                return
            finally:
                os.close(descriptor)

    def _ensure_directory(self, directory: Path) -> None:
        """Makes a directory and its parents, and their entries durable, once per process."""
        with self._directory_lock:
            if directory in self._durable_directories:
                return
            self._refuse_another_place()
            _make_durable_directory(directory, self._root)
            self._identity = _identity(self._root)
            self._durable_directories.add(directory)
            if directory.name == _TEMPORARY:
                _remove_leftovers(directory)

    def _refuse_another_place(self) -> None:
        """Raises StorageError where what was written to before is not there any more."""
        if self._identity is not None and _identity(self._root) != self._identity:
            raise StorageError(
                f"{self.location} is another directory now than before, as when a disk was "
                "unmounted; nothing was written. Look what is there, and run the command again."
            )


def _make_durable_directory(directory: Path, root: Path) -> None:
    """Another process may have made it and not yet synced its entry, so that is done again."""
    made = not directory.exists()
    if directory != directory.parent and (made or directory != root):
        _make_durable_directory(directory.parent, root)
    if made:
        try:
            directory.mkdir(mode=0o700)
        except FileExistsError:
            if not directory.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "not a directory") from None
    elif not directory.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{directory} is not a directory")
    if made or (directory != root and directory.is_relative_to(root)):
        _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _identity(directory: Path) -> tuple[int, int] | None:
    """Device and inode; None where it is not there."""
    try:
        status = directory.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _leads_to(path: Path, descriptor: int) -> bool:
    """Whether a name is still that of an open file."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_leftovers(directory: Path) -> None:
    """Files of runs that were killed in mid-write; young ones may belong to a run at work.

    How old they are is told by a file that is made beside them: hosts that share a directory need
    not agree about the time.
    """
    leftovers = [path for path in directory.iterdir() if _TEMPORARY_NAME.fullmatch(path.name)]
    if not leftovers:
        return
    oldest = _time_there(directory) - _LEFTOVER_AGE_S
    for path in leftovers:
        with contextlib.suppress(FileNotFoundError):  # another process tidies up too
            if path.stat().st_mtime < oldest:
                path.unlink()


def _time_there(directory: Path) -> float:
    """Seconds since 1970 by the clock that gives files in the directory their times."""
    path = directory / secrets.token_hex(16)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, b"now")
        os.fsync(descriptor)
        return os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def _write_fully(descriptor: int, data: Content) -> None:
    with memoryview(data).cast("B") as view:
        position = 0
        while position < len(view):
            position += os.write(descriptor, view[position:])


def _leave_page_cache(descriptor: int) -> None:
    """Memory need not hold what the file, synced, holds: the next one is written in its pages.

    Each page that is new to a virtual machine costs more than the copy into it.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):  # advice, which a file system may not take
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _read_fully(descriptor: int, offset: int, length: int) -> bytes:
    parts = []
    while length > 0:
        part = os.pread(descriptor, length, offset)
        if not part:
            break
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _names_below(directory: Path, *, top: bool) -> Iterator[str]:
    """Relative names of all files below a directory. Raises OSError where it is not there."""
    for entry in list(os.scandir(directory)):
        if top and entry.name in _NOT_OURS:
            continue
        if not entry.is_dir():
            yield entry.name
        elif is_part(entry.name):
            for name in _names_below(Path(entry.path), top=False):
                yield f"{entry.name}/{name}"
        else:
            yield f"{entry.name}/"
