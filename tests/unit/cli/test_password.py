"""Where the repository's password comes from."""

from pathlib import Path

import pytest

from rowvault.cli import password
from rowvault.core.errors import UsageError


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("", "_FILE", "_COMMAND"):
        monkeypatch.delenv(f"ROWVAULT_PASSWORD{name}", raising=False)
    monkeypatch.setattr(password, "_can_ask", lambda: False)


def test_the_variable_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from the file\n")
    monkeypatch.setenv("ROWVAULT_PASSWORD_FILE", str(tmp_path / "pw"))
    assert password.repository_password() == b"from the file"
    monkeypatch.setenv("ROWVAULT_PASSWORD", "größe ")
    assert password.repository_password() == "größe ".encode()


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nsecond line\n"])
def test_the_first_line_of_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: str
) -> None:
    (tmp_path / "pw").write_text(f" secret{end}", newline="")
    monkeypatch.setenv("ROWVAULT_PASSWORD_FILE", str(tmp_path / "pw"))
    assert password.new_repository_password() == b" secret"


def test_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWVAULT_PASSWORD_COMMAND", "printf '%s\\n' 'a b'")
    assert password.repository_password() == b"a b"


@pytest.mark.parametrize("command", ["false", "/no/such/program", "'unbalanced", "true"])
def test_commands_that_give_none(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("ROWVAULT_PASSWORD_COMMAND", command)
    with pytest.raises(UsageError, match="PASSWORD_COMMAND"):
        password.repository_password()


def test_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWVAULT_PASSWORD_FILE", "/no/such/file")
    with pytest.raises(UsageError, match="/no/such/file"):
        password.repository_password()


def test_an_empty_password_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWVAULT_PASSWORD", "")
    with pytest.raises(UsageError, match="empty"):
        password.repository_password()


def test_nobody_to_ask() -> None:
    with pytest.raises(UsageError, match="ROWVAULT_PASSWORD_FILE"):
        password.repository_password()
    assert password.server_password() is None


def test_a_server_password_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(password, "_can_ask", lambda: True)
    monkeypatch.setattr(password, "_ask", lambda question, confirm: asked.append(question) or "pw")
    ask = password.server_password()
    assert ask is not None
    assert [ask("Password of a at b: "), ask("Password of a at b: ")] == ["pw", "pw"]
    assert asked == ["Password of a at b"]
