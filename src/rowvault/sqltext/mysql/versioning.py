"""System-versioned tables of MariaDB whose history is stored with them.

Their rows hold the start and the end of each version, which an INSERT may give only in a session
that says so (MariaDB manual, "system_versioning_insert_history").
"""

from __future__ import annotations

from rowvault.core.model import TableDefinition

INSERT_HISTORY = "system_versioning_insert_history"


def is_with_history(table: TableDefinition) -> bool:
    """The snapshot holds all versions of its rows, not the current ones alone."""
    return INSERT_HISTORY in dict(table.session)
