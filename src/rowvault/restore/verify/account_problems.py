"""How the users, roles and grants of a live server differ from a snapshot's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rowvault.core.model import ObjectDefinition
from rowvault.restore.selection.grants import Reach
from rowvault.sqltext.mysql.account import SETTLE_ROLE


def account_problems(
    wanted: Iterable[ObjectDefinition], found: Iterable[ObjectDefinition], reach: Reach
) -> Iterator[str]:
    """One message for each that is missing or otherwise, and for what the server has beyond it.

    Grants out of reach are none of the comparison's business. No message shows a statement: it may
    hold a password's hash.
    """
    # Who may give a role shows in the grants of the role.
    expected = {one.label: one for one in wanted if one.order != SETTLE_ROLE}
    there = {one.label: one for one in found if one.order != SETTLE_ROLE}
    for label, one in expected.items():
        if label not in there:
            yield f"{label}: not on the server"
        elif there[label].statement != one.statement:
            yield f"{label}: otherwise on the server"
        elif there[label].session != one.session:
            yield f"{label}: the password was set at another time on the server"
    for label in sorted(there.keys() - expected.keys()):
        if reach.covers(there[label]):
            yield f"{label}: on the server, but not in the snapshot"
