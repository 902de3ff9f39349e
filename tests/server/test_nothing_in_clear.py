"""What a thief of the disk finds: no name and no value of the database, raw or compressed.

Every name and value of 8 bytes or more is looked for in the names and bytes of all files, and in
whatever any of those bytes decompresses to as a zstd frame, by column or not. The same search
finds all of them in a repository in clear.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import zstandard

from rowvault.codec.columns import restore_rows
from rowvault.core.errors import CorruptError
from support.clients import pipe_into
from support.mariadb import MariaDBServer
from support.rowvault import succeed

SAKILA = Path(__file__).parents[3] / "shared" / "datasets" / "sakila"
SHORTEST = 8
PASSWORD = {"ROWVAULT_PASSWORD": "of no use to a thief"}
RAW_BYTES_BEFORE = 40
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
NAMES = """
    SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'sakila'
    UNION SELECT table_name FROM information_schema.tables WHERE table_schema = 'sakila'
    UNION SELECT column_name FROM information_schema.columns WHERE table_schema = 'sakila'
    UNION SELECT index_name FROM information_schema.statistics WHERE table_schema = 'sakila'
    UNION SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'sakila'
    UNION SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = 'sakila'
    UNION SELECT constraint_name FROM information_schema.table_constraints
        WHERE table_schema = 'sakila'
"""
COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables
    USING (table_schema, table_name) WHERE table_schema = 'sakila' AND table_type = 'BASE TABLE'
"""
SPELLED_BY_INIT = {b"password"}
"""A column's name that is a word of every key slot too: it tells nothing of the database."""


@pytest.fixture(scope="module")
def sakila(mariadb: MariaDBServer) -> Iterator[MariaDBServer]:
    """The sample database."""
    for name in ("sakila-mv-schema.sql", "sakila-mv-data.sql"):
        pipe_into(mariadb, (SAKILA / name).read_bytes())
    yield mariadb
    mariadb.execute("DROP DATABASE sakila")


@pytest.fixture(scope="module")
def secrets(sakila: MariaDBServer) -> set[bytes]:
    """All names and values that are long enough."""
    found = {str(sakila.socket).encode()}
    with sakila.connect() as connection, connection.cursor() as cursor:
        cursor.execute(NAMES)
        found |= {name.encode() for (name,) in cursor.fetchall()}
        cursor.execute(COLUMNS)
        for table, column in list(cursor.fetchall()):
            cursor.execute(f"SELECT DISTINCT CAST(`{column}` AS BINARY) FROM sakila.`{table}`")
            found |= {value for (value,) in cursor.fetchall() if value is not None}
    return {one for one in found if len(one) >= SHORTEST}


def frames(data: bytes) -> Iterator[bytes]:
    """What can be decompressed, as far as it can, wherever a zstd frame may begin."""
    for match in re.finditer(re.escape(ZSTD_MAGIC), data):
        inflate = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        try:
            text = inflate.decompress(data[match.start() :])
        except zstandard.ZstdError:
            continue  # not a frame after all
        yield text
        # Rows may stand by column; how many bytes they have, the frame's header says before it.
        header = data[max(match.start() - RAW_BYTES_BEFORE, 0) : match.start()]
        with contextlib.suppress(CorruptError):
            yield restore_rows(text, int.from_bytes(header[:4], "little"))


def found_in(place: Path, wanted: Iterable[bytes]) -> set[bytes]:
    """Those of the wanted that stand anywhere in the directory."""
    lengths: dict[bytes, set[int]] = defaultdict(set)
    for one in wanted:
        lengths[one[:SHORTEST]].add(len(one))
    whole = set(wanted)
    found = set()
    for text in _texts(place):
        for at in range(len(text) - SHORTEST + 1):
            for length in lengths.get(text[at : at + SHORTEST], ()):
                found.add(text[at : at + length])
    return found & whole


def _texts(place: Path) -> Iterator[bytes]:
    for path in sorted(place.rglob("*")):
        yield str(path.relative_to(place)).encode()
        if path.is_file():
            data = path.read_bytes()
            yield data
            yield from frames(data)


def back_up(place: Path, server: MariaDBServer, *options: str) -> None:
    env = {} if options else PASSWORD
    succeed("-r", place, "init", *options, env=env)
    for tag in ("christmas-eve", "midsummer-night"):
        succeed("-r", place, "backup", server.socket_url, "-d", "sakila", "--tag", tag, env=env)
    succeed("-r", place, "forget", "latest~1", env=env)


@pytest.mark.shared
def test_an_encrypted_repository_tells_nothing(
    sakila: MariaDBServer, secrets: set[bytes], tmp_path: Path
) -> None:
    assert len(secrets) > 30_000
    place = tmp_path / "encrypted"
    back_up(place, sakila)
    secrets = secrets | {b"christmas-eve", b"midsummer-night"}
    assert found_in(place, secrets) == SPELLED_BY_INIT


@pytest.mark.shared
def test_a_repository_in_clear_shows_all_to_the_same_search(
    sakila: MariaDBServer, secrets: set[bytes], tmp_path: Path
) -> None:
    place = tmp_path / "clear"
    back_up(place, sakila, "--no-encryption")
    secrets = secrets | {b"christmas-eve", b"midsummer-night"}
    assert secrets - found_in(place, secrets) == set()
