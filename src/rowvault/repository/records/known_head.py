"""What this host has seen of a repository's ledger: enough to notice that it was rolled back.

One file for each repository, `$XDG_STATE_HOME/rowvault/<id>.json`, with an entry for each place
where the repository was opened: a copy of it elsewhere may well be older.
"""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

import msgspec

from rowvault.core.decoding import decode_json
from rowvault.core.ids import RepositoryId

_log = logging.getLogger(__name__)


class Head(msgspec.Struct, frozen=True):
    """One entry of the ledger."""

    number: int
    mark: str
    """The first digits of its hash."""


class _Places(msgspec.Struct, frozen=True):
    places: dict[str, Head] = {}


def state_directory() -> Path:
    """$XDG_STATE_HOME/rowvault (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME") or ""
    # The specification has a relative path ignored.
    root = Path(base) if os.path.isabs(base) else Path("~/.local/state").expanduser()
    return root / "rowvault"


class KnownHead:
    """The newest entry that this host has seen of the repository at one place."""

    def __init__(self, directory: Path, repository: RepositoryId, location: str) -> None:
        self._path = directory / f"{repository}.json"
        self._place = os.path.realpath(location)
        self._has_told = False

    def read(self) -> Head | None:
        """None where nothing is known; a file that cannot be read is told in a warning."""
        return self._read().places.get(self._place)

    def write(self, head: Head, known: Head | None) -> None:
        """Remembers it, unless it is what is known; what cannot be written is a warning."""
        if head == known:
            return
        self._write({**self._read().places, self._place: head})

    def forget(self) -> None:
        """Knows nothing of this place any more; what cannot be written is a warning."""
        places = self._read().places
        if places.pop(self._place, None) is not None:
            self._write(places)

    def _write(self, places: dict[str, Head]) -> None:
        temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                temporary.write_bytes(msgspec.json.encode(_Places(places)))
                os.replace(temporary, self._path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            self._tell(error)

    def _read(self) -> _Places:
        try:
            return decode_json(self._path.read_bytes(), _Places)
        except FileNotFoundError:
            return _Places()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._tell(error)
            return _Places()

    def _tell(self, error: Exception) -> None:
        if not self._has_told:
            self._has_told = True
            _log.warning(
                "what this host knows of the repository cannot be kept in %s (%s), so it could not "
                "notice that the repository was rolled back", self._path, error,
            )  # fmt: skip
