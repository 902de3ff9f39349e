"""What a server's error number means to us."""

from __future__ import annotations

from pymysql import err

from rowvault.core.errors import (
    AccessDeniedError,
    ConnectError,
    ConnectionLostError,
    SourceError,
    UnknownObjectError,
)

TABLE_CHANGED = 1412
TABLE_IS_ANOTHER = frozenset({TABLE_CHANGED, 1054, 1146, 1176})
"""It changed under a transaction, or lacks a column or an index that it had, or is gone."""
NO_SUCH_VALUE = frozenset({1292, 1525})
"""A literal is no value of the type that it is compared with, although a row may hold it."""
LOCAL_NOT_ALLOWED = frozenset({1148, 3948, 4166})
"""The server takes no LOAD DATA LOCAL."""
LOCK_TIMEOUT = 1205
DEADLOCK = 1213
UNKNOWN_VARIABLE = 1193
SYNTAX_ERROR = 1064
UNKNOWN_STATEMENT = 1295
"""Some statements are refused so where a feature is not built in."""
NO_SUCH_USER_DEFINER = 1449
VIEW_INVALID = 1356
_BROKEN_TABLE = frozenset(
    {1016, 1017, 1030, 1033, 1034, 1035, 1194, 1195, 1286, 1459, 1707, 1812, 1813, 1932}
)
"""Its files are missing, damaged or too old, or its engine is not there."""
_LAST_OF_HANDLERS = 200
"""Numbers up to it are those of engines and of the operating system."""
BEYOND_PACKET = 1301
"""A function's result is larger than max_allowed_packet, and is NULL instead."""

_TOO_MANY = frozenset({1040, 1203, 1226})
"""The server, or the account's max_user_connections, allows no further connection."""
_OFFLINE = 3032
"""MySQL lets nobody in who has not CONNECTION_ADMIN (offline_mode)."""
_DENIED = frozenset({1044, 1045, 1095, 1142, 1143, 1227, 1345, 1370, 1410, 1698})
_UNKNOWN = frozenset({1049, 1051, 1109, 1146, 1305})
_LOST = frozenset({0, 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2055, 4031})
"""1053: the server goes down; 1927: the connection was killed; 0: the socket is closed already."""


class StatementError(SourceError):
    """The server refused a statement; `code` is its number for the reason."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class StatementDeniedError(AccessDeniedError, StatementError):
    """A right is missing for a statement."""


class UnknownNameError(UnknownObjectError, StatementError):
    """A statement names what the server does not have."""


class LostError(ConnectionLostError, StatementError):
    """The connection ended during a statement."""


def statement_error(error: Exception, address: str, task: str) -> StatementError:
    """Our error for one of PyMySQL's; `task` says what was being done, never with a value."""
    code, text = error_parts(error)
    if code in _LOST or isinstance(error, err.InterfaceError):
        reason = text or "it is closed"
        return LostError(f"The connection to {address} was lost while {task}: {reason}", code)
    return refusal(code, text, address, task)


def refusal(code: int, text: str, address: str, task: str) -> StatementError:
    """Our error for an answer of the server that is an error."""
    message = f"{address} refused while {task}: {text} (error {code})"
    if code in _LOST:
        return LostError(message, code)
    if code in _DENIED:
        return StatementDeniedError(message, code)
    if code in _UNKNOWN:
        return UnknownNameError(message, code)
    return StatementError(message, code)


def connect_error(error: Exception, address: str, user: str) -> ConnectError:
    """Our error for a connection that could not be made."""
    code, text = error_parts(error)
    if code in (1045, 1698):
        return LoginError(
            f"{address} does not let user {user!r} in: {text}. "
            "Check the user and the password (MYSQL_PWD or --defaults-file)."
        )
    if code in _TOO_MANY:
        return ConnectError(
            f"No connection to {address}: {text} (error {code}). Use fewer connections with -j 1, "
            "or raise the limit on the server."
        )
    if code == _OFFLINE:
        return ConnectError(
            f"No connection to {address}: {text} (error {code}). SET GLOBAL offline_mode = OFF "
            "there, or come as an account with CONNECTION_ADMIN."
        )
    return ConnectError(f"No connection to {address}: {text}. Is the server running there?")


def is_broken_table(error: StatementError) -> bool:
    """The server has the table, and cannot open it."""
    return error.code in _BROKEN_TABLE or 0 < error.code <= _LAST_OF_HANDLERS


class LoginError(ConnectError):
    """The user or the password is wrong."""


def error_parts(error: Exception) -> tuple[int, str]:
    """(number, text) of an exception of PyMySQL or of the socket."""
    arguments = error.args
    if len(arguments) >= 2 and isinstance(arguments[0], int):
        return arguments[0], str(arguments[1])
    return 0, str(error)
