"""The house rules that no linter holds: sizes of folders, modules and functions, and names."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import rowvault

SOURCE = Path(rowvault.__file__).parent

MOST_MODULES = 20
ONE_FILE_A_VERB = {"cli/verbs", "commands"}

MOST_LINES = 400
LONG_MODULES = {
    "repository/repository.py": "the whole of what others may do with a repository, as one class",
    "repository/session.py": "one state machine: packs, index and blocks change under its locks",
    "source/protocol.py": "the contract that a new source is written against, read as one page",
}

MOST_FUNCTION_LINES = 50

VAGUE_PARAMETERS = {"one", "place", "still", "standing"}

OLD_MODULES = {
    "ahead",
    "base_marks",
    "called",
    "created",
    "examiner",
    "figures",
    "filling",
    "fitness",
    "foresight",
    "four_figures",
    "holdings",
    "inserting",
    "keeper",
    "late_keys",
    "limits",
    "maker",
    "members",
    "outside",
    "portions",
    "renewal",
    "room",
    "signs",
    "slots",
    "stand_in",
    "standing",
}
"""Names that no module has, wherever it lies."""

OLD_NAMES = {
    "core.model.Moment",
    "mount.Link",
    "mount.Root",
    "mount.SnapshotCatalogue",
    "mount.guard.Guard",
    "mount.prefetcher.ReadAhead",
    "mount.shared_buffers.Slots",
    "render.LargeRow",
    "repository.Catalogue",
    "repository.Link",
    "repository.Root",
    "repository.SessionPlace",
    "repository.session.Figures",
    "restore.Chosen",
    "restore.LoadWork",
    "restore.Standing",
    "restore.naming",
    "restore.standing_tables",
    "source.mysql.Examiner",
    "source.mysql.Filler",
    "source.mysql.Guard",
    "source.mysql.Holdings",
    "source.mysql.Inserter",
    "source.mysql.Keeper",
    "source.mysql.Ladder",
    "source.mysql.LargeRow",
    "source.mysql.LateKeys",
    "source.mysql.Maker",
    "source.mysql.Moment",
    "source.mysql.ObjectMaker",
    "source.mysql.Signs",
    "source.mysql.Situation",
    "source.mysql.StandIn",
    "source.mysql.Taken",
    "source.mysql._Ladder",
    "source.mysql.consistency.guard",
    "sqltext.LateKeys",
    "sqltext.StandIn",
    "sqltext.before_rows",
    "sqltext.behind_rows",
    "upkeep.FourFigures",
    "upkeep.Renewal",
}
"""Names that no class, function or module in a package, or in the packages below it, has."""


@cache
def _trees() -> dict[str, ast.Module]:
    """Of all modules, by their paths below the package."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    }


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _old_names(path: str, tree: ast.Module) -> Iterator[str]:
    parts = path.removesuffix(".py").split("/")
    names = [node.name for node in _functions(tree)]
    names += [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for end in range(len(parts) + 1):
        for name in (*names, parts[-1]):
            qualified = ".".join([*parts[:end], name])
            if qualified in OLD_NAMES:
                yield f"{path}: {qualified}"
    if parts[-1] in OLD_MODULES:
        yield path


def test_no_folder_holds_more_modules_than_one_takes_in() -> None:
    """Compiled modules are not counted: each is the twin of a plain one, or shared by several."""
    counts = Counter(
        path.rpartition("/")[0] for path in _trees() if not path.endswith("__init__.py")
    )
    large = {folder: count for folder, count in counts.items() if count > MOST_MODULES}
    assert large.keys() <= ONE_FILE_A_VERB, large


def test_modules_are_short_but_for_those_with_a_reason() -> None:
    lengths = {path: len((SOURCE / path).read_text("utf-8").splitlines()) for path in _trees()}
    assert {path for path, length in lengths.items() if length > MOST_LINES} == LONG_MODULES.keys()
    assert len(LONG_MODULES) <= 3


def test_functions_are_short() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in _trees().items()
        for node in _functions(tree)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > MOST_FUNCTION_LINES
    ]
    assert long == []


def test_parameters_say_what_they_are() -> None:
    vague = [
        f"{path}:{node.lineno} {node.arg}"
        for path, tree in _trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.arg) and node.arg in VAGUE_PARAMETERS
    ]
    assert vague == []


def test_names_that_were_replaced_do_not_come_back() -> None:
    assert [found for path, tree in _trees().items() for found in _old_names(path, tree)] == []


def test_an_old_name_is_found_in_a_package_and_below_it() -> None:
    tree = ast.parse("class Holdings: ...")
    path = "source/mysql/consistency/holdings.py"
    assert list(_old_names(path, tree)) == [f"{path}: source.mysql.Holdings", path]
    assert list(_old_names("core/model.py", ast.parse("class Moment: ..."))) == [
        "core/model.py: core.model.Moment"
    ]
    assert list(_old_names("source/protocol.py", ast.parse("class Catalogue: ..."))) == []
