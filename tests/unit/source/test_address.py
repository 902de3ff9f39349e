"""SOURCE and TARGET: what a URL, an option file and the environment say together."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.core.errors import UsageError
from rowvault.core.monitor import SilentMonitor
from rowvault.source.address import (
    connect_options,
    open_source,
    open_target,
    parse_address,
)

SECRET = "s3cret"


def test_all_parts_of_a_url_are_decoded() -> None:
    address = parse_address("mysql://a%40b:p%3Aw@db.example:3307/?ssl_ca=/x%20y.pem")
    assert (address.user, address.password, address.host, address.port) == (
        "a@b",
        "p:w",
        "db.example",
        3307,
    )
    assert address.parameters == {"ssl_ca": "/x y.pem"}


def test_an_ipv6_host_comes_without_its_brackets() -> None:
    options = connect_options(parse_address("mysql://u@[::1]:3306/"), {})
    assert options.host == "::1"
    assert options.url == "mysql://u@[::1]:3306/"


def test_no_text_form_shows_the_password() -> None:
    address = parse_address(f"mysql://u:{SECRET}@h/")
    options = connect_options(address, {})
    assert options.password == SECRET
    for shown in (repr(address), str(address), repr(options), options.url, options.address):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "url",
    [
        f"mysq://u:{SECRET}@h/",
        f"u:{SECRET}@h",
        f"mysql://u:{SECRET}@h:port/",
        f"mysql://u:{SECRET}@h:99999/",
        f"mysql://u:{SECRET}@[::1/",
        "",
    ],
)
def test_what_is_no_address_shows_the_form_and_not_the_password(url: str) -> None:
    with pytest.raises(UsageError, match="mysql://USER@HOST:PORT/") as raised:
        parse_address(url)
    assert SECRET not in str(raised.value)


def test_a_database_in_the_path_points_to_the_option() -> None:
    with pytest.raises(UsageError, match="-d shop"):
        parse_address("mysql://u@h/shop")


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(UsageError, match="compress"):
        parse_address("mysql://u@h/?compress=1")


def test_a_parameter_takes_only_what_it_means() -> None:
    with pytest.raises(UsageError, match="ssl_verify may be one of"):
        parse_address("mysql://u@h/?ssl_verify=maybe")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///shop.db", Path("shop.db")),
        ("sqlite:////srv/a%20b.db", Path("/srv/a b.db")),
    ],
)
def test_a_file_may_be_relative_or_absolute(url: str, path: Path) -> None:
    assert parse_address(url).path == path


@pytest.mark.parametrize("url", ["sqlite://shop.db", "sqlite:///", "sqlite://"])
def test_a_file_needs_three_slashes_and_a_path(url: str) -> None:
    with pytest.raises(UsageError, match=r"sqlite:///PATH\.db"):
        parse_address(url)


def option_file(directory: Path, text: str) -> Path:
    file = directory / "client.cnf"
    file.write_text(text)
    return file


def login_options(url: str, file: Path | None) -> object:
    source = open_source(parse_address(url), SilentMonitor(), file)
    return source._login.options  # type: ignore[attr-defined]


def test_an_option_file_fills_in_what_the_url_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", "from the environment")
    file = option_file(
        tmp_path,
        "!includedir /nowhere\n[mysqld]\nport = 1\n[client]\nuser = 'ann'\npassword = \"p#w\"\n"
        "[client-server]\nport = 3311\nhost = there\n",
    )
    options = login_options("mysql://", file)
    assert options == connect_options(parse_address("mysql://ann:p%23w@there:3311/"), {})


def test_the_url_goes_before_the_option_file_and_the_file_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", "third")
    file = option_file(tmp_path, "[client]\npassword = second\nuser = filed\n")
    assert login_options("mysql://u:first@h/", file).password == "first"  # type: ignore[attr-defined]
    assert login_options("mysql://u@h/", file).password == "second"  # type: ignore[attr-defined]
    assert login_options("mysql://u@h/", None).password == "third"  # type: ignore[attr-defined]


def test_the_socket_of_an_option_file_is_for_the_local_host_only(tmp_path: Path) -> None:
    file = {"socket": "/run/x.sock"}
    assert connect_options(parse_address("mysql://u@localhost/"), file).unix_socket == "/run/x.sock"
    assert connect_options(parse_address("mysql://u@h/"), file).unix_socket == ""
    assert connect_options(parse_address("mysql://u@localhost:3306/"), file).unix_socket == ""


@pytest.mark.parametrize("text", [f"[client\npassword={SECRET}", f"password={SECRET}\n"])
def test_a_bad_option_file_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    file = option_file(tmp_path, text)
    with pytest.raises(UsageError, match=r"client\.cnf") as raised:
        open_source(parse_address("mysql://u@h/"), SilentMonitor(), file)
    assert SECRET not in str(raised.value)


def test_a_missing_option_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        open_source(parse_address("mysql://u@h/"), SilentMonitor(), tmp_path / "none.cnf")


def test_a_password_in_the_address_is_warned_of() -> None:
    monitor = SilentMonitor()
    open_source(parse_address(f"mysql://u:{SECRET}@h/"), monitor)
    assert len(monitor.warnings) == 1
    assert SECRET not in monitor.warnings[0]


def test_an_authority_asks_for_a_checked_identity() -> None:
    tls = connect_options(parse_address("mysql://u@h/?ssl_ca=/ca.pem"), {}).tls
    assert (tls.mode, tls.ca, tls.verify) == ("required", "/ca.pem", "")
    with pytest.raises(UsageError, match="TLS files"):
        tls.context()


def test_checking_needs_encryption() -> None:
    address = parse_address("mysql://u@h/?ssl=off&ssl_verify=ca")
    with pytest.raises(UsageError, match="ssl=required"):
        open_target(address, SilentMonitor())
