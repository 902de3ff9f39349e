"""From what a person writes to the storage that is meant."""

from __future__ import annotations

import re
from pathlib import Path

from rowvault.core.errors import UsageError
from rowvault.storage.local import LocalStorage
from rowvault.storage.protocol import Storage

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)


def open_storage(location: str) -> Storage:
    """The storage at a path, or at a `file://` URL; nothing is touched yet.

    Raises UsageError for an empty location and for a kind of storage that is not known.
    """
    match = _SCHEME.fullmatch(location)
    scheme, path = (match[1].lower(), match[2]) if match else ("file", location)
    if scheme != "file":
        raise UsageError(
            f"{location}: repositories on {scheme}:// are not supported; give the path of a "
            "directory"
        )
    if not path:
        raise UsageError("the location of the repository is empty; give the path of a directory")
    return LocalStorage(Path(path).expanduser())
