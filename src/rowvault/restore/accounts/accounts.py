"""Users, roles and grants on their way into a target.

They are made before the objects that name them as definers, their grants after the objects that
these are on. What cannot be made is named and left out: a target may lack an authentication method,
or a table that nobody restores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from rowvault.core.errors import (
    AccessDeniedError,
    ConnectionLostError,
    RestoreError,
    TargetExistsError,
)
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.core.monitor import Monitor
from rowvault.restore.accounts.parts import (
    Parts,
    current_login,
    given_role,
    grouped,
    holds,
    login_of,
    rights_of,
)
from rowvault.restore.progress import RestoreProgress
from rowvault.restore.selection.grants import Reach
from rowvault.source.protocol import AccountTarget
from rowvault.sqltext.mysql.account import (
    DEFAULT_ROLE,
    GRANT_RIGHT,
    GRANT_ROLE,
    PUBLIC,
    SETTLE_ROLE,
    account_of,
    before_objects,
    behind_objects,
)

_NAMED_CONFLICTS = 5


class AccountRestore:
    """Compares what is wanted with what is there, and makes the difference."""

    def __init__(
        self,
        wanted: Sequence[ObjectDefinition],
        reach: Reach,
        target: AccountTarget,
        monitor: Monitor,
    ) -> None:
        self._target = target
        self._monitor = monitor
        self._reach = reach
        self._wanted = grouped(wanted)
        self._there: dict[str, Parts] = {}
        self._new: set[str] = set()
        self._replaced: set[str] = set()
        self._same: set[str] = set()
        self._failed: set[str] = set()
        """Labels of what could not be made, named already."""

    def check(self, replace: bool) -> None:
        """Finds what is to be made; changes nothing.

        Raises TargetExistsError where another user or role of the same name is there, unless it
        may be replaced; AccessDeniedError; RestoreError for what the target cannot take.
        """
        self._target.check(self._parts(self._wanted))
        self._there = grouped(self._target.existing())
        self._new = self._wanted.keys() - self._there.keys() - {self._target.in_use, PUBLIC}
        for name, parts in self._wanted.items():
            if name in self._there and self._is_same(parts, self._there[name]):
                self._same.add(name)
            elif name not in self._new and name not in (self._target.in_use, PUBLIC):
                self._replaced.add(name)
        if self._replaced and not replace:
            conflicts = sorted(self._replaced)
            names = ", ".join(conflicts[:_NAMED_CONFLICTS])
            more = len(conflicts) - _NAMED_CONFLICTS
            raise TargetExistsError(
                f"the target has {names}{f' and {more} more' if more > 0 else ''} already, with "
                "another definition or other grants; nothing was changed. Drop them on the target, "
                "restore without --users, or give --replace"
            )

    def make(self, progress: RestoreProgress) -> None:
        """Makes users and roles, without grants; `progress` knows how far it came.

        Where one that was replaced cannot be made, the former one stands again, or is told.
        """
        kept = self._kept_grants()
        gone: set[str] = set()
        try:
            for name in sorted(self._replaced):
                found = self._definition(self._there[name])
                self._target.drop(found)
                gone.add(name)
                progress.dropped(found)
            for one in before_objects(self._parts(self._new | self._replaced)):
                self._create(one, progress)
                if one.kind is not ObjectKind.PASSWORD and one.label not in self._failed:
                    gone.discard(account_of(one))
        except RestoreError as error:
            if not isinstance(error.__cause__, ConnectionLostError):
                self._give_back(gone | self._lost())
            raise
        self._give_back(self._lost())
        # What these users and roles held beyond the snapshot's reach, and who held the roles.
        for one in behind_objects(kept):
            if not self._definition_failed(account_of(one)):
                self._make(one, progress)

    def _lost(self) -> set[str]:
        return {name for name in self._replaced if self._definition_failed(name)}

    def _give_back(self, names: Iterable[str]) -> None:
        """Makes former users and roles again whose successors could not be made."""
        for name in sorted(names):
            parts = self._there[name].values()
            label = self._definition(self._there[name]).label
            try:
                for one in (*before_objects(parts), *behind_objects(parts)):
                    self._target.create(one)
            except RestoreError as error:
                if isinstance(error.__cause__, ConnectionLostError):
                    raise
                self._monitor.warning(
                    f"the former {label} is gone and could not be given back: {error}; make it "
                    "anew on the target, with its password and grants"
                )
            else:
                self._monitor.warning(f"the former {label} stands again, with what it held")

    @property
    def remade(self) -> Set[str]:
        """Users and roles that hold what the snapshot says, and nothing from before."""
        return {name for name in self._new | self._replaced if not self._definition_failed(name)}

    @property
    def made(self) -> int:
        """How many users and roles were made."""
        return sum(not self._definition_failed(one) for one in self._new | self._replaced)

    @property
    def left_out(self) -> list[str]:
        """Labels of what could not be made or granted, told already."""
        return sorted(self._failed)

    def grant_rights_early(self) -> None:
        """Gives those rights that can be given yet, for views that read as their definers.

        What cannot be given is no matter here: `grant` gives all, and tells. Raises RestoreError
        where the connection is lost.
        """
        grants = [
            one
            for one in self._parts(self._new | self._replaced)
            if one.kind is ObjectKind.GRANT and one.order in (GRANT_RIGHT, GRANT_ROLE)
        ]
        for one in behind_objects(grants):
            if self._definition_failed(account_of(one)):
                continue
            try:
                self._target.create(one)
            except RestoreError as error:
                if isinstance(error.__cause__, ConnectionLostError):
                    raise

    def grant(self, progress: RestoreProgress) -> None:
        """Gives users and roles what they hold."""
        made = self._new | self._replaced
        grants = [one for one in self._parts(made) if one.kind is ObjectKind.GRANT]
        # With a routine that was replaced, all rights on it are gone.
        now = grouped(self._target.existing())
        for name in sorted({*self._same, PUBLIC} & self._wanted.keys()):
            parts = self._wanted[name].values()
            grants += [
                one
                for one in parts
                if one.order != SETTLE_ROLE and not holds(now.get(name, {}), one)
            ]
        for one in self._wanted.get(self._target.in_use, {}).values():
            # Who holds a role is a part of the role.
            if one.order == GRANT_ROLE and given_role(one) in made:
                grants.append(one)
        for one in behind_objects(grants):
            self._create(one, progress)

    def differences(self) -> list[str]:
        """One message for each part that is not on the target as it is wanted; empty: all are.

        The account in use is left as it is; where it differs, that is a warning.
        """
        found = grouped(self._target.existing())
        messages: list[str] = []
        for name, parts in sorted(self._wanted.items()):
            if name == self._target.in_use:
                if not self._is_same(parts, found.get(name, {})):
                    self._monitor.warning(
                        f"user {name} is the account in use: it is left as it is, which is not as "
                        "the snapshot has it"
                    )
            elif name in self._new | self._replaced | self._same or name == PUBLIC:
                messages += self._differences(name, parts, found.get(name, {}))
        return messages

    def _differences(self, name: str, wanted: Parts, found: Parts) -> Iterable[str]:
        is_current = current_login(wanted) == current_login(found)
        if is_current and self._has_former(wanted) and login_of(wanted) != login_of(found):
            self._monitor.warning(
                f"former passwords of user {name} are not kept by the target; it is asked to by "
                "password_history and password_reuse_interval"
            )
            wanted, found = rights_of(wanted), rights_of(found)
        for label, one in wanted.items():
            if label in self._failed or one.order == SETTLE_ROLE:
                continue
            if label not in found:
                yield f"{label}: not on the target"
            elif found[label].statement != one.statement:
                yield f"{label}: otherwise on the target"
            elif found[label].session != one.session and name not in self._same:
                self._monitor.warning(f"{label}: its password has another age on the target")
        if name in self.remade:
            kept = {one.label for one in self._kept_grants()}
            for label in found.keys() - wanted.keys() - kept:
                yield f"{label}: on the target, but not in the snapshot"

    def _is_same(self, wanted: Parts, found: Parts) -> bool:
        for one in wanted.values():
            # Who holds a role that is made is a part of the role: MariaDB's root mostly does.
            comes = one.order == GRANT_ROLE and given_role(one) in self._new
            if not (comes or one.order == SETTLE_ROLE or holds(found, one)):
                return False
        more = [one for label, one in found.items() if label not in wanted]
        return not any(self._reach.whole or one.kind is not ObjectKind.GRANT for one in more)

    def _kept_grants(self) -> list[ObjectDefinition]:
        """Grants that go with what is dropped, but are none of the snapshot's business."""
        kept = []
        for name, parts in self._there.items():
            if name in self._replaced:
                kept += [
                    one
                    for one in parts.values()
                    if one.kind is ObjectKind.GRANT and not self._reach.covers(one)
                ]
                continue
            lost = [one for one in parts.values() if given_role(one) in self._replaced]
            if any(one.order == GRANT_ROLE for one in lost):
                lost += [one for one in parts.values() if one.order == DEFAULT_ROLE]
            kept += lost
        return kept

    def _create(self, definition: ObjectDefinition, progress: RestoreProgress) -> None:
        account = account_of(definition)
        if self._definition_failed(account) or self._definition_failed(given_role(definition)):
            self._failed.add(definition.label)
            return
        self._make(definition, progress)

    def _make(self, definition: ObjectDefinition, progress: RestoreProgress) -> None:
        account = account_of(definition)
        self._monitor.item(definition.label)
        try:
            self._target.create(definition)
            progress.made(definition)
        except RestoreError as error:
            if isinstance(error.__cause__, ConnectionLostError):
                raise
            if (
                isinstance(error.__cause__, AccessDeniedError)
                and definition.kind is not ObjectKind.GRANT
            ):
                raise RestoreError(
                    f"{error}. Restore as a user who has CREATE USER, or leave out --users"
                ) from error
            self._failed.add(definition.label)
            what = "it is left out"
            if definition.kind is ObjectKind.PASSWORD:
                # With a former password only, the user must not stay.
                user = self._definition(self._wanted[account])
                self._target.drop(user)
                self._failed.add(user.label)
                what = f"{user.label} is left out"
            elif definition.kind is not ObjectKind.GRANT:
                what += " with its grants"
            self._monitor.warning(f"{error}; {what}")

    def _definition_failed(self, account: str) -> bool:
        return any(
            f"{kind} {account}" in self._failed for kind in (ObjectKind.USER, ObjectKind.ROLE)
        )

    def _parts(self, names: Iterable[str]) -> list[ObjectDefinition]:
        return [one for name in sorted(names) for one in self._wanted[name].values()]

    @staticmethod
    def _definition(parts: Parts) -> ObjectDefinition:
        return next(one for one in parts.values() if one.kind in (ObjectKind.USER, ObjectKind.ROLE))

    @staticmethod
    def _has_former(parts: Parts) -> bool:
        return any(one.kind is ObjectKind.PASSWORD for one in parts.values())
