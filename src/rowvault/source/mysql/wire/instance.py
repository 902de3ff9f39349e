"""Whether connections reach one and the same server."""

from __future__ import annotations

import msgspec

from rowvault.core.errors import ConnectError
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.wire.server import IDENTITY, global_variables

_SAME_START_S = 2
"""Times are told in whole seconds, and not at the same instant."""


class InstanceMark(msgspec.Struct, frozen=True):
    """What tells one server from another."""

    names: tuple[tuple[str, str], ...]
    """Its uuid, id, host, port, data directory."""
    started_at: int
    """Unix time by the server's own clock: servers that were copied share the rest."""

    def is_same(self, other: InstanceMark) -> bool:
        """Whether both can be of one server."""
        return (
            self.names == other.names and abs(self.started_at - other.started_at) <= _SAME_START_S
        )


def instance_mark(connection: Connection) -> InstanceMark:
    """The mark of the server that this connection reaches."""
    names = tuple(sorted(global_variables(connection, IDENTITY).items()))
    rows = connection.rows("SHOW GLOBAL STATUS LIKE 'Uptime'")
    now = connection.rows("SELECT UNIX_TIMESTAMP()")[0][0]
    return InstanceMark(names, int(now or 0) - int(rows[0][1] or 0))


def check_same_server(first: InstanceMark, other: InstanceMark, address: str) -> None:
    """Raises ConnectError when a proxy led two connections to different servers."""
    if not first.is_same(other):
        raise ConnectError(
            f"The connections to {address} reach different servers: a proxy or a load balancer "
            "stands in between. Name one server, by its own address."
        )
