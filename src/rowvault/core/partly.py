"""What a command has done already when it fails: said with the error, so that nobody guesses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

_DONE = "done_before"


@contextmanager
def partly(key: str, say: Callable[[Sequence[str]], str]) -> Iterator[list[str]]:
    """Collects what is done; an error on the way, also Ctrl-C, gets a note about it.

    `say` makes the note of what is done, which is not empty; `key` is the word for it in `--json`.
    """
    done: list[str] = []
    try:
        yield done
    except BaseException as error:
        if done:
            error.add_note(say(done))
            setattr(error, _DONE, {key: list(done), **done_before(error)})
        raise


def done_before(error: BaseException) -> Mapping[str, list[str]]:
    """What had been done, under the words for it; empty: nothing."""
    found: Mapping[str, list[str]] = getattr(error, _DONE, {})
    return found
