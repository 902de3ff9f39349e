"""How a command reaches a live server.

The vendors' modules are imported on use: a backup loads them while its repository is being opened.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rowvault.core.monitor import Monitor

if TYPE_CHECKING:
    from rowvault.source.protocol import Locking, Source, Target


class ServerAccess(msgspec.Struct, frozen=True):
    """Where a server is, and how its password is found."""

    url: str
    defaults_file: Path | None
    ask_password: Callable[[str], str] | None
    """Asks a person the question that it is given; None where there is nobody."""

    def source(self, monitor: Monitor, locking: Locking | None = None) -> Source:
        """The server, to be read. Raises UsageError, ConnectError."""
        from rowvault.source.address import open_source, parse_address
        from rowvault.source.protocol import DEFAULT_LOCKING

        return open_source(
            parse_address(self.url),
            monitor,
            self.defaults_file,
            self.ask_password,
            locking or DEFAULT_LOCKING,
        )

    def target(self, monitor: Monitor) -> Target:
        """The server, to be written. Raises UsageError, ConnectError."""
        from rowvault.source.address import open_target, parse_address

        return open_target(parse_address(self.url), monitor, self.defaults_file, self.ask_password)
