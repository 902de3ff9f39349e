"""What a restore finds amiss in users and grants, on a target that does not do as it is told."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from rowvault.core.errors import AccessDeniedError, RestoreError, TargetExistsError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.monitor import SilentMonitor
from rowvault.restore.accounts.accounts import AccountRestore
from rowvault.restore.progress import RestoreProgress
from rowvault.restore.selection.grants import Reach

APP, BOSS = "`app`@`%`", "`boss`@`%`"
DIGEST = "0x24412430"
WHOLE = Reach(True, (), ())


def user(name: str = APP, extra: str = "", steps: int = 0) -> ObjectDefinition:
    statement = f"CREATE USER {name} IDENTIFIED WITH 'm' AS {DIGEST}{extra}".encode()
    return ObjectDefinition(ObjectKind.USER, "", name, statement, order=steps)


def grant(name: str = APP, right: str = "SELECT", scope: str = "`shop`.*") -> ObjectDefinition:
    statement = f"GRANT {right} ON {scope} TO {name}".encode()
    return ObjectDefinition(ObjectKind.GRANT, "", f"{name} on {scope}", statement, (), name, 1)


def password(digest: str, number: int) -> ObjectDefinition:
    statement = f"ALTER USER {APP} IDENTIFIED WITH 'm' AS {digest}".encode()
    return ObjectDefinition(ObjectKind.PASSWORD, "", f"{APP} {number}", statement, (), APP, number)


class Server:
    """Holds users in memory; `forgets` what it is told to, `refuses` some."""

    in_use = BOSS

    def __init__(
        self,
        *there: ObjectDefinition,
        forgets: tuple[ObjectDefinition, ...] = (),
        refuses: tuple[ObjectDefinition, ...] = (),
    ) -> None:
        self.there = {one.label: one for one in there}
        self._forgets = forgets
        self._refuses = refuses

    def check(self, definitions: Iterable[ObjectDefinition]) -> None:
        """It takes everything."""

    def existing(self) -> list[ObjectDefinition]:
        return list(self.there.values())

    def create(self, definition: ObjectDefinition) -> None:
        if definition in self._refuses:
            raise RestoreError(f"{definition.label} is refused")
        if definition not in self._forgets:
            self.there[definition.label] = definition

    def drop(self, definition: ObjectDefinition) -> None:
        self.there = {
            label: one
            for label, one in self.there.items()
            if definition.name not in (one.name, one.parent)
        }


def restore(
    server: Server, *wanted: ObjectDefinition, reach: Reach = WHOLE
) -> tuple[list[str], list[str]]:
    """(differences, warnings)."""
    monitor = SilentMonitor()
    accounts = AccountRestore(wanted, reach, server, monitor)
    accounts.check(replace=True)
    standing = RestoreProgress([])
    accounts.make(standing)
    accounts.grant(standing)
    return accounts.differences(), monitor.warnings


def test_everything_made_is_no_difference() -> None:
    assert restore(Server(), user(), grant()) == ([], [])


def test_a_grant_that_is_not_there_afterwards_is_a_difference() -> None:
    server = Server(forgets=(grant(),))
    assert restore(server, user(), grant())[0] == [f"grant {APP} on `shop`.*: not on the target"]


def test_a_user_that_is_otherwise_afterwards_is_a_difference() -> None:
    server = Server(user(extra=" ACCOUNT LOCK"), forgets=(user(),))
    server.drop = lambda definition: None  # type: ignore[method-assign]
    assert restore(server, user())[0] == [f"user {APP}: otherwise on the target"]


def test_what_is_there_beyond_the_snapshot_is_a_difference() -> None:
    class Generous(Server):
        def create(self, definition: ObjectDefinition) -> None:
            super().create(definition)
            super().create(grant(scope="`more`.*"))

    assert restore(Generous(), user())[0] == [
        f"grant {APP} on `more`.*: on the target, but not in the snapshot"
    ]


def test_grants_out_of_reach_outlive_a_replaced_user() -> None:
    shop = Reach(False, ("shop",), ())
    server = Server(user(extra=" ACCOUNT LOCK"), grant(scope="`more`.*"), grant(scope="`shop`.*"))
    assert restore(server, user(), reach=shop) == ([], [])
    assert set(server.there) == {user().label, grant(scope="`more`.*").label}


def test_without_leave_nothing_is_replaced() -> None:
    server = Server(user(extra=" ACCOUNT LOCK"))
    accounts = AccountRestore((user(),), WHOLE, server, SilentMonitor())
    with pytest.raises(TargetExistsError, match="`app`@`%`"):
        accounts.check(replace=False)


def test_grants_of_a_user_that_cannot_be_made_are_left_out_with_it() -> None:
    differences, warnings = restore(Server(refuses=(user(),)), user(), grant())
    assert differences == []
    assert warnings == [f"user {APP} is refused; it is left out with its grants"]


def test_a_former_user_stands_again_where_its_successor_cannot_be_made() -> None:
    former = (user(extra=" ACCOUNT LOCK"), grant(right="DELETE"), grant(scope="`more`.*"))
    server = Server(*former, refuses=(user(),))
    differences, warnings = restore(server, user(), grant())
    assert set(server.there.values()) == set(former)
    assert differences == []
    assert warnings == [
        f"user {APP} is refused; it is left out with its grants",
        f"the former user {APP} stands again, with what it held",
    ]


def test_a_former_user_that_cannot_be_given_back_is_told() -> None:
    former = user(extra=" ACCOUNT LOCK")
    server = Server(former, refuses=(user(), former))
    _, warnings = restore(server, user(), grant())
    assert server.there == {}
    assert warnings[1] == (
        f"the former user {APP} is gone and could not be given back: user {APP} is refused; "
        "make it anew on the target, with its password and grants"
    )


def test_users_that_were_dropped_stand_again_where_making_them_ends_the_restore() -> None:
    class Closed(Server):
        def create(self, definition: ObjectDefinition) -> None:
            if definition == user():
                raise RestoreError("no") from AccessDeniedError("no")
            super().create(definition)

    former = user(extra=" ACCOUNT LOCK")
    server = Closed(former)
    with pytest.raises(RestoreError, match="Restore as a user who has CREATE USER"):
        restore(server, user())
    assert list(server.there.values()) == [former]


def test_a_user_does_not_stay_with_a_former_password() -> None:
    current = password("0x24412431", 1)
    server = Server(refuses=(current,))
    differences, warnings = restore(server, user(steps=1), current, grant())
    assert server.there == {}
    assert differences == []
    assert warnings == [f"{current.label} is refused; user {APP} is left out"]


def test_former_passwords_that_a_target_does_not_keep_are_named() -> None:
    current = password("0x24412431", 1)

    class Forgetful(Server):
        def create(self, definition: ObjectDefinition) -> None:
            if definition.kind is ObjectKind.PASSWORD:
                # The one password that it has is the current one.
                statement = user().statement.replace(DIGEST.encode(), b"0x24412431")
                definition = ObjectDefinition(ObjectKind.USER, "", APP, statement)
            super().create(definition)

    # As a manifest has them: in the order of their kinds and names.
    differences, warnings = restore(Forgetful(), current, user(steps=1))
    assert differences == []
    assert len(warnings) == 1
    assert "former passwords" in warnings[0]


def test_the_account_in_use_is_left_as_it_is() -> None:
    server = Server(user(BOSS, " ACCOUNT UNLOCK"))
    differences, warnings = restore(server, user(BOSS), grant(BOSS))
    assert differences == []
    assert list(server.there.values()) == [user(BOSS, " ACCOUNT UNLOCK")]
    assert len(warnings) == 1
    assert "in use" in warnings[0]
