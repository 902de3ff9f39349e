"""Who views and programs will run as on the target: kept as they are, or another account.

What is changed is part of what was chosen: it is made, and compared, with its new definer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rowvault.core.errors import RestoreError, UsageError
from rowvault.core.model import ObjectDefinition, ObjectKind
from rowvault.restore.selection.selection import RestoreSelection
from rowvault.source.protocol import Target
from rowvault.sqltext.mysql.definer import Definer, definer_of, with_definer
from rowvault.sqltext.mysql.session_marks import is_broken
from rowvault.sqltext.order import tables_read

KEEP, DROP = "keep", "drop"
_NAMED = 5
_INVOKER = b" SQL SECURITY INVOKER VIEW "


@dataclass(frozen=True, slots=True)
class Defined:
    """What one account defines, of all that is restored."""

    definer: str
    becomes: str
    """The same where it is kept."""
    exists: bool | None
    """`becomes` is an account of the target, or will be. None: the account may not know."""
    objects: tuple[str, ...]
    """Labels."""

    def told(self) -> str:
        """A sentence where something is other than at the source; else ''."""
        listed = _listed(self.objects)
        if self.becomes != self.definer:
            return f"{self.becomes} is the definer, in place of {self.definer}, of {listed}"
        if self.exists is False:
            return (
                f"{self.definer}, the definer of {listed}, does not exist on the target: they fail "
                "when they are used, until it does"
            )
        return ""


def parse_definer(text: str) -> Definer | str:
    """`keep` and `drop` as they are; otherwise 'name'@'host', quoted or bare. Raises UsageError."""
    if text in (KEEP, DROP):
        return text
    user, at, host = text.rpartition("@")
    if not at or not user or not host:
        raise UsageError(
            f"--definer {text}: say keep, drop, or an account as NAME@HOST, such as app@localhost"
        )
    return Definer(_bare(user), _bare(host))


def with_definers(
    chosen: RestoreSelection, wanted: Definer | str, target: Target
) -> tuple[RestoreSelection, list[Defined]]:
    """What was chosen, with the definers that it gets; and who defines what.

    Raises UsageError where a statement cannot name the new one.
    """
    own = target.account()
    if own is None:
        return chosen, []
    new = own if wanted == DROP else wanted
    _check_name(chosen, new, target)
    known = target.account_names()
    if known is not None:
        known |= {one.name for one in chosen.accounts if one.kind in _ACCOUNTS}
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    exists: dict[str, bool | None] = {}
    objects = []
    for one in chosen.objects:
        former = definer_of(one)
        if former is None:
            objects.append(_unnamed(one, wanted))
            continue
        changed = one
        if isinstance(new, Definer):
            try:
                changed = with_definer(one, new)
            except ValueError as error:
                raise UsageError(f"--definer {new}: {error}. Give an account in ASCII") from error
        becomes = definer_of(changed) or former
        found[str(former), str(becomes)].append(one.label)
        exists[str(becomes)] = None if known is None else becomes.quoted in known
        objects.append(changed)
    result = [
        Defined(former, becomes, exists[becomes], tuple(labels))
        for (former, becomes), labels in sorted(found.items())
    ]
    return replace(chosen, objects=tuple(objects)), result


def _check_name(chosen: RestoreSelection, new: Definer | str, target: Target) -> None:
    """Raises UsageError for a name that MariaDB gives events otherwise."""
    if not isinstance(new, Definer) or "@" not in new.user or target.server.vendor != "mariadb":
        return
    for one in chosen.objects:
        if one.kind is ObjectKind.EVENT:
            raise UsageError(
                f"--definer: {one.label} cannot have the definer {new}, for MariaDB takes what "
                "stands behind the first @ for the host of an event's definer. Give an account "
                "without @ in its name"
            )


def check_definers(chosen: RestoreSelection, defined: Sequence[Defined]) -> None:
    """Raises RestoreError for views that read what is defined by an account that is not there.

    A server makes no view of such a view or function.
    """
    lacking = {
        label: one.becomes for one in defined if one.exists is False for label in one.objects
    }
    stuck = [
        f"{view.label} reads {label}, whose definer {lacking[label]} does not exist on the target"
        for view in chosen.objects
        if view.kind is ObjectKind.VIEW and not is_broken(view)
        for label in _read_by(view, chosen.objects)
        if label in lacking
    ]
    if stuck:
        more = f"\nand {len(stuck) - _NAMED} more" if len(stuck) > _NAMED else ""
        raise RestoreError(
            "these views cannot be made, and nothing was changed:\n"
            + "\n".join(stuck[:_NAMED])
            + more
            + "\nMake these accounts on the target, restore the snapshot's with --users, or give "
            "--definer drop or --definer NAME@HOST"
        )


_ACCOUNTS = (ObjectKind.USER, ObjectKind.ROLE)


def _read_by(view: ObjectDefinition, objects: Iterable[ObjectDefinition]) -> list[str]:
    """Labels of views that run as their definers, and of functions, in a view's text."""
    read = tables_read(view)
    found = []
    for one in objects:
        if one.kind is ObjectKind.VIEW:
            runs_as_definer = _INVOKER not in one.statement
            if one is not view and runs_as_definer and (one.database, one.name) in read:
                found.append(one.label)
        elif one.kind is ObjectKind.FUNCTION:
            called = b"`" + one.name.replace("`", "``").encode("utf-8", "surrogateescape") + b"`("
            if called.lower() in view.statement.lower():
                found.append(one.label)
    return found


def _unnamed(definition: ObjectDefinition, wanted: Definer | str) -> ObjectDefinition:
    """An object whose definer is not legible stays as it is. Raises UsageError otherwise."""
    if wanted != KEEP and b" DEFINER=" in definition.statement[:64]:
        raise UsageError(
            f"--definer: who defines {definition.label} cannot be read in the charset of its text; "
            "leave it out by naming others with -t, or keep the definers"
        )
    return definition


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - _NAMED
    return ", ".join(labels[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _bare(name: str) -> str:
    quote = name[:1]
    if len(name) > 1 and quote in "'\"`" and name.endswith(quote):
        return name[1:-1].replace(quote * 2, quote)
    return name
