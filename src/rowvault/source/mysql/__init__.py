"""MySQL and MariaDB as source and as target."""

from rowvault.source.mysql.login import Login
from rowvault.source.mysql.options import ConnectOptions, TlsOptions
from rowvault.source.mysql.source import MysqlSource
from rowvault.source.mysql.target import MysqlTarget

__all__ = ["ConnectOptions", "Login", "MysqlSource", "MysqlTarget", "TlsOptions"]
