"""docs/reference/json.md names every key that a command prints, in the part about that command."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from rowvault.cli.failure import kind_of
from rowvault.cli.output.exit_codes import exit_code_of
from rowvault.core import errors

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "rowvault"
PAGE = (ROOT / "docs" / "reference" / "json.md").read_text()

PARTS_OF_DOCUMENTS = {
    "cli/input/prune_options.py": "prune",
    "core/documents.py": "backup",
    "render/description.py": "show",
    "cli/input/snapshot_name.py": "",
}
"""What stands outside of the verbs' modules, and the command that it is described with."""

MODULES = PARTS_OF_DOCUMENTS | {
    f"cli/verbs/{path.name}": path.stem
    for path in sorted((SOURCE / "cli" / "verbs").glob("[a-z]*.py"))
}


def section(verb: str) -> str:
    """All that the page says of a command; of '': what it says of all of them."""
    head, *sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    about = [text for text in sections if re.search(rf"^(.*, )?{verb}\b", text.split("\n")[0])]
    return head if not verb else "".join(about)


def keys(tree: ast.AST) -> set[str]:
    """The keys of all dictionaries that are written out as one."""
    return {
        key.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Dict)
        for key in one.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


@pytest.mark.parametrize("module", MODULES)
def test_every_key_stands_on_the_page(module: str) -> None:
    printed = keys(ast.parse((SOURCE / module).read_text()))
    named = set(re.findall(r"`(\w+)`", section(MODULES[module])))
    assert printed <= named, f"not named under {MODULES[module]!r}: {sorted(printed - named)}"


def test_the_look_at_the_code_finds_keys() -> None:
    found = {module: keys(ast.parse((SOURCE / module).read_text())) for module in MODULES}
    assert {"snapshot", "missing", "damage"} <= found["cli/verbs/backup.py"]
    assert "url" in found["render/description.py"]
    assert "tag" in found["cli/verbs/tag.py"]


def test_every_verb_that_writes_a_document_has_a_part() -> None:
    for module, verb in MODULES.items():
        if "write_json" in (SOURCE / module).read_text():
            assert section(verb), verb


def test_every_kind_of_error_stands_there_with_its_code() -> None:
    rows = re.findall(r"^\| (`.*?`) \| (\d+) \|", section("Errors"), flags=re.MULTILINE)
    named = [(kind, int(code)) for kinds, code in rows for kind in re.findall(r"`(\w+)`", kinds)]
    assert len(dict(named)) == len(named), "a kind stands there twice"
    for one in vars(errors).values():
        if isinstance(one, type) and issubclass(one, errors.RowvaultError):
            code = exit_code_of(one.__new__(one))
            assert dict(named).get(kind_of(one)) == code, kind_of(one)
