"""Transactions that see one state of the server, begun on several connections at once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence

from rowvault.source.mysql.consistency.position import Position, of_transaction
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection

TASK = "taking the snapshot"

_BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT"
_TRIES = 40
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05


def begin(connections: Sequence[Connection]) -> None:
    """Sent to every server thread before any answer is waited for."""
    for connection in connections:
        connection.send(_BEGIN, TASK)
    for connection in connections:
        connection.receive(TASK)


def roll_back(connections: Sequence[Connection]) -> None:
    """Ends the transactions; with them go the locks on definitions."""
    for connection in connections:
        connection.execute("ROLLBACK", TASK)


def begin_at_one_position(connections: Sequence[Connection]) -> list[Connection]:
    """Begins until all stand at one position of the log: no commit came between.

    Gives the connections that agree. After many tries these may be fewer; those that
    are left over have no transaction. Every try begins all of them anew: under many commits a
    latecomer never meets the position at which others wait, but all at once often agree.
    """
    group: list[Connection] = []
    pause_s = _FIRST_PAUSE_S
    for attempt in range(_TRIES):
        if attempt:
            roll_back(connections)
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        begin(connections)
        group = _largest_group(connections)
        if len(group) == len(connections):
            break
    roll_back([one for one in connections if one not in group])
    return group


def _largest_group(connections: Sequence[Connection]) -> list[Connection]:
    groups: dict[Position, list[Connection]] = defaultdict(list)
    for connection in connections:
        groups[of_transaction(connection)].append(connection)
    return max(groups.values(), key=len)


def begin_as_twins(connections: Sequence[Connection]) -> str:
    """Percona Server: all others begin as twins of the first; why not, or empty.

    https://docs.percona.com/percona-server/8.4/start-transaction-with-consistent-snapshot.html
    """
    first, *others = connections
    begin([first])
    try:
        for other in others:
            other.execute(f"{_BEGIN} FROM SESSION {first.connection_id}", TASK)
    except faults.LostError:
        raise
    except faults.StatementError as error:
        roll_back(connections)
        return f"transactions cannot be cloned: {error}"
    return ""
