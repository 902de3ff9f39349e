"""How a command reaches its repository."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from rowvault.core.errors import CorruptError, MissingError, TruncatedError
from rowvault.repository import KnownHead, Repository, state_directory
from rowvault.storage.location import open_storage


class RepositoryAccess(msgspec.Struct, frozen=True):
    """Where a repository is, and who knows its password."""

    location: str
    password: Callable[[], bytes]
    """Called only when the repository is encrypted."""
    asks_a_person: bool = False
    """`password` may have to prompt, which only the main thread does well."""

    @contextmanager
    def open(self, *, whole: bool = True) -> Iterator[Repository]:
        """The open repository, closed afterwards; without `whole` also where directories lack.

        Raises NoRepositoryError, WrongPasswordError, UnsupportedFormatError, GroupMissingError.
        """
        repository = self._open(whole)
        try:
            with _advising():
                yield repository
        finally:
            repository.close()

    @contextmanager
    def open_ahead(self) -> Iterator[Opening]:
        """Begins to open the repository, which takes a while where a key must be derived.

        It is closed afterwards.
        """
        opening = Opening(self._open, in_background=not self.asks_a_person)
        try:
            with _advising(lambda: opening.succeeded):
                yield opening
        finally:
            opening.close_if_open()

    def _open(self, whole: bool = True) -> Repository:
        repository = Repository.open(open_storage(self.location), self.password, whole=whole)
        repository.known_head = KnownHead(state_directory(), repository.id, repository.location)
        return repository


@contextmanager
def _advising(is_open: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Says what to do about damage that work on an open repository has met."""
    try:
        yield
    except (CorruptError, TruncatedError, MissingError) as error:
        if not is_open():  # met while opening: other advice is given there
            raise
        advised = type(error)(
            f"{str(error).removesuffix('.')}. `rowvault check --read-data` names the snapshots and "
            "rows that this damage reaches; all others can be restored."
        )
        # Its notes, of what was done before it, are still true.
        vars(advised).update(vars(error))
        raise advised from error


class Opening:
    """A repository that is being opened in a thread, or was opened before anything else."""

    def __init__(self, opens: Callable[[], Repository], in_background: bool) -> None:
        self._opens = opens
        self._repository: Repository | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        if in_background:
            self._thread.start()
        else:
            self._run()

    def _run(self) -> None:
        try:
            self._repository = self._opens()
        except BaseException as error:  # the thread that waits for it raises it again
            self._error = error

    @property
    def succeeded(self) -> bool:
        """The repository is open."""
        return self._repository is not None

    @property
    def has_failed(self) -> bool:
        """It is known already that `result` raises."""
        return self._error is not None

    def result(self) -> Repository:
        """The repository, once it is open. Raises what `RepositoryAccess.open` raises."""
        self._wait()
        if self._repository is None:
            raise self._error or RuntimeError("the repository was neither opened nor refused")
        return self._repository

    def close_if_open(self) -> None:
        """Closes what was opened; does not wait for what may never come, as a password may not."""
        if self._repository is not None:
            self._repository.close()

    def _wait(self) -> None:
        if self._thread.is_alive():
            self._thread.join()
