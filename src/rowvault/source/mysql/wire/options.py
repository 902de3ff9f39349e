"""What is needed to reach one server."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import msgspec

from rowvault.core.errors import UsageError

DEFAULT_PORT = 3306
READ_TIMEOUT_S = 3600
"""A server that sorts a large table says nothing for long; a host that is gone never speaks."""


class TlsOptions(msgspec.Struct, frozen=True):
    """How a connection is encrypted."""

    mode: str = "preferred"
    """`off`, `preferred` (where the server offers it) or `required`."""
    ca: str = ""
    """File of the authorities to trust; the server's certificate is checked against them."""
    cert: str = ""
    key: str = ""
    verify: str = ""
    """`identity` (the default where `ca` is given), `ca` or `none`."""

    def context(self) -> ssl.SSLContext:
        """The context that these options ask for. Raises UsageError for unusable files."""
        try:
            verify = self.verify or ("identity" if self.ca else "none")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = verify == "identity"
            context.verify_mode = ssl.CERT_NONE if verify == "none" else ssl.CERT_REQUIRED
            if self.ca:
                context.load_verify_locations(cafile=self.ca)
            elif verify != "none":
                # Reading the system's authorities takes longer than connecting: only when needed.
                context.load_default_certs()
            if self.cert:
                context.load_cert_chain(self.cert, self.key or None)
        except (OSError, ValueError) as error:
            raise UsageError(f"The TLS files cannot be used: {error}") from error
        return context


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """Where the server is and who asks. The password shows in no text form of this."""

    user: str
    host: str = "localhost"
    port: int = DEFAULT_PORT
    unix_socket: str = ""
    password: str | None = field(default=None, repr=False)
    tls: TlsOptions = field(default_factory=TlsOptions)
    connect_timeout_s: int = 10

    @property
    def address(self) -> str:
        """Where it is, for messages: `host:port`, or the socket's path."""
        return self.unix_socket or f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without the password."""
        user = quote(self.user, safe="")
        if self.unix_socket:
            query = urlencode({"unix_socket": self.unix_socket}, quote_via=quote, safe="/")
            return f"mysql://{user}@localhost/?{query}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mysql://{user}@{host}:{self.port}/"
