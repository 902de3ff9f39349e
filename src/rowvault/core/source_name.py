"""The name that a source has where nobody gave it one.

`host:port` of the address, in lower case, with the port also where it is the default one. An
address that leads to this machine (a loopback address, a socket) would be the same for every
machine's server: there it is the server's own @@hostname and @@port. An SQLite file is known by its
absolute path.
"""

from __future__ import annotations

from hashlib import blake2s
from ipaddress import ip_address
from urllib.parse import parse_qs, unquote, urlsplit

from rowvault.core.model import ServerInfo

DEFAULT_PORT = 3306
_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")


def default_name(url: str, hostname: str = "", port: str = "") -> str:
    """The name for a server at this address, which calls itself `hostname` and listens on `port`.

    Without a hostname a local server is `localhost:<port of the address>`.
    """
    if url.startswith("sqlite:"):
        return unquote(url.removeprefix("sqlite:///"))
    try:
        parts = urlsplit(url)
        host, stated_port = _plain_host(unquote(parts.hostname or "")), parts.port
    except ValueError:
        return url  # nothing that this program wrote; still a name of its own
    if not (_is_local(host) or "unix_socket" in parse_qs(parts.query)):
        return f"{_bracketed(host)}:{stated_port or DEFAULT_PORT}"
    if hostname:
        # A server that does not listen at all has the port 0.
        return hostname.lower() if port in ("", "0") else f"{hostname.lower()}:{port}"
    return f"localhost:{stated_port or DEFAULT_PORT}"


def name_of_server(server: ServerInfo) -> str:
    """The default name of a server; found from address and identity where none was recorded.

    MariaDB's identity is `hostname:port:datadir`. MySQL's is a uuid, which tells no hostname.
    """
    if server.name:
        return server.name
    parts = server.server_id.split(":", 2)
    if server.vendor != "sqlite" and len(parts) == 3:
        return default_name(server.url, parts[0], parts[1])
    return default_name(server.url)


def is_local(server: ServerInfo) -> bool:
    """Whether it was reached in a way that leads to each machine's own server."""
    return default_name(server.url, "-") == "-"


def lacks_hostname(server: ServerInfo) -> bool:
    """Whether `name_of_server` cannot follow the rule: a local MySQL of an older snapshot."""
    return not server.name and is_local(server) and server.server_id.count(":") < 2


def with_identity(name: str, server_id: str) -> str:
    """The name for a second server that answers to the default name of another one."""
    return f"{name}#{blake2s(server_id.encode(), digest_size=4).hexdigest()}"


def _plain_host(host: str) -> str:
    host = host.rstrip(".").lower()
    try:
        return ip_address(host).compressed
    except ValueError:
        return host


def _is_local(host: str) -> bool:
    if not host or host in _LOCAL_NAMES or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
