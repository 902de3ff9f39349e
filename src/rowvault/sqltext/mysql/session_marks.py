"""What an object's session says beside variables of the server."""

from __future__ import annotations

from rowvault.core.model import ObjectDefinition

INVALID = "invalid"
"""The source could not make the view either: what it refers to is gone."""

OWN_COLLATION = "own_collation"
"""Its database's collation, where the object was made under another one."""


def is_broken(definition: ObjectDefinition) -> bool:
    """A view that refers to something that is gone."""
    return INVALID in dict(definition.session)
