"""`mount` and `umount`: snapshots as files."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice, wanted_part
from rowvault.core.errors import MountError, UsageError
from rowvault.mount.guard import UnmountGuard, unmount_command
from rowvault.mount.node import Directory
from rowvault.mount.snapshot_text import Excerpt, SnapshotText
from rowvault.mount.tree import MountedSnapshots, RepositoryDirectory, SnapshotDirectory
from rowvault.repository import Repository

if TYPE_CHECKING:
    from rowvault.mount.decoders import Decoders

_DEVICE = Path("/dev/fuse")
_HELPER = "fusermount3"
_CONFIGURATION = "/etc/fuse.conf"
_MOST_DECODERS = 3
"""Each takes about 7 MiB of its own (26 MiB of RssAnon, the rest of which is the parent's), and
makes 300 MB of text and more in a second of a processor."""
_INSTEAD = "`ls`, `dump` and `diff` show snapshots without it."


@dataclass(frozen=True, slots=True)
class MountOptions:
    """What to mount, and where."""

    repository: RepositoryAccess
    directory: Path
    snapshot: SnapshotChoice | None = None
    """Only this one, as the top of the tree; None: all."""
    database: str | None = None
    table: str | None = None
    allow_other: bool = False
    """Other users may look, too."""


def mount(options: MountOptions, ready: Callable[[], None]) -> None:
    """Mounts, calls `ready`, and serves until it is unmounted or told to end.

    Raises UsageError, MountError, NoRepositoryError, WrongPasswordError, SnapshotNotFoundError.
    """
    serve, start_decoders = _server()
    check_mount_point(options.directory)
    place = str(options.directory)
    # All processes start before the storage is used, as that in the background does.
    with (
        start_decoders(_decoder_count()) as decoders,
        UnmountGuard(place),
        options.repository.open() as repository,
    ):
        decoders.open(options.repository.location, repository)
        root = _root(repository, options)
        try:
            serve(root, place, decoders, allow_other=options.allow_other, ready=ready)
        except (RuntimeError, OSError) as error:
            raise MountError(
                f"{options.directory} could not be mounted: {error}. {_likely_reason(options)}"
                f"{_INSTEAD}"
            ) from error


def check_mount_point(directory: Path) -> None:
    """Raises UsageError unless a mount can be made there: an empty directory."""
    try:
        entries = os.listdir(directory)
    except FileNotFoundError:
        raise UsageError(f"{directory} does not exist; make it: mkdir {directory}") from None
    except NotADirectoryError:
        raise UsageError(f"{directory} is not a directory") from None
    except OSError as error:
        if error.errno == errno.ENOTCONN:
            raise UsageError(
                f"{directory} is a mount whose process is gone; free it: rowvault umount "
                f"{directory}"
            ) from None
        raise
    if os.path.ismount(directory):
        raise UsageError(
            f"something is mounted at {directory} already; rowvault umount {directory}"
        )
    if entries:
        raise UsageError(f"{directory} is not empty; what is in it would be hidden")


def unmount(directory: Path) -> None:
    """Ends a mount; whoever serves it ends, too. Raises MountError."""
    if not (_is_dead(directory) or os.path.ismount(directory)):
        raise MountError(f"nothing is mounted at {directory}")
    command = unmount_command(str(directory))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip() or f"{command[0]} ended with {done.returncode}"
        raise MountError(
            f"{directory} could not be unmounted: {reason}. Close the files and shells in it first."
        )


def _is_dead(directory: Path) -> bool:
    """Whether it is a mount whose process is gone."""
    try:
        os.stat(directory)
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


def _decoder_count() -> int:
    """One more than processors: while one waits for its next request, another one works."""
    return min(_MOST_DECODERS, (os.cpu_count() or 1) + 1)


def _server() -> tuple[Callable[..., None], Callable[[int], Decoders]]:
    if not _DEVICE.exists():
        raise MountError(
            f"{_DEVICE} is not there: this system has no FUSE. Load it (modprobe fuse), or give it "
            f"to the container (--device {_DEVICE} --cap-add SYS_ADMIN). {_INSTEAD}"
        )
    try:
        from rowvault.mount.decoders import Decoders
        from rowvault.mount.fuse import serve
    except ImportError as error:
        raise MountError(
            f"mounting needs pyfuse3 and trio ({error}): apt-get install fuse3 libfuse3-dev "
            f"pkg-config, then pip install 'rowvault[mount]'. {_INSTEAD}"
        ) from error
    return serve, Decoders


def _likely_reason(options: MountOptions) -> str:
    """What mostly keeps a mount from being made, as far as it can be seen from here."""
    if shutil.which(_HELPER) is None:
        return f"{_HELPER} is not installed: apt-get install fuse3. "
    if options.allow_other and os.getuid():
        return f"--allow-other needs the line user_allow_other in {_CONFIGURATION}. "
    return ""


def _root(repository: Repository, options: MountOptions) -> Directory:
    only = Excerpt(options.database, options.table)
    if options.snapshot is None:
        snapshots = MountedSnapshots(repository, only)
        snapshots.listed()  # what cannot be listed is not mounted
        return RepositoryDirectory(snapshots)
    wanted = wanted_part(options.database, options.table)
    snapshot = options.snapshot.of(repository, wanted).snapshot
    return SnapshotDirectory(SnapshotText(repository, snapshot, only))
