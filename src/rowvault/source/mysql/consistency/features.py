"""What the server can do for one moment over several connections, asked and never guessed."""

from __future__ import annotations

import msgspec

from rowvault.source.mysql.consistency.position import log_end, of_transaction
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.mysql.wire.server import global_variables

_VARIABLES = (
    "gtid_mode",
    "have_snapshot_cloning",
    "log_bin",
    "log_replica_updates",
    "log_slave_updates",
    "wsrep_on",
)


class SnapshotFeatures(msgspec.Struct, frozen=True):
    """The answers."""

    keeps_log: bool = False
    tells_positions: bool = False
    """A transaction tells at which position of the log it stands (MariaDB, Percona Server)."""
    clones: bool = False
    """A transaction can begin as another one's twin (Percona Server)."""
    owns_gtids: bool = False
    """Every commit owns an id from before it is logged until it shows (MySQL, gtid_mode=ON)."""
    unlogged: str = ""
    """Why commits may happen that the log does not hold; positions then prove nothing."""


def read_features(control: Connection) -> SnapshotFeatures:
    """Asks the server."""
    values = global_variables(control, _VARIABLES)
    on = {name for name, value in values.items() if value.upper() in ("ON", "1", "YES")}
    keeps_log = "log_bin" in on
    return SnapshotFeatures(
        keeps_log=keeps_log,
        tells_positions=keeps_log and bool(of_transaction(control)[0]),
        clones="have_snapshot_cloning" in on,
        owns_gtids=keeps_log and "gtid_mode" in on,
        unlogged=_unlogged(control, on) if keeps_log else "",
    )


def _unlogged(control: Connection, on: set[str]) -> str:
    if log_end(control).is_filtered:
        return "the binary log leaves out some databases (binlog_do_db, binlog_ignore_db)"
    if on & {"log_slave_updates", "log_replica_updates"}:
        return ""
    if "wsrep_on" in on:
        return "the binary log lacks what other nodes of the cluster write (log_slave_updates)"
    rows = control.rows("SHOW GLOBAL STATUS LIKE 'Slave%\\_running'")
    if any(text(row[1]).upper() not in ("0", "OFF", "") for row in rows):
        return "the binary log lacks what replication writes (log_slave_updates)"
    return ""
