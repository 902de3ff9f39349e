"""Which server it is, and how it is set up."""

from __future__ import annotations

from rowvault.core.model import ServerInfo
from rowvault.core.source_name import default_name
from rowvault.source.mysql.wire.connection import Connection, text
from rowvault.source.mysql.wire.options import ConnectOptions
from rowvault.sqltext.quoting import mysql_string

_SETTINGS = (
    "character_set_server",
    "collation_server",
    "default_storage_engine",
    "innodb_page_size",
    "log_bin",
    "lower_case_table_names",
    "sql_mode",
    "system_time_zone",
    "time_zone",
)
IDENTITY = ("datadir", "hostname", "port", "server_id", "server_uid", "server_uuid")
"""Variables that differ from server to server."""


def global_variables(connection: Connection, names: tuple[str, ...]) -> dict[str, str]:
    """The values of those of these global variables that the server has."""
    listed = ", ".join(mysql_string(name) for name in names)
    rows = connection.rows(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({listed})")
    return {text(row[0]).lower(): text(row[1]) for row in rows}


def read_server(connection: Connection, options: ConnectOptions) -> ServerInfo:
    """What a snapshot keeps about its server."""
    values = global_variables(connection, (*_SETTINGS, *IDENTITY, "version"))
    vendor = "mariadb" if "mariadb" in values.get("version", "").lower() else "mysql"
    return ServerInfo(
        vendor=vendor,
        version=values.get("version", ""),
        server_id=_server_id(values),
        url=options.url,
        settings=tuple((name, values[name]) for name in _SETTINGS if name in values),
        name=default_name(options.url, values.get("hostname", ""), values.get("port", "")),
    )


def _server_id(values: dict[str, str]) -> str:
    """MySQL's uuid; where there is none, host, port and data directory.

    MariaDB's server_uid is made from the host's hardware and the port: two servers on one machine
    may share it, so it alone does not tell servers apart.
    """
    if values.get("server_uuid"):
        return values["server_uuid"]
    parts = (values.get(name, "") for name in ("hostname", "port", "datadir"))
    return ":".join(parts)
