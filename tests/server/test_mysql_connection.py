"""Ways to a server, and what is said where there is none."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rowvault.core.errors import ConnectError, ConnectionLostError
from rowvault.core.monitor import SilentMonitor
from rowvault.source.address import open_source, parse_address
from rowvault.source.mysql import ConnectOptions
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.wire.faults import StatementError
from rowvault.source.protocol import RowRange
from support.copying import definition_of, read_rows, source_at, table_rows
from support.mariadb import MariaDBServer

pytestmark = pytest.mark.mariadb

ROWS = 20_000


def make_table(server: MariaDBServer, database: str) -> None:
    server.execute(
        f"USE {database}",
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(300))",
        f"INSERT INTO {database}.t SELECT seq, REPEAT(SHA2(seq, 256), 1 + seq MOD 4)"
        f" FROM seq_1_to_{ROWS}",
    )


@pytest.fixture
def table(mariadb: MariaDBServer, database: str) -> str:
    make_table(mariadb, database)
    return database


def test_tcp_and_the_socket_give_the_same_rows(mariadb: MariaDBServer, table: str) -> None:
    rows = table_rows(mariadb.url, table, "t")
    assert len(rows) == ROWS
    assert rows[0][0] == b"1"
    assert table_rows(mariadb.socket_url, table, "t") == rows


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that names 127.0.0.1 and signs itself, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Rowvault test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    certificate, private = directory / "cert.pem", directory / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


@pytest.fixture(scope="module")
def tls_server(
    mariadb: MariaDBServer,
    certificate: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MariaDBServer]:
    """`mariadb` is asked for only so that a missing server is told once and alike."""
    options = (f"--ssl-cert={certificate[0]}", f"--ssl-key={certificate[1]}")
    with MariaDBServer(tmp_path_factory.mktemp("tls-server"), options) as server:
        server.execute("CREATE DATABASE d")
        make_table(server, "d")
        yield server


def test_tls_gives_the_same_rows(tls_server: MariaDBServer, certificate: tuple[Path, Path]) -> None:
    url = f"{tls_server.url}?ssl_ca={certificate[0]}"
    options = ConnectOptions(
        "test",
        "127.0.0.1",
        tls_server.port,
        password="test",
        tls=open_source(parse_address(url), SilentMonitor())._login.options.tls,  # type: ignore[attr-defined]
    )
    connection = Connection(options)
    assert connection.rows("SHOW STATUS LIKE 'Ssl_cipher'")[0][1]
    connection.close()
    rows = table_rows(url, "d", "t")
    assert len(rows) == ROWS
    assert table_rows(tls_server.socket_url, "d", "t") == rows


def test_a_certificate_for_another_name_is_refused(
    tls_server: MariaDBServer, certificate: tuple[Path, Path]
) -> None:
    url = f"mysql://test:test@localhost:{tls_server.port}/?ssl_ca={certificate[0]}"
    with pytest.raises(ConnectError, match="certificate"):
        source_at(url).open_snapshot(1)


def test_an_unknown_authority_is_refused(tls_server: MariaDBServer) -> None:
    with pytest.raises(ConnectError, match="certificate"):
        source_at(f"{tls_server.url}?ssl=required&ssl_verify=ca").open_snapshot(1)


def test_encryption_that_is_asked_for_is_never_left_out(mariadb: MariaDBServer) -> None:
    with pytest.raises(ConnectError, match="SSL is required"):
        source_at(f"{mariadb.url}?ssl=required").open_snapshot(1)


def test_an_option_file_is_enough(mariadb: MariaDBServer, table: str, tmp_path: Path) -> None:
    file = tmp_path / "client.cnf"
    file.write_text(f"[client]\nuser=test\npassword=test\nsocket={mariadb.socket}\n")
    source = open_source(parse_address("mysql://"), SilentMonitor(), file)
    with source.open_snapshot(1) as snapshot:
        definition = definition_of(snapshot, table, "t")
        assert len(read_rows(snapshot.readers()[0], definition)) == ROWS


def test_a_wrong_password_is_told_without_it(mariadb: MariaDBServer) -> None:
    url = f"mysql://test:wrongword@127.0.0.1:{mariadb.port}/"
    with pytest.raises(ConnectError, match="user 'test'") as raised:
        source_at(url).open_snapshot(1)
    assert "wrongword" not in str(raised.value)


def test_a_password_is_asked_for_once_where_none_is_given(
    mariadb: MariaDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MYSQL_PWD", raising=False)
    questions = []

    def ask(question: str) -> str:
        questions.append(question)
        return "test"

    address = parse_address(f"mysql://test@127.0.0.1:{mariadb.port}/")
    with open_source(address, SilentMonitor(), ask_password=ask).open_snapshot(3):
        pass
    assert len(questions) == 1
    assert "test" in questions[0]


def test_no_server_is_told_with_its_place(tmp_path: Path) -> None:
    missing = tmp_path / "none.sock"
    with pytest.raises(ConnectError, match=r"none\.sock"):
        source_at(f"mysql://u:p@localhost/?unix_socket={missing}").open_snapshot(1)


def connect(server: MariaDBServer) -> Connection:
    return Connection(ConnectOptions("root", unix_socket=str(server.socket)))


def test_a_connection_serves_the_next_statement_after_a_whole_read(
    mariadb: MariaDBServer, table: str
) -> None:
    connection = connect(mariadb)
    for statement, count in ((f"SELECT * FROM {table}.t", ROWS), ("SELECT 1", 1), ("DO 1", 0)):
        batches = connection.stream(statement, "testing")
        assert sum(len(batch.ends) for batch in batches) == count
        assert connection.rows("SELECT 2") == ((b"2",),)
    connection.close()


def test_a_read_that_ends_early_ends_the_connection(mariadb: MariaDBServer, table: str) -> None:
    connection = connect(mariadb)
    batches = connection.stream(f"SELECT * FROM {table}.t", "testing")
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    with pytest.raises(ConnectionLostError, match="ended early"):
        connection.execute("SELECT 1")
    connection.close()


def test_an_error_in_mid_stream_is_told_with_number_and_text(
    mariadb: MariaDBServer, table: str
) -> None:
    connection = connect(mariadb)
    statement = f"SELECT id, IF(id < 9000, 1, (SELECT 1 UNION SELECT 2)) FROM {table}.t"
    with pytest.raises(StatementError, match="more than 1 row") as raised:
        for _ in connection.stream(statement, "testing"):
            pass
    assert raised.value.code == 1242
    connection.close()


def test_a_killed_connection_is_lost_in_mid_read(mariadb: MariaDBServer, table: str) -> None:
    mariadb.execute(
        # Rows enough that the server still has some to send when it is told to stop.
        f"USE {table}",
        f"INSERT INTO t SELECT seq, REPEAT('x', 300) FROM seq_{ROWS + 1}_to_300000",
    )
    with source_at(mariadb.url).open_snapshot(1) as snapshot:
        reader = snapshot.readers()[0]
        definition = definition_of(snapshot, table, "t")
        batches = iter(reader.read(definition, RowRange()))
        next(batches)
        mariadb.execute(f"KILL CONNECTION {reader.connection.connection_id}")
        with pytest.raises(ConnectionLostError, match=f"{table}.t"):
            for _ in batches:
                pass
        with pytest.raises(ConnectionLostError):
            next(iter(reader.read(definition, RowRange())))
