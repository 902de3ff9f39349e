"""Makes a golden repository of the current format: python tests/data/repositories/make.py NAME.

NAME ends with `-plain` or `-encrypted`; with `users` in it, it holds users and grants, too, with
`columns` larger blocks and more types, with `deltas` a history whose blocks build on each other,
with `at-once` one that begins with two runs at once, which store the same blocks in two forms, with
`incomplete` a last snapshot that lacks a table, with `whole` one of everything that a repository
can hold. One that exists is never touched: later versions must read what earlier ones wrote.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import msgspec

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from rowvault.codec.compression import DEFAULT_LEVEL, NO_COMPRESSION  # noqa: E402
from rowvault.core.model import ACCOUNT_KINDS, ObjectDefinition, ObjectKind  # noqa: E402
from rowvault.core.monitor import SilentMonitor  # noqa: E402
from rowvault.repository.config import Sizes  # noqa: E402
from rowvault.repository.crypto import key_ring as key_module  # noqa: E402
from rowvault.repository.crypto.secrets import new_session_id  # noqa: E402
from rowvault.repository.read_subset import PackAmount  # noqa: E402
from rowvault.repository.records.session_object import ProcessIdentity, SessionDocument  # noqa: E402
from rowvault.repository.records.snapshot import Snapshot  # noqa: E402
from rowvault.repository.records.snapshot_store import SnapshotStore  # noqa: E402
from rowvault.repository.repository import Repository  # noqa: E402
from rowvault.storage import LocalStorage  # noqa: E402
from rowvault.upkeep.check.engine import check  # noqa: E402
from rowvault.upkeep.prune.engine import prune  # noqa: E402
from rowvault.upkeep.prune.plan import PruneLimits  # noqa: E402
from rowvault.upkeep.prune.report import PruneRequest  # noqa: E402
from support.sample_repository import (  # noqa: E402
    MIDDLING,
    SMALL,
    Row,
    Tables,
    put_all,
    sample_rows,
    take_at_once,
    take_snapshot,
)

PASSWORD = b"golden password"
RECOVERY_KEY = "RVK1-GHX5-XYF1-6EWZ-6K0F-4CMB-54BH-HEE5-ZPXJ"
OLD = {("shop", "orders"): sample_rows(120), ("shop", "empty"): []}
NEW = {
    ("shop", "orders"): [*OLD["shop", "orders"][:100], *sample_rows(30, salt="n")[20:]],
    ("shop", "empty"): [],
    # One row larger than the largest block: fragments.
    ("shop", "large"): [(b"1", b"x" * 3000 + bytes(range(65, 91)) * 40)],
}

TYPED = {
    ("shop", "prices"): [(b"%d" % n, b"%d.%02d" % (n * 37 % 900, n % 100)) for n in range(400)],
    ("shop", "ratios"): [(b"%d" % n, b"-%d.5" % n if n % 3 else b"%d.125" % n) for n in range(400)],
    ("shop", "codes"): [(b"%d" % n, b"SKU-%07d" % (n * 7919)) for n in range(400)],
    ("shop", "states"): [(b"%d" % n, (b"new", b"paid", b"sent")[n * n % 3]) for n in range(400)],
    ("shop", "days"): [
        (b"%d" % n, b"2024-%02d-%02d" % (n % 12 + 1, n % 28 + 1)) for n in range(400)
    ],
    ("shop", "moments"): [
        (b"%d" % n, b"2026-11-%02d %02d:%02d:07.%03d" % (n % 30 + 1, n % 24, n % 60, n))
        for n in range(400)
    ],
    ("shop", "intervals"): [(b"%d" % n, b"%02d:%02d:30" % (n, n % 60)) for n in range(400)],
    ("shop", "odd days"): [
        (b"%d" % n, b"0000-00-00" if n % 40 == 7 else b"2024-02-%02d" % (n % 29 + 1))
        for n in range(400)
    ],
}
"""Columns of every form that blocks have by column, for repositories with `columns` in the name."""

GONE = {("shop", "orders"): sample_rows(80, salt="gone")}
"""What a forgotten snapshot holds."""


_USER, _SHOP = "`app`@`%`", "`shop`.*"
ACCOUNTS = (
    ObjectDefinition(ObjectKind.ROLE, "", "`reader`", b"CREATE ROLE `reader`"),
    ObjectDefinition(
        ObjectKind.USER,
        "",
        _USER,
        b"CREATE USER `app`@`%` IDENTIFIED BY PASSWORD '*0F'",
        (("timestamp", "1700000000"),),
        order=1,
    ),
    ObjectDefinition(
        ObjectKind.PASSWORD,
        "",
        f"{_USER} 1",
        b"ALTER USER `app`@`%` PASSWORD EXPIRE INTERVAL 30 DAY",
        (),
        _USER,
        1,
    ),
    ObjectDefinition(
        ObjectKind.GRANT, "", f"{_USER} on {_SHOP}", b"GRANT SELECT ON `shop`.* TO `app`@`%`",
        (), _USER, 1,
    ),
)  # fmt: skip

PROGRAMS = tuple(
    ObjectDefinition(kind, "shop", f"the {kind}", f"CREATE {kind} `the {kind}` ...".encode())
    for kind in ObjectKind
    if kind not in (ObjectKind.DATABASE, ObjectKind.TABLE, *ACCOUNT_KINDS)
)
"""One object of each other kind."""


def history() -> tuple[Tables, ...]:
    """Scattered updates, then a row gone and rows between others, then one more update, ..."""
    rows = sample_rows(400)
    states = []
    for day in range(9):
        rows = [
            (key, b"%d %s" % (day, text) if place % 50 == day * 5 else text)
            for place, (key, text) in enumerate(rows)
        ]
        if day % 3 == 2:
            del rows[day * 30 : day * 30 + 12]
            rows[day * 10 : day * 10] = [
                (b"%d.%d" % (day, n), b"new %d" % (n * 7919)) for n in range(9)
            ]
        others = [(key, text[::-1]) for key, text in rows]
        states.append({("shop", "orders"): rows, ("shop", "as rows"): others})
    return tuple(states)


def after_two_at_once(name: str) -> tuple[Tables, ...]:
    """What two first runs at once saw, and three later ones; the tables in the order of each.

    With `counted` in the name two tables of unlike width whose rows are the same bytes.
    """
    fields = [b"%d" % n if n % 2 else b"%d" % (n * 7919 % 5003) for n in range(800)]
    rows = sample_rows(400)
    states: list[Tables] = []
    for day in range(5):
        if "counted" not in name:
            changed = [
                (key, b"day %d" % day if day > 1 and place % 40 == day else text)
                for place, (key, text) in enumerate(rows)
            ]
            states.append({("shop", "orders"): changed})
            continue
        wide = [b"day %d" % day if day > 1 and place == day * 100 else text
                for place, text in enumerate(fields)]  # fmt: skip
        narrow = [text[::-1] if day > 1 and place == day * 130 else text
                  for place, text in enumerate(fields)]  # fmt: skip
        tables: list[tuple[tuple[str, str], list[Row]]] = [
            (("shop", "four"), list(zip(*[iter(wide)] * 4, strict=True))),
            (("shop", "two"), list(zip(*[iter(narrow)] * 2, strict=True))),
        ]
        states.append(dict(tables[::-1] if day == 1 else tables))
    return tuple(states)


def tables_of(name: str) -> tuple[Tables, ...]:
    """What the snapshots of the golden repository of this name hold."""
    if "at-once" in name:
        return after_two_at_once(name)
    if "deltas" in name:
        return history()
    if "whole" in name:
        large = [(b"1", b"".join(text for _, text in sample_rows(150)))]
        more = {**TYPED, ("shop", "large"): large, ("shop", "empty"): []}
        return tuple({**tables, **more} for tables in history()[:4])
    more = TYPED if "columns" in name else {}
    return {**OLD, **more}, {**NEW, **more}


def accounts_of(name: str) -> tuple[ObjectDefinition, ...]:
    """The users and grants of each snapshot in the golden repository of this name."""
    return ACCOUNTS if "users" in name or "whole" in name else ()


def programs_of(name: str) -> tuple[ObjectDefinition, ...]:
    """The views, triggers and so on of each snapshot in the golden repository of this name."""
    return PROGRAMS if "whole" in name else ()


def keep_house(repository: Repository) -> None:
    """Leaves a condemned round, a forgotten snapshot, several keys and the list of removed ones."""
    pruned = take_snapshot(repository, {("shop", "orders"): sample_rows(90, salt="pruned")}, 2)
    repository.forget(pruned)
    with repository.begin("backup", SilentMonitor()):
        prune(repository, PruneRequest(limits=PruneLimits(max_unused=0)), SilentMonitor())
    repository.forget(take_snapshot(repository, GONE, 3, ["gone"]))
    if repository.encrypted:
        keys = repository.keys
        keys.add(b"golden second", "second")
        keys.remove(keys.add(b"golden removed", "removed").id)
        with mock.patch.object(key_module, "make_recovery_key", return_value=RECOVERY_KEY):
            keys.add_recovery("printed")


@contextmanager
def elsewhere() -> Iterator[None]:
    """Sessions that begin now are those of another machine, so nobody here can tell they ended."""
    process = ProcessIdentity("elsewhere", "0" * 32, "boot", "pid:[1]", 4711, 1, "backup")
    with mock.patch.object(ProcessIdentity, "current", return_value=process):
        yield


def leave_behind(repository: Repository, tables: Tables, number: int, parent: Snapshot) -> Snapshot:
    """What killed runs leave: a commit that nobody published yet, sessions, a pack in no index."""
    check(repository, PackAmount(part=0.1), SilentMonitor())  # leaves gc/verified
    catalogue = repository.internals.snapshot_store
    with elsewhere():
        killed = repository.begin("backup", SilentMonitor(), parent=parent.id)
        killed.put_data(b"a block of a run that was killed")
        killed._submit(list(killed._open))
        killed._writer.finish()
        aborted = SessionDocument.active(new_session_id(), "backup").aborted()
    with mock.patch.object(SnapshotStore, "publish"):
        objects = (*ACCOUNTS, *PROGRAMS)
        snapshot = take_snapshot(repository, tables, number, ["unpublished"], objects, parent)
    catalogue.begin_session(aborted)
    return snapshot


LACKS = {
    "warnings": ("shop.seen is left out: the account sees it no more.", "histograms of shop.t ..."),
    "missing": ("shop.seen is left out: the account sees it no more.",),
    "grants": ("SELECT ON `shop`.`orders`",),
    "unseen": (("shop", "seen"),),
}
"""What the last snapshot of a repository with `incomplete` in its name states of that."""


def take_incomplete(repository: Repository, tables: Tables, number: int) -> Snapshot:
    """A snapshot that lacks a table, and says so."""
    with repository.begin("backup", SilentMonitor()) as session:
        draft = put_all(session, repository, tables, number)
        return session.commit(msgspec.structs.replace(draft, **LACKS), ["lacking"])


def take_two_at_once(repository: Repository, name: str) -> list[Snapshot]:
    """The first two snapshots, one stored as rows and one by column, or of other column counts."""
    levels = (DEFAULT_LEVEL, DEFAULT_LEVEL if "counted" in name else NO_COMPRESSION)
    return take_at_once(repository, tables_of(name)[:2], levels)


def main(name: str) -> None:
    """Writes the repository and, beside it, what must be read from it."""
    place = HERE / name
    if place.exists():
        raise SystemExit(f"{place} exists; golden repositories are never rewritten")
    password = PASSWORD if name.endswith("-encrypted") else None
    is_larger = "deltas" in name or "whole" in name
    sizes = SMALL
    if "columns" in name or "counted" in name:
        sizes = Sizes()
    elif is_larger or "at-once" in name:
        sizes = MIDDLING
    tags = {0: ["first"], 1: ["second", "größer"]}
    with Repository.create(LocalStorage(place), password, sizes) as repository:
        snapshots: list[Snapshot] = []
        *states, last = tables_of(name)
        objects = (*accounts_of(name), *programs_of(name))
        if "at-once" in name:
            snapshots += take_two_at_once(repository, name)
        for number, tables in enumerate(states if "whole" in name else [*states, last]):
            if number < len(snapshots):
                continue
            parent = snapshots[-1] if snapshots and (is_larger or "at-once" in name) else None
            if "incomplete" in name and tables is last:
                snapshots.append(take_incomplete(repository, tables, number))
                continue
            snapshots.append(
                take_snapshot(repository, tables, number, tags.get(number, ()), objects, parent)
            )
        if "kept" in name or "whole" in name:
            keep_house(repository)
        if "whole" in name:
            snapshots.append(leave_behind(repository, last, len(states), snapshots[-1]))
        if "pruned" in name:
            prune(repository, PruneRequest(limits=PruneLimits(max_unused=0)), SilentMonitor())
        expected = [
            {
                "id": snapshot.id,
                "manifest": snapshot.manifest.id.hex(),
                "tags": ["unpublished"]
                if "whole" in name and snapshot is snapshots[-1]
                else repository.tags(snapshot.id),
                "roots": {
                    record.definition.label: record.root.id.hex()
                    for record in repository.manifest(snapshot).tables()
                },
            }
            for snapshot in snapshots
        ]
    (HERE / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
