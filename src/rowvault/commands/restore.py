"""`restore`: puts a snapshot back on a server and proves it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rowvault.commands.access import RepositoryAccess
from rowvault.commands.chosen import SnapshotChoice, wanted_names
from rowvault.commands.incomplete import lacks_of
from rowvault.commands.server import ServerAccess
from rowvault.core.errors import UsageError
from rowvault.core.monitor import Monitor
from rowvault.repository import FoundSnapshot, Repository
from rowvault.restore.engine import RestoreRequest, RestoreResult, run_restore
from rowvault.source.protocol import ExistingObject, Target

_NAMED = 5


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What to restore, and where to."""

    repository: RepositoryAccess
    snapshot: SnapshotChoice
    target: ServerAccess
    request: RestoreRequest
    onto: str | None = None
    """The target's name, by which a person says that it may be written over."""
    ask: Callable[[str], str | None] | None = None
    """Asks a person a question; None, or giving None: there is nobody."""


def _consent(
    options: RestoreOptions, repository: Repository, found: FoundSnapshot, target: Target
) -> Callable[[Sequence[ExistingObject]], None]:
    """What raises UsageError unless dropping what it is given is meant for this very target.

    Raises UsageError at once where `--onto` names another server.
    """
    names = repository.sources().target_names(target.server)
    if options.onto is not None and options.onto not in names:
        target.abort()
        raise UsageError(
            f"The target is {names[0]}, not {options.onto}; nothing was changed. Look at the "
            "address once more."
        )

    def consent(dropped: Sequence[ExistingObject]) -> None:
        if options.onto is not None or found.source in names:
            return
        what = ", ".join(one.label for one in sorted(dropped)[:_NAMED]) or "its users"
        more = f" and {len(dropped) - _NAMED} more" if len(dropped) > _NAMED else ""
        told = (
            f"snapshot {found.snapshot.id} is of {found.source}, and the target is {names[0]}, "
            f"where {what}{more} would be dropped"
        )
        question = f"{told[0].upper()}{told[1:]}. Type the target's name to go on"
        typed = None if options.ask is None else options.ask(question)
        if typed not in names:
            raise UsageError(
                f"{told}; nothing was changed. If that is what you want, say --onto "
                f"{shlex.quote(names[0])}."
            )

    return consent


def restore(options: RestoreOptions, monitor: Monitor) -> RestoreResult:
    """Restores and, unless told otherwise, reads everything back and compares.

    Raises SnapshotNotFoundError, RestoreError, VerificationError, DamageError, ConnectError.
    """
    with options.repository.open_ahead() as opened:
        target = options.target.target(monitor)
        repository = opened.result()
        wanted = wanted_names(options.request.databases, options.request.tables)
        found = options.snapshot.of(repository, wanted)
        lacks = lacks_of(found.snapshot, wanted)
        consent = _consent(options, repository, found, target)
        result = run_restore(
            repository,
            found.snapshot,
            target,
            options.target.source,
            replace(options.request, consent=consent),
            monitor,
        )
        return replace(result, incomplete=lacks)
