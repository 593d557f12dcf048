"""Origin: which weights a backbone has is known by digest, and others are refused before they are read."""

import hashlib
import inspect
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import pytest

from tfxfer.backbones import BACKBONES, Origin, build_backbone, build_outside, check_digest, origin_of
from tfxfer.backbones.hub.files import private_copy
from tfxfer.backbones.weights_file import embedded_file
from tfxfer.errors import SettingError, WeightsError
from tfxfer.runtime import folder_sha256

MICRO = BACKBONES["micro"]
NO_DIGEST = "0" * 64


def refused(name, found, says):
    return pytest.raises(
        WeightsError,
        match=says(
            f"the weights {name} have the SHA-256 {found}, wanted is {NO_DIGEST}: they are others, or "
            "damaged; get them again from where that digest is said, or leave weights_sha256 "
            "(--weights-sha256) out if you trust these."
        ),
    )


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_the_embedded_weights_are_those_the_catalogue_tells(says):
    file = embedded_file("micro")
    origin = origin_of(build_backbone(MICRO))
    assert origin == Origin("embedded", file.name, sha256(file))
    assert origin.sha256 == MICRO.weights_sha256
    with refused(file.name, sha256(file), says):
        build_backbone(replace(MICRO, weights_sha256=NO_DIGEST))


def test_a_file_has_the_digest_that_is_wanted_in_any_case(tmp_path, says):
    file = Path(shutil.copy(embedded_file("micro"), tmp_path / "mine.weights.h5"))
    model = build_backbone(MICRO, weights=file, sha256=sha256(file).upper())
    assert origin_of(model) == Origin("file", "mine.weights.h5", sha256(file))
    with refused("mine.weights.h5", sha256(file), says):
        build_backbone(MICRO, weights=file, sha256=NO_DIGEST)


def test_another_file_is_refused_before_it_is_read(tmp_path, says):
    file = tmp_path / "bad.keras"
    file.write_bytes(b"not opened")
    with refused("bad.keras", sha256(file), says):
        build_backbone(MICRO, weights=file, sha256=NO_DIGEST)


def test_random_weights_have_none():
    assert origin_of(build_backbone(MICRO, weights=None)) == Origin("random")


def test_what_keras_fetches_is_known_and_held(imagenet_home, monkeypatch, says):
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(imagenet_home))
    spec = BACKBONES["mobilenet_v2_035"]
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
    found = sha256(imagenet_home / "models" / name)
    assert origin_of(build_backbone(spec, sha256=found)) == Origin("imagenet", name, found)
    monkeypatch.setattr(keras.Model, "load_weights", lambda *_: pytest.fail("it was read"))
    with refused(name, found, says):
        build_backbone(spec, sha256=NO_DIGEST)


@pytest.mark.parametrize("builder", sorted({spec.builder for spec in BACKBONES if "keras." in spec.builder}))
def test_keras_fetches_all_its_weights_by_the_function_that_is_noted(builder):
    function = getattr(keras.applications, builder.partition(":")[2])
    source = inspect.getsource(inspect.getmodule(function))
    if "return resnet.ResNet(" in source:
        source = inspect.getsource(keras.src.applications.resnet)
    assert "file_utils.get_file(" in source


def test_a_module_is_known_by_all_its_files(hub_module, says):
    name = f"hub:{hub_module.name}"
    found = folder_sha256(private_copy(hub_module))
    settings = {"image_size": (32, 32), "pixel_range": (0, 1)}
    model = build_outside(f"hub:{hub_module}", **settings, sha256=found)
    assert origin_of(model) == Origin("hub", name, found)
    with refused(name, found, says):
        build_outside(f"hub:{hub_module}", **settings, sha256=NO_DIGEST)


def test_a_model_out_of_a_file_tells_nothing(tmp_path):
    build_backbone(MICRO).save(tmp_path / "model.keras")
    assert origin_of(keras.saving.load_model(tmp_path / "model.keras")) is None


@pytest.mark.parametrize(
    ("wanted", "weights", "message"),
    [
        (
            "abc",
            "pretrained",
            "weights_sha256 must be 64 hexadecimal digits, as sha256sum prints them, got 'abc'.",
        ),
        (
            NO_DIGEST,
            None,
            "weights_sha256 is the digest of weights, and weights=None takes none; leave it out.",
        ),
    ],
    ids=["no digest", "no weights"],
)
def test_what_cannot_be_held_is_refused(wanted, weights, message, says):
    with pytest.raises(SettingError, match=says(message)):
        check_digest(wanted, weights=weights)
