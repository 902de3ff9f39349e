"""Which snapshots a retention policy keeps: the rules of restic's `forget`.

Snapshots are looked at from the newest to the oldest. A counted rule (`daily`, 7) keeps the newest
snapshot of each of the newest 7 days that have any; while it has counts left it also keeps the very
oldest snapshot. Days and weeks are those of
the policy's zone, weeks those of ISO 8601. A rule within a time
counts back from the newest one.

The rules go once over whole snapshots and once over incomplete ones, each by itself, so that one
that lacks rows or objects never takes the place of a whole one; for the same reason a whole one's
age counts from the newest that is whole. A snapshot of the future, which a wrong clock made, is
counted by none and stays.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rowvault.core.errors import UsageError
from rowvault.core.instant import is_of_future
from rowvault.core.zone import UTC_ZONE, Zone
from rowvault.repository.records.snapshot import Snapshot, SnapshotSelection
from rowvault.repository.records.sources import Sources

UNLIMITED = -1
"""As a count: every one."""

FUTURE = "of the future"
"""Why a snapshot stays that no rule counts."""

_BEGINNING = datetime.min.replace(tzinfo=UTC)
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
    """Everything this close to the newest; a whole one to the newest that is whole."""
    within_periods: dict[Period, Span] = field(default_factory=dict)
    """One of each period, this close to the newest."""
    tags: tuple[tuple[str, ...], ...] = ()
    """Snapshots that carry all tags of one of these; the empty tag means no tag at all."""

    zone: Zone = UTC_ZONE
    """Whose hours, days and weeks are counted."""

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
    """Snapshots of one source and one selection, which a policy judges apart from all others."""

    source: str
    selection: SnapshotSelection
    candidates: tuple[Candidate, ...]

    @property
    def server_id(self) -> str:
        """The identity of the server that the newest of them was read from."""
        return max(self.candidates, key=_age_order).snapshot.server.server_id


def group(candidates: Iterable[Candidate], sources: Sources | None = None) -> list[SourceGroup]:
    """The groups in the order of their first members; `sources`: of these snapshots, or more."""
    members = list(candidates)
    sources = sources or Sources(one.snapshot for one in members)
    found: dict[tuple[str, SnapshotSelection], list[Candidate]] = {}
    for one in members:
        key = (sources.name_of(one.snapshot), one.snapshot.selection)
        found.setdefault(key, []).append(one)
    return [SourceGroup(*key, tuple(members)) for key, members in found.items()]


def judge(policy: Policy, candidates: Sequence[Candidate], now: datetime) -> Verdict:
    """Applies the policy to the snapshots of one group."""
    ordered = sorted(candidates, key=_age_order, reverse=True)
    past = [one for one in ordered if not is_of_future(one.snapshot.time, now)]
    whole = [one for one in past if one.snapshot.is_whole]
    incomplete = [one for one in past if not one.snapshot.is_whole]
    reasons = _reasons(policy, whole, _newest(whole))
    lacking = _reasons(policy, incomplete, _newest(past))
    reasons |= {name: [f"{one}, incomplete" for one in why] for name, why in lacking.items()}
    reasons |= {one.snapshot.id: [FUTURE] for one in ordered[: len(ordered) - len(past)]}
    return Verdict(
        kept=tuple(Kept(one, tuple(why)) for one in ordered if (why := reasons[one.snapshot.id])),
        dropped=tuple(one for one in ordered if not reasons[one.snapshot.id]),
    )


def _newest(ordered: Sequence[Candidate]) -> datetime:
    return ordered[0].snapshot.time if ordered else _BEGINNING


def _reasons(
    policy: Policy, ordered: Sequence[Candidate], newest: datetime
) -> dict[str, list[str]]:
    """Why each of these stays, by its id; they come from the newest on."""
    rules = _rules(policy, newest)
    found: dict[str, list[str]] = {}
    for index, one in enumerate(ordered):
        found[one.snapshot.id] = [
            *_fixed_reasons(policy, one, newest),
            *(
                reason
                for rule in rules
                for reason in rule.reasons(one, index, is_oldest=index == len(ordered) - 1)
            ),
        ]
    return found


def _age_order(candidate: Candidate) -> tuple[datetime, str]:
    return candidate.snapshot.time, candidate.snapshot.id


def _fixed_reasons(policy: Policy, candidate: Candidate, newest: datetime) -> Iterable[str]:
    for wanted in policy.tags:
        if set(wanted) <= set(candidate.tags) or (wanted == ("",) and not candidate.tags):
            yield f"tagged {', '.join(wanted)}" if any(wanted) else "not tagged"
    if policy.within is not None and candidate.snapshot.time > policy.within.before(newest):
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

    def __init__(
        self, period: Period, count: int, since: datetime | None, text: str, zone: Zone
    ) -> None:
        self._zone = zone
        self._period = period
        self._left = count
        self._since = since
        self._text = text
        self._number = 0
        self._last: object = None

    def reasons(self, candidate: Candidate, index: int, *, is_oldest: bool) -> Iterable[str]:
        """Why this rule keeps the snapshot, if it does."""
        time = self._zone.at(candidate.snapshot.time)
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
        _Rule(period, policy.counts.get(period, 0), None, str(period), policy.zone)
        for period in Period
        if policy.counts.get(period, 0)
    ]
    within = [
        _Rule(period, UNLIMITED, span.before(newest), f"{period} within {span}", policy.zone)
        for period, span in policy.within_periods.items()
    ]
    return counted + within
