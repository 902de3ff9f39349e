"""What is added to an error that work on an open repository meets."""

from __future__ import annotations

from pathlib import Path

import pytest

from rowvault.commands.access import RepositoryAccess
from rowvault.core.errors import CorruptError
from rowvault.repository.repository import Repository
from rowvault.storage import LocalStorage
from support.sample_repository import SMALL


@pytest.mark.parametrize("message", ["pack 12ab is damaged", "Nothing was removed."])
def test_advice_follows_in_a_sentence_of_its_own(tmp_path: Path, message: str) -> None:
    Repository.create(LocalStorage(tmp_path / "place"), None, SMALL)
    access = RepositoryAccess(str(tmp_path / "place"), lambda: b"")
    with pytest.raises(CorruptError) as raised, access.open():
        raise CorruptError(message)
    assert str(raised.value).startswith(f"{message.removesuffix('.')}. `rowvault check")
