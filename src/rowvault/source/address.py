"""SOURCE and TARGET on the command line: which server, and who asks."""

from __future__ import annotations

import configparser
import getpass
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pymysql.optionfile import Parser

from rowvault.core.errors import UsageError
from rowvault.core.monitor import Monitor
from rowvault.source.mysql import ConnectOptions, Login, TlsOptions
from rowvault.source.mysql.wire.options import DEFAULT_PORT
from rowvault.source.protocol import DEFAULT_LOCKING, Locking, Source, Target

MYSQL_FORM = "mysql://USER@HOST:PORT/"
SQLITE_FORM = "sqlite:///PATH.db"

_FORMS = f"Give {MYSQL_FORM} (also with ?unix_socket=PATH) or {SQLITE_FORM}."
_PARAMETERS = ("unix_socket", "ssl", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify")
_SSL = ("off", "preferred", "required")
_SSL_VERIFY = ("identity", "ca", "none")
_GROUPS = ("client", "client-server", "client-mariadb")

AskPassword = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed SOURCE or TARGET; no text form of it shows the password."""

    scheme: str
    """`mysql` or `sqlite`."""
    path: Path | None = None
    """SQLite's file."""
    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_address(url: str) -> Address:
    """The address that a URL names. Raises UsageError, which shows the form to use."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in ("mysql", "mariadb", "sqlite"):
        # Nothing of the URL is repeated: it may hold a password.
        raise UsageError(f"That is not the address of a server. {_FORMS}")
    try:
        parts = urlsplit(url)
        port = parts.port
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=False))
    except ValueError as error:
        raise UsageError(f"The address cannot be read. {_FORMS}") from error
    if scheme == "sqlite":
        return _sqlite_address(parts)
    if parts.path not in ("", "/"):
        database = unquote(parts.path.strip("/"))
        raise UsageError(f"An address names a server only; choose the database by -d {database}.")
    _check_parameters(parameters)
    return Address(
        scheme="mysql",
        host=unquote(parts.hostname) if parts.hostname else None,
        port=port,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        parameters=parameters,
    )


def open_source(
    address: Address,
    monitor: Monitor,
    defaults_file: Path | None = None,
    ask_password: AskPassword | None = None,
    locking: Locking = DEFAULT_LOCKING,
) -> Source:
    """The server, to be read. Connects when a snapshot is opened. Raises UsageError."""
    if address.path is not None:
        # Start-up time, here and below: each run needs one or two of the four.
        from rowvault.source.sqlite import SqliteSource

        return SqliteSource(address.path)
    from rowvault.source.mysql.source import MysqlSource

    login = _login(address, monitor, defaults_file, ask_password)
    return MysqlSource(login, monitor, locking)


def open_target(
    address: Address,
    monitor: Monitor,
    defaults_file: Path | None = None,
    ask_password: AskPassword | None = None,
) -> Target:
    """The server, to be written; connects. Raises UsageError, ConnectError."""
    if address.path is not None:
        from rowvault.source.sqlite import SqliteTarget

        return SqliteTarget(address.path)
    from rowvault.source.mysql.writing.target import MysqlTarget

    return MysqlTarget(_login(address, monitor, defaults_file, ask_password), monitor)


def _sqlite_address(parts: SplitResult) -> Address:
    if parts.netloc or parts.query or not parts.path.strip("/"):
        raise UsageError(
            f"Give {SQLITE_FORM}: three slashes, then the path; four for one that begins at /."
        )
    path = unquote(parts.path[1:])
    return Address(scheme="sqlite", path=Path(path))


def _check_parameters(parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        if name not in _PARAMETERS:
            known = ", ".join(_PARAMETERS)
            raise UsageError(f"The address has an unknown parameter {name}. There are: {known}.")
        allowed = {"ssl": _SSL, "ssl_verify": _SSL_VERIFY}.get(name)
        if allowed and value not in allowed:
            raise UsageError(f"{name} may be one of: {', '.join(allowed)}.")


def _login(
    address: Address,
    monitor: Monitor,
    defaults_file: Path | None,
    ask_password: AskPassword | None,
) -> Login:
    file = _read_options(defaults_file) if defaults_file is not None else {}
    if address.password is not None:
        monitor.warning(
            "the password stands in the address, where other users of this machine can see it; "
            "use MYSQL_PWD or --defaults-file."
        )
    return Login(connect_options(address, file), ask_password)


def connect_options(address: Address, file: Mapping[str, str]) -> ConnectOptions:
    """The address, filled up from an option file and MYSQL_PWD. Raises UsageError."""
    unix_socket = address.parameters.get("unix_socket", "")
    if not unix_socket and address.host in (None, "localhost") and address.port is None:
        unix_socket = file.get("socket", "")
    password = address.password
    if password is None:
        password = file.get("password", os.environ.get("MYSQL_PWD"))
    try:
        port = address.port or int(file.get("port") or DEFAULT_PORT)
    except ValueError as error:
        raise UsageError("The option file's port is not a number.") from error
    return ConnectOptions(
        user=address.user or file.get("user") or getpass.getuser(),
        host=address.host or file.get("host") or "localhost",
        port=port,
        unix_socket=unix_socket,
        password=password,
        tls=_tls_options(address.parameters, file),
    )


def _tls_options(parameters: Mapping[str, str], file: Mapping[str, str]) -> TlsOptions:
    ca = parameters.get("ssl_ca") or file.get("ssl-ca", "")
    cert = parameters.get("ssl_cert") or file.get("ssl-cert", "")
    key = parameters.get("ssl_key") or file.get("ssl-key", "")
    verify = parameters.get("ssl_verify", "")
    asked = bool(ca or cert or key or verify or _is_on(file, "ssl"))
    mode = parameters.get("ssl") or ("required" if asked else "preferred")
    if verify in ("identity", "ca") and mode != "required":
        raise UsageError(f"ssl_verify={verify} needs ssl=required.")
    return TlsOptions(mode=mode, ca=ca, cert=cert, key=key, verify=verify)


def _is_on(file: Mapping[str, str], name: str) -> bool:
    return name in file and file[name].lower() not in ("0", "off", "false")


def _read_options(path: Path) -> dict[str, str]:
    """The options of the client groups of an option file. Raises UsageError."""
    parser = Parser(strict=False, interpolation=None)
    options: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(_without_includes(file))
        for group in _GROUPS:
            if parser.has_section(group):
                options |= {name: parser.get(group, name) or "" for name in parser.options(group)}
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        # The parser's own message would repeat the line, which may hold a password.
        reason = error.strerror if isinstance(error, OSError) else "it is not an option file"
        raise UsageError(f"The option file {path} cannot be read: {reason}.") from None
    return options


def _without_includes(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if not line.lstrip().startswith("!include")]
