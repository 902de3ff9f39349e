"""Retention: restic's rules, beside restic itself where that is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.core.errors import UsageError
from rowvault.core.ids import BlockId, SnapshotId
from rowvault.core.instant import CLOCK_TOLERANCE
from rowvault.core.model import ConsistencyPoint, ServerInfo
from rowvault.core.zone import UTC_ZONE, Zone
from rowvault.repository.records.snapshot import Snapshot, SnapshotSelection
from rowvault.repository.trees.node import Sums
from rowvault.repository.trees.tree import TreeRoot
from rowvault.upkeep.retention import (
    FUTURE,
    UNLIMITED,
    Candidate,
    Period,
    Policy,
    Span,
    group,
    judge,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def candidate(
    time: datetime,
    *tags: str,
    server: str = "s",
    databases: tuple[str, ...] = (),
    missing: tuple[str, ...] = (),
) -> Candidate:
    snapshot = Snapshot(
        time=time,
        server=ServerInfo("mysql", "9", server, f"mysql://{server}/"),
        moment=ConsistencyPoint("transaction"),
        manifest=TreeRoot(BlockId(bytes(32)), 0, Sums()),
        tables=0, rows=0, raw_bytes=0, seconds=0,
        selection=SnapshotSelection(databases=databases),
        missing=missing,
        id=SnapshotId(f"{int(time.timestamp()):016x}"),
        blocks=0, new_blocks=0, stored_bytes=0,
    )  # fmt: skip
    return Candidate(snapshot, tags)


def kept(policy: Policy, candidates: Sequence[Candidate], now: datetime = NOW) -> list[datetime]:
    verdict = judge(policy, candidates, now)
    times = [one.candidate.snapshot.time for one in verdict.kept]
    assert times == sorted(times, reverse=True)
    assert len(times) + len(verdict.dropped) == len(candidates)
    return times


LATE = datetime(2100, 1, 1, tzinfo=UTC)


def every(
    step: timedelta, count: int, newest: datetime = NOW - timedelta(hours=1)
) -> list[datetime]:
    return [newest - step * number for number in range(count)]


def test_reasons() -> None:
    times = every(timedelta(hours=12), 20)
    policy = Policy({Period.LAST: 2, Period.DAILY: 3, Period.WEEKLY: 1}, within=Span(hours=1))
    verdict = judge(policy, [candidate(time) for time in times], NOW)
    reasons = {one.candidate.snapshot.time: one.reasons for one in verdict.kept}
    assert reasons[times[0]] == ("within 1h", "last 1", "daily 1", "weekly 1")
    assert reasons[times[1]] == ("last 2", "daily 2")
    assert reasons[times[3]] == ("daily 3",)
    assert len(reasons) == 3


def test_the_oldest_fills_what_is_left() -> None:
    times = every(timedelta(hours=1), 5)
    verdict = judge(Policy({Period.DAILY: 7}), [candidate(time) for time in times], NOW)
    assert [(one.candidate.snapshot.time, one.reasons) for one in verdict.kept] == [
        (times[0], ("daily 1",)),
        (times[-1], ("oldest daily",)),
    ]


def test_days_are_those_of_utc() -> None:
    late = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    early = datetime(2026, 11, 21, 0, 1, tzinfo=UTC)
    east = early.astimezone(datetime.now().astimezone().tzinfo)
    assert len(kept(Policy({Period.DAILY: 5}), [candidate(late), candidate(east)])) == 2


def test_a_snapshot_of_the_future_moves_no_window() -> None:
    """Whoever can add a snapshot with a wrong time cannot make `--keep-within` drop the others."""
    times = [NOW + timedelta(days=400), *every(timedelta(days=1), 4)]
    assert kept(Policy(within=Span(days=7)), [candidate(time) for time in times]) == times


def test_tags() -> None:
    first, second, third = every(timedelta(days=1), 3)
    candidates = [candidate(first, "a", "b"), candidate(second, "a"), candidate(third)]
    assert kept(Policy(tags=(("a", "b"),)), candidates) == [first]
    assert kept(Policy(tags=(("a",),)), candidates) == [first, second]
    assert kept(Policy(tags=(("b",), ("",))), candidates) == [first, third]


def test_groups() -> None:
    times = every(timedelta(days=1), 4)
    groups = group(
        [
            candidate(times[0], server="a"),
            candidate(times[1], server="b"),
            candidate(times[2], server="a"),
            candidate(times[3], server="a", databases=("shop",)),
        ]
    )
    assert [len(one.candidates) for one in groups] == [2, 1, 1]
    assert [one.source for one in groups] == ["a:3306", "b:3306", "a:3306"]


@pytest.mark.parametrize("text", ["", "7", "d", "7d 2h", "-7d", "7d7d", "1w", "7D", "99999999d"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(UsageError):
        Span.parse(text)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("1m", datetime(2026, 3, 3, 10, tzinfo=UTC)),  # 31 February runs over
        ("1y", datetime(2025, 3, 31, 10, tzinfo=UTC)),
        ("3m1d", datetime(2025, 12, 30, 10, tzinfo=UTC)),
        ("36h", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("999999y", datetime.min.replace(tzinfo=UTC)),
        ("999999d", datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_calendar(text: str, before: datetime) -> None:
    assert Span.parse(text).before(datetime(2026, 3, 31, 10, tzinfo=UTC)) == before
    assert str(Span.parse(text)) == text


TIMES = st.lists(
    st.datetimes(datetime(2020, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC)),
    max_size=40,
    unique=True,
)


@given(TIMES, st.sampled_from(list(Period)), st.integers(0, 12) | st.just(UNLIMITED))
def test_a_counted_rule_against_a_plain_model(
    times: list[datetime], period: Period, count: int
) -> None:
    """The newest of each bucket, so many of them, and the oldest where there is room."""
    bucket = {
        Period.LAST: lambda time: time,
        Period.HOURLY: lambda time: time.strftime("%Y%m%d%H"),
        Period.DAILY: lambda time: time.strftime("%Y%m%d"),
        Period.WEEKLY: lambda time: time.strftime("%G%V"),
        Period.MONTHLY: lambda time: time.strftime("%Y%m"),
        Period.YEARLY: lambda time: time.strftime("%Y"),
    }[period]
    newest: dict[object, datetime] = {}
    for time in sorted(times):
        newest[bucket(time)] = time
    expected = sorted(newest.values(), reverse=True)
    if count != UNLIMITED:
        expected = expected[:count]
    if times and (count == UNLIMITED or len(expected) < count):
        expected = sorted({*expected, min(times)}, reverse=True)
    found = kept(Policy({period: count}), [candidate(time) for time in times], LATE)
    assert found == expected


EMPTY_RESTIC = Path(__file__).parents[2] / "data" / "restic"
"""What `restic init` makes, but with a key that scrypt (N=16) makes of its password at once: each
of the many runs would take half a second to open one that restic made."""

RESTIC_POLICIES: list[tuple[list[str], Policy]] = [
    (["--keep-last", "3"], Policy({Period.LAST: 3})),
    (["--keep-hourly", "4"], Policy({Period.HOURLY: 4})),
    (["--keep-daily", "30"], Policy({Period.DAILY: 30})),
    (
        ["--keep-daily", "3", "--keep-weekly", "3", "--keep-monthly", "2", "--keep-yearly", "2"],
        Policy({Period.DAILY: 3, Period.WEEKLY: 3, Period.MONTHLY: 2, Period.YEARLY: 2}),
    ),
    (["--keep-yearly", "100"], Policy({Period.YEARLY: 100})),
    (["--keep-within", "1m3d"], Policy(within=Span(months=1, days=3))),
    (
        ["--keep-within-daily", "1y", "--keep-within-monthly", "3y"],
        Policy(within_periods={Period.DAILY: Span(years=1), Period.MONTHLY: Span(years=3)}),
    ),
    (["--keep-tag", "a,b", "--keep-tag", "c"], Policy(tags=(("a", "b"), ("c",)))),
    (["--keep-last", "1", "--keep-tag", ""], Policy({Period.LAST: 1}, tags=(("",),))),
]


@pytest.mark.skipif(shutil.which("restic") is None, reason="restic is not installed")
def test_restic_keeps_the_same(tmp_path: Path) -> None:
    """The real program, on the same times and tags."""
    file = tmp_path / "file"
    file.write_text("content")
    steps = (0, 1, 2, 30, 31, 100, 500, 800, 2000, 9000, 20000)
    candidates = [
        candidate(datetime(2026, 10, 3, 0, 30, tzinfo=UTC) - timedelta(hours=step), *tags)
        for step, tags in zip(
            steps,
            [(), ("a",), ("a", "b"), (), ("c",), (), ("b",), (), (), ("b", "a"), ()],
            strict=True,
        )
    ]

    def restic(*words: str) -> str:
        place = ["-r", str(tmp_path / "restic"), "--no-cache"]
        done = subprocess.run(
            ["restic", *place, *words],
            env=os.environ | {"TZ": "UTC", "RESTIC_PASSWORD": "test"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    shutil.copytree(EMPTY_RESTIC, tmp_path / "restic")
    for name in ("data", "index", "locks", "snapshots"):
        (tmp_path / "restic" / name).mkdir()
    for one in candidates:
        tags = [word for tag in one.tags for word in ("--tag", tag)]
        time = f"{one.snapshot.time:%Y-%m-%d %H:%M:%S}"
        restic("backup", "--time", time, *tags, str(file))
    for words, policy in RESTIC_POLICIES:
        (group_of_all,) = json.loads(
            restic("forget", "--dry-run", "--json", "--group-by", "", *words)
        )
        theirs = {datetime.fromisoformat(one["time"]) for one in group_of_all["keep"] or []}
        assert set(kept(policy, candidates, datetime.now(UTC))) == theirs, words


LACKING = ("shop.orders is left out: this version cannot read the type X exactly.",)


@pytest.mark.parametrize("period", list(Period))
def test_an_incomplete_snapshot_takes_no_whole_ones_place(period: Period) -> None:
    whole = [candidate(time) for time in every(timedelta(hours=1), 3, NOW - timedelta(hours=2))]
    newest = candidate(NOW - timedelta(hours=1), missing=LACKING)
    verdict = judge(Policy({period: 1}), [*whole, newest], NOW)
    reasons = {one.candidate.snapshot.id: one.reasons for one in verdict.kept}
    assert reasons == {
        newest.snapshot.id: (f"{period} 1, incomplete",),
        whole[0].snapshot.id: (f"{period} 1",),
    }


def test_a_whole_snapshots_age_counts_from_the_newest_whole_one() -> None:
    """Backups that have been incomplete for a month do not push the last whole one out."""
    whole = [candidate(NOW - timedelta(days=days)) for days in (40, 45, 60)]
    lacking = [candidate(NOW - timedelta(days=days), missing=LACKING) for days in (1, 2, 35)]
    for policy in (
        Policy(within=Span(days=7)),
        Policy(within_periods={Period.DAILY: Span(days=7)}),
    ):
        assert kept(policy, [*whole, *lacking]) == [
            NOW - timedelta(days=days) for days in (1, 2, 40, 45)
        ]


def test_old_incomplete_snapshots_go_by_the_age_of_the_newest_of_all() -> None:
    lacking = candidate(NOW - timedelta(days=30), missing=LACKING)
    assert kept(Policy(within=Span(days=7)), [candidate(NOW - timedelta(days=1)), lacking]) == [
        NOW - timedelta(days=1)
    ]


@pytest.mark.parametrize("period", list(Period))
def test_a_snapshot_of_the_future_is_counted_by_no_rule_and_stays(period: Period) -> None:
    future = candidate(NOW + timedelta(days=400))
    past = [candidate(NOW - timedelta(days=400 * number)) for number in (1, 2)]
    verdict = judge(Policy({period: 1}), [future, *past], NOW)
    assert [one.candidate for one in verdict.kept] == [future, past[0]]
    assert verdict.kept[0].reasons == (FUTURE,)


def test_a_clock_that_is_a_little_ahead_makes_no_snapshot_of_the_future() -> None:
    ahead = candidate(NOW + CLOCK_TOLERANCE)
    assert kept(Policy({Period.LAST: 1}), [ahead, candidate(NOW)]) == [NOW + CLOCK_TOLERANCE]
    beyond = candidate(NOW + CLOCK_TOLERANCE + timedelta(seconds=1))
    assert len(kept(Policy({Period.LAST: 1}), [beyond, candidate(NOW)])) == 2


def test_days_are_those_of_the_policys_zone() -> None:
    late, early = (candidate(datetime(2026, 11, day, hour, tzinfo=UTC))
                   for day, hour in ((14, 23), (15, 22)))  # fmt: skip
    now = datetime(2026, 11, 30, tzinfo=UTC)
    berlin = Zone("Europe/Berlin", ZoneInfo("Europe/Berlin"))
    kept = [
        len(judge(Policy({Period.DAILY: 1}, zone=zone), [late, early], now).dropped)
        for zone in (UTC_ZONE, berlin)
    ]
    assert kept == [1, 1]
    both = judge(Policy({Period.DAILY: 2}, zone=berlin), [late, early], now)
    assert both.kept[1].reasons == ("oldest daily",)
    assert judge(Policy({Period.DAILY: 2}), [late, early], now).kept[1].reasons == ("daily 2",)
