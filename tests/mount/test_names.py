"""Names of tables as names of files."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from rowvault.mount.names import LONGEST_BYTES, file_name

RESERVED = frozenset({"objects", "all.sql", "é"})
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=80) | st.sampled_from(
    [".", "..", "", "objects", "all.sql", "é", "%", "%2E", "%+", "a/b", "a%2Fb", "x" * 300]
)


@given(st.lists(names, unique=True, max_size=20))
def test_different_names_are_different_files(some: list[str]) -> None:
    assert len({file_name(name, ".sql") for name in some}) == len(some)
    plain = {file_name(name, reserved=RESERVED) for name in some}
    assert len(plain) == len(some)
    assert not RESERVED & plain


@given(names)
def test_every_name_is_one_that_a_file_system_holds(name: str) -> None:
    made = os.fsencode(file_name(name, ".sql"))
    assert 0 < len(made) <= LONGEST_BYTES
    assert b"/" not in made
    assert b"\0" not in made
    assert file_name(name) not in (".", "..", "")


def test_ordinary_names_stay_as_they_are() -> None:
    assert file_name("orders", ".sql") == "orders.sql"
    assert file_name("Bestellungen über 5 €") == "Bestellungen über 5 €"
