"""The golden repositories, as they were made and not as git keeps them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "data" / "repositories"


def golden_copy(name: str, directory: Path) -> Path:
    """A copy of one below the directory, with the empty directories that git does not carry."""
    copy = Path(shutil.copytree(GOLDEN / name, directory / name))
    document = json.loads((copy / "config").read_bytes())["document"]
    for group in document.get("groups", ()):
        (copy / group).mkdir(parents=True, exist_ok=True)
    return copy
