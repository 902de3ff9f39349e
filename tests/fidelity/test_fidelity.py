"""Every type and object of a server, carried to an empty one in three ways, and compared.

All cases of a vendor are made on one server; one backup takes them all. `restore` brings them to a
second server by LOAD DATA, then, where that is not allowed, by INSERT, and `dump` through the
vendor's own client brings them there again; in between it is emptied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fidelity.case import Case
from fidelity.page import page
from fidelity.topics import VENDORS, topics
from fidelity.trip import Trip, make_trip
from support import comparer
from support.comparer import Fingerprint
from support.mariadb import MariaDBServer

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "fidelity.md"
LEAST_OBJECTS = {"mariadb": 150, "mysql": 150}


def _parameters() -> Iterator[object]:
    for vendor in VENDORS:
        for topic in topics(vendor):
            for number, (database, case) in enumerate(topic.located()):
                name = f"{vendor}-{topic.name}-{number}-{case.subject}"
                mark = getattr(pytest.mark, vendor)
                yield pytest.param(vendor, database, case, id=name, marks=mark)


VENDOR_PARAMETERS = [
    pytest.param(one, marks=getattr(pytest.mark, one)) for one in VENDORS if topics(one)
]


@pytest.fixture(scope="module")
def trips(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Trip]:
    """Vendor -> its trip, made when a test first asks for it; a failed one is not made again."""
    failed: dict[str, Exception] = {}

    class _Trips(dict[str, Trip]):
        def __missing__(self, vendor: str) -> Trip:
            if vendor in failed:
                pytest.fail(f"the trip failed: {failed[vendor]}", pytrace=False)
            source = request.getfixturevalue(vendor)
            target = request.getfixturevalue(f"{vendor}_second")
            place = tmp_path_factory.mktemp("fidelity")
            try:
                self[vendor] = make_trip(source, target, topics(vendor), place)
            except Exception as error:
                failed[vendor] = error
                raise
            return self[vendor]

    return _Trips()


@pytest.mark.parametrize(("vendor", "database", "case"), list(_parameters()))
def test_a_case_comes_back(vendor: str, database: str, case: Case, trips: dict[str, Trip]) -> None:
    trip = trips[vendor]
    marks = case.marks(database)
    missing = [label for label in marks.values() if label not in trip.made]
    assert not missing, "the statements of the case do not make it"
    lost = {marks[one] for one in case.changed()}
    for way, found in trip.ways():
        differing = {label for label in marks.values() if trip.made[label] != found.get(label)}
        assert differing - lost == set(), [
            f"after {way}: {line}" for line in trip.differences(found, differing - lost)
        ]
        # What is said to differ must: else the page would be wrong.
        assert lost <= differing, f"after {way}"


@pytest.mark.parametrize("vendor", VENDOR_PARAMETERS)
def test_every_object_belongs_to_a_case(vendor: str, trips: dict[str, Trip]) -> None:
    trip = trips[vendor]
    known = {f"database {topic.name}" for topic in topics(vendor)}
    for topic in topics(vendor):
        for database, case in topic.located():
            labels = set(case.marks(database).values())
            assert known.isdisjoint(labels - {f"database {topic.name}"}), case.line
            known |= labels
    assert set(trip.made) == known
    for way, found in trip.ways():
        assert set(found) <= known, way


@pytest.mark.parametrize("vendor", VENDOR_PARAMETERS)
def test_keys_that_come_late_make_the_same_tables(vendor: str, trips: dict[str, Trip]) -> None:
    trip = trips[vendor]
    tables = set(trip.built_bare)
    assert tables
    shapes, found = (_shapes(marks, tables) for marks in (trip.made, trip.built_bare))
    assert found == shapes, comparer.differences(shapes, found)


def _shapes(marks: Fingerprint, labels: set[str]) -> Fingerprint:
    """Without the counter, which the rows move."""
    return {
        label: re.sub(r" AUTO_INCREMENT=(\d+|NULL)", "", mark)
        for label, mark in marks.items()
        if label in labels
    }


@pytest.mark.parametrize("vendor", VENDOR_PARAMETERS)
def test_rows_came_by_load_data_where_it_is_allowed(vendor: str, trips: dict[str, Trip]) -> None:
    filled, inserted = trips[vendor].load_statements
    tables = sum(label.startswith("rows ") for label in trips[vendor].made)
    assert filled > tables / 2
    assert inserted == 0


@pytest.mark.parametrize("vendor", VENDOR_PARAMETERS)
def test_warnings_are_the_named_ones_and_no_others(vendor: str, trips: dict[str, Trip]) -> None:
    trip = trips[vendor]
    outcomes = [case.outcome for topic in topics(vendor) for case in topic.cases]
    _match([one.warning for one in outcomes if one.warning], trip.backup_warnings)
    told = [one for one in trip.restore_warnings if one not in trip.incomplete]
    _match([one.at_restore for one in outcomes if one.at_restore], told)
    assert set(trip.incomplete) <= set(trip.backup_warnings)
    assert trip.backup_code == (3 if trip.backup_warnings else 0)
    assert trip.restore_code == (3 if trip.restore_warnings else 0)
    assert trip.is_verified == (not trip.left_out)
    for label in trip.left_out:
        assert any(label in one for one in trip.restore_warnings)


def _match(patterns: list[str], warnings: list[str]) -> None:
    left = list(warnings)
    for pattern in patterns:
        found = [one for one in left if re.search(pattern, one)]
        assert len(found) == 1, f"{pattern!r} is found in {found} of {warnings}"
        left.remove(found[0])
    assert left == []


@pytest.mark.parametrize("vendor", VENDOR_PARAMETERS)
def test_there_are_enough_objects(vendor: str, trips: dict[str, Trip]) -> None:
    """Prints each line of the checklist and what exercises it (`pytest -s`)."""
    lines = [
        f"{case.line} -> {', '.join(case.marks(database).values())}"
        for topic in topics(vendor)
        for database, case in topic.located()
    ]
    print(f"\n{vendor}:", *lines, sep="\n")
    objects = [label for label in trips[vendor].made if not label.startswith("rows ")]
    assert len(objects) >= LEAST_OBJECTS[vendor]


@pytest.mark.mariadb
def test_every_charset_of_the_server_has_its_case(mariadb: MariaDBServer) -> None:
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS")
        names = {name for (name,) in cursor.fetchall()}
    characters = next(topic for topic in topics("mariadb") if topic.name == "characters")
    # BINARY and its kin have a case of their own.
    assert names - {"binary"} <= {case.subject for case in characters.cases}


def test_the_page_is_made_from_the_cases() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"
