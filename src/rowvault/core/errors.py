"""Every error that Rowvault raises on purpose.

RowvaultError
├── UsageError               the caller: options or arguments that cannot be met
│   └── AmbiguousSnapshotError a name that several snapshots or sources answer to
├── SourceError              the database administrator: the live server
│   ├── ConnectError           no connection, wrong database password
│   ├── AccessDeniedError      a right is missing
│   ├── UnknownObjectError     a database or table that is not there
│   ├── ConnectionLostError    a connection ended in mid-work
│   ├── ProtocolError          bytes that are not the MySQL protocol
│   └── SnapshotLostError      the one moment in time could not be taken or held
├── RepositoryError          the keeper of the repository
│   ├── NoRepositoryError      nothing there, or something else is there
│   ├── RepositoryExistsError
│   ├── UnsupportedFormatError a newer format, or an unknown mandatory feature
│   ├── WrongPasswordError
│   ├── LockedError
│   ├── SnapshotNotFoundError
│   └── StorageError           the disk or the network: full, unwritable, gone
│       ├── ObjectMissingError
│       ├── ObjectExistsError
│       ├── ObjectChangedError   compare-and-swap met another content
│       ├── GroupMissingError    a directory that must be there is not
│       └── UnreadableError      the disk does not give back what it holds
├── DamageError              stored bytes that are not what was stored
│   ├── CorruptError           the bytes fail their check
│   ├── TruncatedError         the object is shorter than it must be
│   └── MissingError           an object that others refer to is not there
├── RestoreError             the target of a restore
│   ├── TargetExistsError      something of that name is there already
│   └── VerificationError      the target does not hold what the snapshot holds
└── MountError               a directory that cannot be mounted or unmounted

Each message says what happened, where, and what to do next. Exit codes are the command line's.
"""


class RowvaultError(Exception):
    """The root of all errors raised on purpose; str() is one message fit for a person."""


class UsageError(RowvaultError):
    """Options or arguments that cannot be met."""


class AmbiguousSnapshotError(UsageError):
    """Several snapshots or sources answer to a name; which one is meant, only a person knows."""

    def __init__(self, message: str, spec: str, sources: bool, choices: tuple[str, ...]) -> None:
        """`choices`: names of sources, or ids that may stand in the place of `spec`."""
        super().__init__(message)
        self.spec = spec
        self.sources = sources
        self.choices = choices


class SourceError(RowvaultError):
    """The live server refused, failed or vanished."""


class ConnectError(SourceError):
    """No connection could be made."""


class AccessDeniedError(SourceError):
    """The account lacks a right."""


class UnknownObjectError(SourceError):
    """A database or table that the server does not have."""


class ConnectionLostError(SourceError):
    """A connection ended in mid-work; a snapshot never outlives it."""


class ProtocolError(SourceError):
    """The bytes of a result stream do not follow the protocol."""


class SnapshotLostError(SourceError):
    """The one moment in time could not be taken, or could not be held to the end."""


class RepositoryError(RowvaultError):
    """The repository cannot do what was asked."""


class NoRepositoryError(RepositoryError):
    """No repository at that place."""


class RepositoryExistsError(RepositoryError):
    """A repository is at that place already."""


class UnsupportedFormatError(RepositoryError):
    """The repository was written by a newer version, or needs an unknown feature."""


class WrongPasswordError(RepositoryError):
    """No key slot opens with that password."""


class LockedError(RepositoryError):
    """Somebody else is at work and excludes this operation."""


class SnapshotNotFoundError(RepositoryError):
    """No snapshot, or more than one, answers to that name."""


class StorageError(RepositoryError):
    """The place that holds the repository failed."""


class ObjectMissingError(StorageError):
    """No object of that name."""


class ObjectExistsError(StorageError):
    """An object of that name is there already."""


class ObjectChangedError(StorageError):
    """The object's content is not the expected one; nothing was written."""


class GroupMissingError(StorageError):
    """A group of objects is not there, which is something else than an empty one."""


class UnreadableError(StorageError):
    """The disk reports that it cannot give back what is stored there."""


class DamageError(RowvaultError):
    """Stored bytes are not what was stored."""


class CorruptError(DamageError):
    """Stored bytes fail their check."""


class TruncatedError(DamageError):
    """A stored object is shorter than it must be."""


class MissingError(DamageError):
    """A stored object that others refer to is not there."""


class RestoreError(RowvaultError):
    """The target of a restore refused or failed."""


class TargetExistsError(RestoreError):
    """The target holds something of that name already."""


class VerificationError(RestoreError):
    """The target does not hold what the snapshot holds."""


class MountError(RowvaultError):
    """A directory cannot be mounted or unmounted."""
