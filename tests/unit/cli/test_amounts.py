"""Rates and bounds as they are typed."""

from __future__ import annotations

import click
import pytest

from rowvault.cli.input.amounts import load_limit, rate


@pytest.mark.parametrize(
    ("typed", "bytes_per_s"),
    [
        ("64k", 64 << 10),
        ("20M", 20 << 20),
        ("20MiB", 20 << 20),
        ("1GB", 1 << 30),
        ("20M/s", 20 << 20),
        (None, None),
    ],
)
def test_a_rate(typed: str | None, bytes_per_s: int | None) -> None:
    assert rate(typed) == bytes_per_s


@pytest.mark.parametrize("typed", ["", "M", "-1M", "1.5M", "65536", "63K", "1X", "20 M/s"])
def test_no_rate(typed: str) -> None:
    with pytest.raises(click.BadParameter):
        rate(typed)


@pytest.mark.parametrize(
    ("typed", "limit"),
    [
        ("Threads_running>40", ("Threads_running", 40.0)),
        (" Innodb_row_lock_current_waits > 0.5 ", ("Innodb_row_lock_current_waits", 0.5)),
        (None, None),
    ],
)
def test_a_bound(typed: str | None, limit: tuple[str, float] | None) -> None:
    assert load_limit(typed) == limit


@pytest.mark.parametrize("typed", ["", "Threads_running", "Threads_running>", ">1", "a<1", "a>b"])
def test_no_bound(typed: str) -> None:
    with pytest.raises(click.BadParameter):
        load_limit(typed)
