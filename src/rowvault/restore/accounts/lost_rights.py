"""Rights that a server takes away with an object that is dropped to make room."""

from __future__ import annotations

from collections.abc import Container, Sequence

from rowvault.core.errors import ConnectionLostError, RestoreError
from rowvault.core.model import ObjectDefinition
from rowvault.core.monitor import Monitor
from rowvault.source.protocol import Target
from rowvault.sqltext.mysql.account import account_of


def give_back(
    rights: Sequence[ObjectDefinition], remade: Container[str], target: Target, monitor: Monitor
) -> None:
    """Grants what went with objects that were replaced, but not to users who are made anew."""
    for one in rights:
        if account_of(one) in remade:
            continue
        try:
            target.accounts().create(one)
        except RestoreError as error:
            if isinstance(error.__cause__, ConnectionLostError):
                raise
            monitor.warning(f"{error}; it went with the routine that was replaced")
