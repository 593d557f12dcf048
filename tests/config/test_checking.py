"""Every field of every frozen value that people make is of its type, or is refused by its name."""

from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import keras
import numpy as np
import pytest

from tfxfer import (
    L2SP,
    Choice,
    CutMix,
    Distillation,
    FloatRange,
    IntRange,
    MixUp,
    Phase,
    Recipe,
    SettingError,
)
from tfxfer.augment import FroFA, Policy, Step
from tfxfer.config.kinds import members, types_of
from tfxfer.config.recipe import GROUPS

GIVEN: dict[type, dict[str, Any]] = {
    Phase: {"name": "p"},
    L2SP: {},
    Distillation: {"teacher": "saved_models/flowers"},
    **{kind: {} for kind in (*GROUPS.values(), Recipe)},
    FloatRange: {"low": 0.0, "high": 1.0},
    IntRange: {"low": 0, "high": 4},
    MixUp: {},
    CutMix: {},
    FroFA: {},
    Step: {"name": "HorizontalFlip"},
    Policy: {"name": "mine", "summary": "Mirrored.", "steps": (), "source": ""},
}
WRONG = (None, "x", True, 3, 0.5, object(), [object()], {"x": object()})


def may_be(member: Any, value: object) -> bool:
    """Say anew whether a field may have one of these values, of which no list and no mapping fits a type."""
    if member is Any:
        return True
    if get_origin(member) is Literal:
        return isinstance(value, str)
    if member is float:
        return type(value) in (int, float)
    if member in (int, bool, str, Path, slice, NoneType):
        return type(value) is member
    return get_args(member) == (str, Any) and type(value) is dict


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        pytest.param(kind, each.name, value, id=f"{kind.__name__}-{each.name}-{type(value).__name__}")
        for kind in GIVEN
        for each in fields(kind)
        for value in WRONG
        if not any(may_be(member, value) for member in members(types_of(kind)[each.name]))
    ],
)
def test_a_value_of_another_type_is_refused_by_its_name(kind, name, value):
    with pytest.raises(SettingError, match=rf"^(each of )?{name}( of .*)? must be .*, got .*\.$"):
        kind(**GIVEN[kind] | {name: value})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Phase(None), "name of phase None must be text, got None."),
        (lambda: Phase("p", epochs=None), "epochs of phase 'p' must be a whole number, got None."),
        (lambda: Phase("p", epochs=True), "epochs of phase 'p' must be a whole number, got True."),
        (lambda: Phase("p", rate=None), "rate of phase 'p' must be a number or 'find', got None."),
        (lambda: Phase("p", patience="x"), "patience of phase 'p' must be a whole number or None, got 'x'."),
        (
            lambda: Phase("p", train=None),
            "train of phase 'p' must be text, a whole number or a slice, got None.",
        ),
        (lambda: Phase("p", anchor=1), "anchor of phase 'p' must be of type L2SP or None, got 1."),
        (lambda: Phase("p", drops=0.5), "drops of phase 'p' must be a list, got 0.5."),
        (lambda: Phase("p", drops=["x"]), "each of drops of phase 'p' must be a number, got 'x'."),
        (
            lambda: Phase("p", optimizer=None),
            "optimizer of phase 'p' must be a name, or one of "
            "keras.optimizers that wraps no other, got NoneType.",
        ),
        (lambda: L2SP(alpha="x"), "alpha of L2SP must be a number, got 'x'."),
        (lambda: Distillation("t", alpha="x"), "alpha of the distillation must be a number, got 'x'."),
        (
            lambda: Distillation(3),
            "teacher of the distillation must be a folder or a model of Keras, got int.",
        ),
        (lambda: FloatRange("a", "b"), "low of a range must be a number, got 'a'."),
        (lambda: IntRange(0, 1.5), "high of a range must be a whole number, got 1.5."),
        (lambda: Choice("a", ["b"]), "a choice is of text, numbers or None, got ['b']."),
        (lambda: MixUp("x"), "alpha of mixup must be a number, got 'x'."),
        (lambda: CutMix(None), "alpha of cutmix must be a number, got None."),
        (lambda: Step("Affine", p="x"), "p of step 'Affine' must be a number, got 'x'."),
        (
            lambda: Policy("mine", "Mirrored.", ("HorizontalFlip",), ""),
            "each of steps of policy 'mine' must be of type Step, got 'HorizontalFlip'.",
        ),
        (lambda: Recipe(model="micro"), "model of a recipe must be of type Model, got 'micro'."),
        (
            lambda: Recipe().with_settings(image_size="x"),
            "image_size must be a whole number or None, got 'x'.",
        ),
        (
            lambda: Recipe().with_settings(pixel_range=(0, 1, 2)),
            "pixel_range must be a list of 2 or None, got (0, 1, 2).",
        ),
        (lambda: Recipe().with_settings(formats="keras"), "formats must be a list, got 'keras'."),
        (
            lambda: Recipe().with_settings(columns={"label": None}),
            "each of columns must be text or a list, got None.",
        ),
        (lambda: Recipe().with_settings(guard=1), "guard must be True or False, got 1."),
        (lambda: Recipe().with_settings(seed="x"), "seed of a recipe must be a whole number, got 'x'."),
    ],
)
def test_it_is_said_what_is_allowed(make, message, says):
    with pytest.raises(SettingError, match=says(message)):
        make()


def test_numbers_of_numpy_and_lists_pass():
    assert Phase("p", epochs=np.int64(3), rate=np.float32(0.5), drops=[0.5]).epochs == 3
    assert Recipe().with_settings(formats=["keras"], dropout=0, pixel_range=[0, 1]).bundle.formats == [
        "keras"
    ]
    assert Distillation(keras.Sequential()).alpha == 0.1
