"""After a power cut at any moment of a repair, all that was readable is; a repair goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crash.power_cut import Disk, State
from crash.proof import Proof, record
from crash.test_prune_stops import dying_process
from crash.test_repair_stops import base, do_repair, rows_given
from rowvault.core.errors import RowvaultError
from rowvault.core.monitor import SilentMonitor
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from support.memory_storage import MemoryStorage
from support.sample_repository import Row, open_plain

__all__ = ["base", "dying_process"]


def mend(place: Path, proof: Proof) -> None:
    """The run under test."""
    do_repair(LocalStorage(place))


def problems(states: list[State], expected: set[tuple[int, Row]]) -> Iterator[str]:
    """What does not hold in these states."""
    for number, state in enumerate(states):
        storage = MemoryStorage(dict(state))
        try:
            if rows_given(storage) != expected:
                yield f"state {number} gives other rows"
            do_repair(storage)
            with open_plain(storage) as repository:
                report = check(repository, True, SilentMonitor())
            yield from (str(error) for error in report.errors)
            if rows_given(storage) != expected or not do_repair(storage).found_nothing:
                yield f"state {number} is not mended"
        except RowvaultError as error:
            yield f"state {number}: {error}"


def states_of(proof: Proof) -> list[State]:
    return list(dict.fromkeys(state for state, _ in proof.states))


@pytest.mark.usefixtures("dying_process")
def test_every_state_of_a_repair_is_sound(
    base: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    expected = rows_given(LocalStorage(base))
    states = states_of(record(base, mend, Disk(base), monkeypatch, ()))
    assert list(problems(states, expected)) == []
    tell(f"{len(states)} states after a power cut during a repair")


MUTANTS: dict[str, Callable[[str, bool], bool]] = {
    "files": lambda path, is_directory: not is_directory,
    "names of packs": lambda path, is_directory: path.startswith("packs/"),
    "names of segments": lambda path, is_directory: path == "index",
    "names of snapshots": lambda path, is_directory: path == "snapshots",
}


@pytest.mark.parametrize("mutant", MUTANTS)
@pytest.mark.usefixtures("dying_process")
def test_a_repair_without_one_fsync_is_caught(
    mutant: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = rows_given(LocalStorage(base))
    states = states_of(record(base, mend, Disk(base, MUTANTS[mutant]), monkeypatch, ()))
    assert any(problems(states, expected))
