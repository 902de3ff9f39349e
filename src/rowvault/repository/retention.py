"""Which snapshots a retention policy keeps: the rules of restic's `forget`.

Snapshots are looked at from the newest to the oldest. A counted rule (`daily`, 7) keeps the newest
snapshot of each of the newest 7 days that have any; while it has counts left it also keeps the very
oldest snapshot. Days and weeks are those of UTC, weeks those of ISO 8601. A rule within a time
counts back from the newest snapshot that is not of the future.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rowvault.core.errors import UsageError
from rowvault.repository.snapshot import Snapshot, SnapshotSelection

UNLIMITED = -1
"""As a count: every one."""

_PART = re.compile(r"(\d{1,6})([ymdh])")


class Period(enum.StrEnum):
    """What a counted rule counts."""

    LAST = "last"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as a calendar has it: `1y2m3d4h`, `m` being months."""

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0

    @classmethod
    def parse(cls, text: str) -> Span:
        """Raises UsageError."""
        parts = _PART.findall(text)
        figures = {unit: int(number) for number, unit in parts}
        if not parts or len(figures) < len(parts) or "".join(map("".join, parts)) != text:
            raise UsageError(
                f"{text!r} is not a length of time: write years, months, days and hours like "
                "`1y6m`, `14d`, `36h`"
            )
        return cls(*(figures.get(unit, 0) for unit in "ymdh"))

    def before(self, time: datetime) -> datetime:
        """The moment so long before; a day that its month lacks runs over into the next one."""
        month = time.year * 12 + time.month - 1 - self.years * 12 - self.months
        if month < 12:
            return datetime.min.replace(tzinfo=UTC)
        first = time.replace(year=month // 12, month=month % 12 + 1, day=1)
        try:
            return first + timedelta(days=time.day - 1 - self.days, hours=-self.hours)
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)

    def __str__(self) -> str:
        figures = zip((self.years, self.months, self.days, self.hours), "ymdh", strict=True)
        return "".join(f"{number}{unit}" for number, unit in figures if number) or "0h"


@dataclass(frozen=True, slots=True)
class Policy:
    """What to keep; a snapshot stays if any rule keeps it."""

    counts: dict[Period, int] = field(default_factory=dict)
    """How many of each period; UNLIMITED: all."""
    within: Span | None = None
    """Everything this close to the newest."""
    within_periods: dict[Period, Span] = field(default_factory=dict)
    """One of each period, this close to the newest."""
    tags: tuple[tuple[str, ...], ...] = ()
    """Snapshots that carry all tags of one of these; the empty tag means no tag at all."""

    @property
    def is_empty(self) -> bool:
        """No rule at all."""
        counted = any(self.counts.values())
        return not (counted or self.within or self.within_periods or self.tags)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A snapshot and the tags that it carries now."""

    snapshot: Snapshot
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot that stays, and which rules keep it."""

    candidate: Candidate
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says of the snapshots of one source, each list from the newest on."""

    kept: tuple[Kept, ...]
    dropped: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """Snapshots of one server and one selection, which a policy judges apart from all others."""

    server_id: str
    selection: SnapshotSelection
    candidates: tuple[Candidate, ...]

    @property
    def source(self) -> str:
        """Where the newest of them was read from."""
        return max(self.candidates, key=_age_order).snapshot.server.url


def group(candidates: Iterable[Candidate]) -> list[SourceGroup]:
    """The groups in the order of their first members."""
    found: dict[tuple[str, SnapshotSelection], list[Candidate]] = {}
    for one in candidates:
        key = (one.snapshot.server.server_id, one.snapshot.selection)
        found.setdefault(key, []).append(one)
    return [
        SourceGroup(server_id, selection, tuple(members))
        for (server_id, selection), members in found.items()
    ]


def judge(policy: Policy, candidates: Sequence[Candidate], now: datetime) -> Verdict:
    """Applies the policy to the snapshots of one group."""
    ordered = sorted(candidates, key=_age_order, reverse=True)
    rules = _rules(policy, _newest_past(ordered, now))
    kept: list[Kept] = []
    dropped: list[Candidate] = []
    for index, one in enumerate(ordered):
        reasons = list(_standing_reasons(policy, one, _newest_past(ordered, now)))
        for rule in rules:
            reasons += rule.reasons(one, index, is_oldest=index == len(ordered) - 1)
        if reasons:
            kept.append(Kept(one, tuple(reasons)))
        else:
            dropped.append(one)
    return Verdict(tuple(kept), tuple(dropped))


def _age_order(one: Candidate) -> tuple[datetime, str]:
    return one.snapshot.time, one.snapshot.id


def _newest_past(ordered: Sequence[Candidate], now: datetime) -> datetime:
    times = [one.snapshot.time for one in ordered if one.snapshot.time < now]
    return max(times, default=datetime.min.replace(tzinfo=UTC))


def _standing_reasons(policy: Policy, one: Candidate, newest: datetime) -> Iterable[str]:
    for wanted in policy.tags:
        if set(wanted) <= set(one.tags) or (wanted == ("",) and not one.tags):
            yield f"tagged {', '.join(wanted)}" if any(wanted) else "not tagged"
    if policy.within is not None and one.snapshot.time > policy.within.before(newest):
        yield f"within {policy.within}"


_BUCKETS: dict[Period, Callable[[datetime], object]] = {
    Period.HOURLY: lambda time: (time.date(), time.hour),
    Period.DAILY: lambda time: time.date(),
    Period.WEEKLY: lambda time: time.isocalendar()[:2],
    Period.MONTHLY: lambda time: (time.year, time.month),
    Period.YEARLY: lambda time: time.year,
}


class _Rule:
    """One counted rule on its way from the newest snapshot to the oldest."""

    def __init__(self, period: Period, count: int, since: datetime | None, text: str) -> None:
        self._period = period
        self._left = count
        self._since = since
        self._text = text
        self._number = 0
        self._last: object = None

    def reasons(self, one: Candidate, index: int, *, is_oldest: bool) -> Iterable[str]:
        """Why this rule keeps the snapshot, if it does."""
        time = one.snapshot.time.astimezone(UTC)
        if self._left == 0 or (self._since is not None and not time > self._since):
            return
        bucket: object = index if self._period is Period.LAST else _BUCKETS[self._period](time)
        if bucket == self._last and not is_oldest:
            return
        again = bucket == self._last
        self._last = bucket
        self._number += 1
        if self._left > 0:
            self._left -= 1
        yield f"oldest {self._text}" if again else f"{self._text} {self._number}"


def _rules(policy: Policy, newest: datetime) -> list[_Rule]:
    counted = [
        _Rule(period, policy.counts.get(period, 0), None, str(period))
        for period in Period
        if policy.counts.get(period, 0)
    ]
    within = [
        _Rule(period, UNLIMITED, span.before(newest), f"{period} within {span}")
        for period, span in policy.within_periods.items()
    ]
    return counted + within
