"""The house: imports go down the floors, modules and functions stay small, names do not collide."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "tfxfer"
MODULES = sorted(PACKAGE.rglob("*.py"))
FLOOR = {
    "errors": 0,
    "registry": 0.1,
    "guards": 0.15,
    "contracts": 0.2,
    "runtime": 1,
    "config": 1.1,
    "data": 2,
    "augment": 2,
    "backbones": 2,
    "heads": 2,
    "models": 3,
    "features": 3.5,
    "training": 4,
    "fewshot": 4,
    "anomaly": 4,
    "evaluation": 5,
    "explaining": 5,
    "exports": 6,
    "reporting": 6.5,
    "keeping": 6.9,
    "workflow": 7,
    "conversion": 7,
    "transferring": 7.1,
    "distilling": 7.1,
    "previewing": 7,
    "searching": 7.5,
    "demonstration": 8,
    "cli": 9,
    "__main__": 10,
}


def room(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{module} imports relatively; write the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            first, *rest = name.split(".")
            if first == "tfxfer" and rest and rest[0] in FLOOR:
                yield rest[0]


def inside(paths: list[Path]) -> list[Path]:
    return [path for path in paths if path.parent != PACKAGE or path.stem != "__init__"]


@pytest.mark.parametrize("module", inside(MODULES), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(module):
    here = room(module)
    uphill = sorted(other for other in set(imported_rooms(module)) - {here} if FLOOR[other] >= FLOOR[here])
    assert not uphill, (
        f"{module.name} (floor {FLOOR[here]}) may not import {uphill}: pass the value in, or move the "
        "code down."
    )


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small(module):
    lines = module.read_text().splitlines()
    assert len(lines) < 400, f"{module} has {len(lines)} lines; split it by reason to change."
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno - body[0].lineno + 1) if body else 0
            assert length < 40, f"{module}: {node.name} has {length} lines; split it."


def test_imports_between_modules_make_no_cycle():
    graph = {}
    names = {".".join(("tfxfer", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in MODULES}
    for name, path in names.items():
        graph[name] = {
            target
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module in names
            for target in [node.module]
        } - {name}
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph, f"these import each other in a ring: {sorted(graph)}"


def test_rooms_within_a_room_make_no_cycle():
    graph = {}
    for path in inside(MODULES):
        here = path.relative_to(PACKAGE).with_suffix("").parts[:2]
        targets = graph.setdefault(here, set())
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"tfxfer.{here[0]}."):
                targets.add(tuple(node.module.split(".")[1:3]))
    for here, targets in graph.items():
        targets.discard(here)
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph, f"these rooms import each other in a ring: {sorted(graph)}"


def test_no_module_is_a_drawer_for_everything():
    assert not {path.stem for path in MODULES} & {"utils", "util", "helpers", "common", "misc"}


def test_no_module_bears_the_name_of_a_public_function():
    """Importing a submodule binds its name on the package, and would hide the function."""
    public = {
        node.names[0].asname
        for stub in PACKAGE.rglob("__init__.pyi")
        for node in ast.walk(ast.parse(stub.read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    assert not public & {path.stem for path in MODULES}


def test_loading_runs_no_code():
    forbidden = (
        "import pickle",
        "import dill",
        "enable_unsafe_deserialization",
        "safe_mode=False",
        "Lambda(",
    )
    for module in MODULES:
        text = module.read_text()
        found = [word for word in forbidden if word in text]
        assert not found, f"{module} has {found}; loading never runs code."


def test_tests_mirror_the_package():
    tests = Path(__file__).parent
    for path in inside(MODULES):
        if path.stem == "__init__" or "catalog" in path.parts:
            continue
        mirror = tests / path.relative_to(PACKAGE).parent / f"test_{path.stem}.py"
        assert mirror.exists(), f"{path.relative_to(PACKAGE)} has no {mirror.relative_to(tests)}"


def test_the_map_in_contributing_names_every_room():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text()
    rooms = {room(path) for path in inside(MODULES)} - {"__main__"}
    assert not {name for name in rooms if f"`{name}" not in text}
