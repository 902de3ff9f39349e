"""What `mount` says where it cannot be, and what serves instead."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rowvault.commands import mount as verb
from rowvault.commands.access import RepositoryAccess
from rowvault.core.errors import MountError


def options(directory: Path, *, allow_other: bool = False) -> verb.MountOptions:
    """Of a mount that is refused before the repository is opened."""
    access = RepositoryAccess(str(directory / "vault"), lambda: b"")
    return verb.MountOptions(access, directory, allow_other=allow_other)


def test_without_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "_DEVICE", tmp_path / "fuse")
    with pytest.raises(MountError, match=r"modprobe fuse.*`ls`, `dump` and `diff`"):
        verb.mount(options(tmp_path), lambda: None)


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "_DEVICE", tmp_path)
    monkeypatch.setitem(sys.modules, "rowvault.mount.fuse", None)
    words = r"apt-get install fuse3.*pip install 'rowvault\[mount\]'.*`ls`, `dump` and `diff`"
    with pytest.raises(MountError, match=words):
        verb.mount(options(tmp_path), lambda: None)


def test_without_the_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install fuse3" in verb._likely_reason(options(tmp_path))


def test_other_users_have_to_be_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(verb.os, "getuid", lambda: 1000)
    assert verb._likely_reason(options(tmp_path)) == ""
    words = verb._likely_reason(options(tmp_path, allow_other=True))
    assert "user_allow_other" in words
