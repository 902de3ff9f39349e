"""Any values in any storage class, read and written again, are the same values."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from support.sqlite_file import copy, differences, make

_AFFINITIES = ("INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB", "")
_EXTRA = (" WITHOUT ROWID", "", "")

_VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.binary(max_size=40),
    # What no str can hold: any bytes as text.
    st.binary(max_size=10).map(lambda raw: ("text", raw)),
    st.integers(15_000, 18_000).map(lambda length: b"\x07" * length),
)


def _insert(key: int, row: list[object]) -> tuple[str, list[object]]:
    marks = ["CAST(? AS TEXT)" if isinstance(value, tuple) else "?" for value in row]
    bound = [value[1] if isinstance(value, tuple) else value for value in row]
    return f"INSERT INTO t VALUES(?,{','.join(marks)})", [key, *bound]


@settings(max_examples=60, deadline=None)
@given(
    columns=st.lists(st.sampled_from(_AFFINITIES), min_size=1, max_size=4),
    extra=st.sampled_from(_EXTRA),
    key=st.sampled_from(["INTEGER PRIMARY KEY", "TEXT PRIMARY KEY", "INT NOT NULL UNIQUE"]),
    data=st.data(),
)
def test_any_rows_survive(columns: list[str], extra: str, key: str, data: st.DataObject) -> None:
    if "PRIMARY" not in key:
        extra = ""
    rows = data.draw(st.lists(st.lists(_VALUES, min_size=len(columns), max_size=len(columns))))
    keys = data.draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=len(rows), unique=True))
    definition = ",".join(f"c{index} {affinity}" for index, affinity in enumerate(columns))
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory, "source.db"), Path(directory, "target.db")
        make(
            source,
            f"CREATE TABLE t(id {key},{definition}){extra}",
            [_insert(own, row) for own, row in zip(keys, rows, strict=False)],
        )
        copy(source, target, chunk_bytes=512)
        assert differences(source, target) == []
