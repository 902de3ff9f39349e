"""Transactions that begin at one state, on connections that answer by a script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from rowvault.source.mysql.consistency import transactions
from rowvault.source.mysql.consistency.position import gtid_of_transaction, of_transaction
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, Reply

NOTHING = Reply(columns=(), rows=(), affected_rows=0, warning_count=0, nullable=())
BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT"


class Scripted:
    """A connection that notes what it is told, and stands at scripted positions in turn."""

    def __init__(self, number: int, positions: Sequence[int] = (), refuses: str = "") -> None:
        self.connection_id = number
        self.said: list[str] = []
        self._positions = list(positions)
        self._refuses = refuses

    def send(self, statement: str, task: str) -> None:
        self.said.append(statement)

    def receive(self, task: str) -> Reply:
        return NOTHING

    def execute(self, statement: str, task: str) -> Reply:
        if self._refuses and self._refuses in statement:
            raise faults.refusal(1064, "no such syntax", "here", task)
        self.said.append(statement)
        return NOTHING

    def rows(self, statement: str, task: str) -> tuple[tuple[bytes, bytes], ...]:
        position = self._positions.pop(0) if len(self._positions) > 1 else self._positions[0]
        return (
            (b"Binlog_snapshot_file", b"bin.000007"),
            (b"Binlog_snapshot_position", b"%d" % position),
            (b"Binlog_snapshot_gtid_executed", b"uuid:1-9,\nother:1"),
        )


def connections(*all_of: Scripted) -> list[Connection]:
    return cast(list[Any], list(all_of))


def test_twins_begin_as_the_first_one() -> None:
    """Percona Server's own form of the statement."""
    first, second, third = (Scripted(number, [4]) for number in (11, 12, 13))
    assert transactions.begin_as_twins(connections(first, second, third)) == ""
    assert first.said == [BEGIN]
    assert second.said == third.said == [f"{BEGIN} FROM SESSION 11"]


def test_a_server_that_cannot_clone_leaves_no_transaction() -> None:
    first, second = Scripted(11, [4]), Scripted(12, [4], refuses="FROM SESSION")
    assert "cannot be cloned" in transactions.begin_as_twins(connections(first, second))
    assert first.said == [BEGIN, "ROLLBACK"]
    assert second.said == ["ROLLBACK"]


def test_what_a_transaction_tells() -> None:
    (one,) = connections(Scripted(1, [4]))
    assert of_transaction(one) == ("bin.000007", 4)
    assert gtid_of_transaction(one) == "uuid:1-9,other:1"


def test_all_begin_anew_until_they_agree() -> None:
    first, second = Scripted(1, [4, 6, 8]), Scripted(2, [5, 7, 8])
    both = connections(first, second)
    assert transactions.begin_at_one_position(both) == both
    assert first.said == second.said == [BEGIN, "ROLLBACK", BEGIN, "ROLLBACK", BEGIN]


def test_who_never_agrees_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "_TRIES", 3)
    apart, second, third = Scripted(1, [9]), Scripted(2, [8]), Scripted(3, [8])
    all_of = connections(apart, second, third)
    assert transactions.begin_at_one_position(all_of) == all_of[1:]
    assert apart.said[-1] == "ROLLBACK"
    assert second.said[-1] == third.said[-1] == BEGIN
