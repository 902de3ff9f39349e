"""Opens connections to one server, and asks for the password when the server wants one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.wire.faults import LoginError
from rowvault.source.mysql.wire.options import READ_TIMEOUT_S, ConnectOptions

AskPassword = Callable[[str], str]
"""Asks a person the question that it is given."""


class Login:
    """Options of one server; a password that was asked for serves all later connections."""

    def __init__(self, options: ConnectOptions, ask_password: AskPassword | None = None) -> None:
        self.options = options
        self._ask_password = ask_password

    def connect(
        self, read_timeout_s: int | None = READ_TIMEOUT_S, *, may_send_rows: bool = False
    ) -> Connection:
        """A new connection. Raises ConnectError."""
        try:
            return Connection(self.options, read_timeout_s, may_send_rows=may_send_rows)
        except LoginError:
            if self.options.password is not None or self._ask_password is None:
                raise
        question = f"Password of {self.options.user} at {self.options.address}: "
        password = self._ask_password(question)
        self.options = dataclasses.replace(self.options, password=password)
        return Connection(self.options, read_timeout_s, may_send_rows=may_send_rows)
