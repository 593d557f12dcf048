"""The tree of errors is the one its docstring draws, and each is also what Python would raise."""

import inspect

import pytest

from tfxfer import errors
from tfxfer.errors import TfxferError, did_you_mean

TREE = {
    name: thing
    for name, thing in vars(errors).items()
    if inspect.isclass(thing) and issubclass(thing, TfxferError) and thing is not TfxferError
}


@pytest.mark.parametrize("name", TREE)
def test_the_drawing_is_true(name):
    (line,) = [line for line in errors.__doc__.splitlines() if f"── {name} " in line]
    built_in = line.split("(")[1].split(")")[0]
    assert built_in in {base.__name__ for base in TREE[name].__mro__}


def test_all_is_what_there_is():
    assert set(errors.__all__) == {*TREE, "TfxferError", "TfxferWarning", "did_you_mean"}


@pytest.mark.parametrize(
    ("name", "clause"),
    [("resnet5", "; did you mean 'resnet50'?"), ("ResNet50", "; did you mean 'resnet50'?"), ("zebra", "")],
)
def test_only_what_is_near_is_suggested(name, clause):
    assert did_you_mean(name, ["resnet50", "vgg16"]) == clause
