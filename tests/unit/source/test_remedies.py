"""What a message advises goes by the cause, not by the number alone."""

from __future__ import annotations

import pytest
from pymysql import err

from rowvault.source.mysql.wire.faults import StatementError, connect_error
from rowvault.source.mysql.writing.remedies import advised


@pytest.mark.parametrize(
    ("option", "advice"),
    [
        ("--read-only", "SET GLOBAL read_only = OFF"),
        ("--super-read-only", "super_read_only"),
        ("--skip-grant-tables", "without the option that the message names"),
        ("--secure-file-priv", "without the option that the message names"),
    ],
)
def test_an_option_that_forbids_a_statement(option: str, advice: str) -> None:
    told = advised(StatementError(f"the server is running with the {option} option", 1290))
    assert advice in told


@pytest.mark.parametrize("code", [1040, 1203, 1226])
def test_too_many_connections(code: int) -> None:
    told = str(connect_error(err.OperationalError(code, "too many"), "db:3306", "u"))
    assert "-j 1" in told
    assert "Is the server running" not in told
