"""What a person can do about an error of a target: sentences for the end of a message."""

from __future__ import annotations

from rowvault.core.errors import RestoreError, SourceError
from rowvault.source.mysql.wire.faults import StatementError

_GRANT = "Grant the account what it lacks, or restore with another account."
_ROOM = "Make room on the target."
_READ_ONLY = (
    "The target is read-only: SET GLOBAL read_only = OFF (on MySQL super_read_only too), or "
    "restore to the primary server."
)
_RELEASE = (
    "The target's release or build does not know it: restore to the release of the snapshot's "
    "server (`rowvault show` names it) or to a newer one."
)
_ENGINE = (
    "Enable the storage engine on the target, or leave the table out by naming others with -t."
)
_SIZE = (
    "The snapshot's server allows more: restore to a server with its innodb_page_size and row "
    "formats (`rowvault show` names them)."
)

_PARTITION = (
    "At the source this row lies in a partition whose bounds it violates, as EXCHANGE PARTITION "
    "... WITHOUT VALIDATION leaves it: mend the table there and back it up again, or leave it out "
    "by naming others with -t."
)

_ADVICE = {
    1044: _GRANT,
    1142: _GRANT,
    1143: _GRANT,
    1227: _GRANT,
    1370: _GRANT,
    1410: _GRANT,
    1419: "Set log_bin_trust_function_creators = ON on the target, or restore with an account that "
    "has SUPER.",
    3: _ROOM,
    1021: _ROOM,
    1026: _ROOM,
    1114: _ROOM,
    1836: _READ_ONLY,
    3100: _READ_ONLY,
    1115: _RELEASE,
    1273: _RELEASE,
    1064: _RELEASE,
    1193: _RELEASE,
    1286: _ENGINE,
    3161: _ENGINE,
    1071: _SIZE,
    1526: _PARTITION,
    1748: _PARTITION,
    1118: _SIZE,
    1153: "Raise max_allowed_packet on the target (at most 1 GiB).",
    3750: "Set sql_require_primary_key = OFF on the target, or grant the account "
    "SESSION_VARIABLES_ADMIN, with which a restore sets it for itself.",
}


_BY_OPTION = 1290
_OPTION = (
    "Start the target without the option that the message names, or restore to another server."
)


def _advice(error: StatementError) -> str | None:
    if error.code == _BY_OPTION:
        return _READ_ONLY if "read-only" in str(error) else _OPTION
    return _ADVICE.get(error.code)


def advised(error: SourceError) -> str:
    """The error's message, and behind it what can be done."""
    advice = _advice(error) if isinstance(error, StatementError) else None
    return f"{error}. {advice}" if advice else str(error)


def restore_error(error: SourceError, what: str = "") -> RestoreError:
    """The error as one of the restore; `what` says what could not be done."""
    return RestoreError(f"{what}: {advised(error)}" if what else advised(error))
