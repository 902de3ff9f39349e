"""MySQL and MariaDB: what a connection needs.

`source` and `target`, which say what is done over connections, are loaded by those who need them.
"""

from rowvault.source.mysql.wire.login import Login
from rowvault.source.mysql.wire.options import ConnectOptions, TlsOptions

__all__ = ["ConnectOptions", "Login", "TlsOptions"]
