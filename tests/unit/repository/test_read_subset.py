"""Subsets of packs: several checks together read all of them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from rowvault.cli.input.amounts import read_subset
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.read_subset import PackAmount, PackShare, ReadSubset
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from rowvault.upkeep.check.engine import check
from rowvault.upkeep.check.report import CheckReport
from support.sample_repository import SMALL, open_plain, sample_rows, take_snapshot


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with Repository.create(LocalStorage(tmp_path / "place"), None, SMALL) as repository:
        take_snapshot(repository, {("shop", "orders"): sample_rows(600)})
    return tmp_path / "place"


def run(place: Path, subset: ReadSubset | bool) -> CheckReport:
    with open_plain(LocalStorage(place)) as repository:
        return check(repository, subset, SilentMonitor())


def test_shares_cover_all_packs_once(place: Path) -> None:
    reports = [run(place, PackShare(number, 5)) for number in range(1, 6)]
    assert sum(report.packs_read for report in reports) == reports[0].packs > 5


@pytest.mark.parametrize("amount", [PackAmount(part=0.2), PackAmount(size_bytes=9000)])
def test_amounts_go_on_where_the_last_check_ended(place: Path, amount: PackAmount) -> None:
    """A flipped bit in any pack is found within one round, although each check reads little."""
    packs = [path for path in (place / "packs").rglob("*") if path.is_file()]
    data = bytearray(packs[-1].read_bytes())
    data[100] ^= 1
    packs[-1].write_bytes(data)
    found = read = 0
    while read < len(packs):
        report = run(place, amount)
        assert 0 < report.packs_read < len(packs) // 2 + 1
        read += report.packs_read
        found += bool(report.errors)
    assert found >= 1


def test_a_lost_mark_starts_from_the_beginning(place: Path) -> None:
    run(place, PackAmount(part=0.2))
    mark = place / "gc" / "verified"
    mark.write_bytes(b"")
    assert run(place, PackAmount(part=0.2)).errors == []
    assert mark.stat().st_size > 0


@pytest.mark.parametrize(
    ("text", "subset"),
    [
        (None, False),
        ("100%", True),
        ("2/7", PackShare(2, 7)),
        ("2.5%", PackAmount(part=0.025)),
        ("5G", PackAmount(size_bytes=5 << 30)),
        ("50M", PackAmount(size_bytes=50 << 20)),
    ],
)
def test_the_forms(text: str | None, subset: ReadSubset | bool) -> None:
    assert read_subset(text) == subset


@pytest.mark.parametrize("text", ["", "0/7", "8/7", "0%", "101%", "0G", "-1%", "all", "1/0"])
def test_what_is_no_subset(text: str) -> None:
    with pytest.raises(click.BadParameter):
        read_subset(text)
