"""What is public is said once, and said everywhere alike."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import tfxfer

REPOSITORY = Path(__file__).parents[1]
STUBS = sorted((REPOSITORY / "tfxfer").rglob("__init__.pyi"))


def declared(stub: Path) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.parse(stub.read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.parent.name)
def test_every_declared_name_is_there(stub):
    package = importlib.import_module(".".join(stub.parent.relative_to(REPOSITORY).parts))
    assert set(package.__all__) == declared(stub)
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_the_readme_lists_the_public_names():
    section = (REPOSITORY / "README.md").read_text().split("## The Python API")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)", section, flags=re.MULTILINE))
    assert listed == declared(REPOSITORY / "tfxfer" / "__init__.pyi")


@pytest.mark.parametrize("name", sorted(declared(REPOSITORY / "tfxfer" / "__init__.pyi")))
def test_public_names_are_documented(name):
    thing = getattr(tfxfer, name)
    if inspect.isfunction(thing) or inspect.isclass(thing):
        assert inspect.getdoc(thing)


@pytest.mark.parametrize(
    "name", sorted(n for n in declared(REPOSITORY / "tfxfer" / "__init__.pyi") if n.islower())
)
def test_public_functions_say_what_they_take_give_and_raise(name):
    text = inspect.getdoc(getattr(tfxfer, name))
    for heading in ("Args:", "Returns:", "Raises:"):
        assert heading in text, f"{name} has no {heading}"


def test_the_version_is_in_the_changelog():
    assert f"## [{tfxfer.__version__}]" in (REPOSITORY / "CHANGELOG.md").read_text()
