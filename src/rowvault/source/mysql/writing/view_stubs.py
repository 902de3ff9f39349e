"""Makes stand-ins for what a broken view reads, for as long as the view is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rowvault.core.model import ObjectDefinition
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection
from rowvault.sqltext.mysql.session_marks import is_broken
from rowvault.sqltext.mysql.view_stub import ViewStub, view_stubs

_IS_THERE = frozenset({1007, 1050, 1304})
"""A database, a table or view, a function of this name."""


@contextmanager
def with_view_stubs(
    connection: Connection, vendor: str, view: ObjectDefinition, task: str
) -> Iterator[None]:
    """Within it a broken view can be made; its database and charset are in use.

    What is there already stays. Nothing is done for any other object. Raises StatementError.
    """
    made: list[ViewStub] = []
    try:
        for one in view_stubs(view, vendor) if is_broken(view) else ():
            if _make(connection, one, task):
                made.append(one)
        yield
    finally:
        for one in reversed(made):
            connection.execute(one.drop, task)


def _make(connection: Connection, stub: ViewStub, task: str) -> bool:
    try:
        connection.execute(stub.make, task)
    except faults.StatementError as error:
        if error.code in _IS_THERE:
            return False
        raise
    return True
