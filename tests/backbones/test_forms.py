"""Forms: the start of a name tells who builds the backbone."""

import sys

import pytest

from tfxfer.backbones import BACKBONES, build_outside, catalogued, is_outside
from tfxfer.errors import MissingExtra, SettingError


@pytest.mark.parametrize(
    "name", ["hub:module", "hub:https://a.b/c/1", "hub:", "file:model.keras", "kerashub:vit"]
)
def test_a_form_is_told_by_its_start(name):
    assert is_outside(name)


@pytest.mark.parametrize(
    "name", [*(spec.name for spec in BACKBONES), "hub", "https://a.b/c/1", "C:\\models", ""]
)
def test_other_names_are_for_the_catalogue(name):
    assert not is_outside(name)


def test_the_rest_of_the_name_and_the_settings_go_to_the_form(hub_module):
    model = build_outside(f"hub:{hub_module}", image_size=(32, 48), pixel_range=(0, 1))
    assert model.name == "hub_small"
    assert model.input_shape == (None, 32, 48, 3)


def test_keras_hub_that_is_not_there_is_named(monkeypatch, says):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    message = (
        "a preset of KerasHub needs keras-hub, which does not load (import of keras_hub halted; None in "
        "sys.modules); pip install 'tfxfer[kerashub]'."
    )
    with pytest.raises(MissingExtra, match=says(message)):
        build_outside("kerashub:vit_base_patch16_224_imagenet")


@pytest.mark.parametrize(
    ("place", "kind", "form"),
    [
        ("bundle/manifest.json", "folder", "file"),
        ("module/saved_model.pb", "folder", "hub"),
        ("preset/config.json", "folder", "kerashub"),
        ("m.keras", "file", "file"),
    ],
    ids=["bundle", "SavedModel", "preset", "file"],
)
def test_a_path_instead_of_a_name_is_shown_its_form(place, kind, form, tmp_path, says):
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.touch()
    name = str(file.parent if kind == "folder" else file)
    message = (
        f"no backbone {name!r} in the catalogue, but there is a {kind} of that name; write '{form}:{name}' "
        "to build on it."
    )
    with pytest.raises(SettingError, match=says(message)):
        catalogued(name)


@pytest.mark.parametrize("place", ["pictures/a.png", "w.h5"])
def test_a_path_that_no_form_takes_is_but_no_name(place, tmp_path):
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.touch()
    with pytest.raises(SettingError, match=r"^no backbone .* `tfxfer backbones` lists all"):
        catalogued(str(file.parent if place == "pictures/a.png" else file))


def test_a_name_of_the_catalogue_is_looked_up_though_a_folder_has_it(tmp_path, monkeypatch):
    (tmp_path / "micro").mkdir()
    monkeypatch.chdir(tmp_path)
    assert catalogued("micro") is BACKBONES["micro"]
