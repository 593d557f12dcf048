"""pooled_features: one vector a picture, the head being no matter; computed once."""

import keras
import numpy as np
import pytest

from tfxfer.backbones import BACKBONES, build_backbone
from tfxfer.data import from_folder
from tfxfer.errors import SettingError
from tfxfer.features import budget, kept_features, linear_probe, pooled_features
from tfxfer.models import build


@pytest.fixture(scope="module")
def photos(shared_pictures):
    return from_folder(shared_pictures)


@pytest.mark.usefixtures("cache_home")
def test_they_are_what_the_backbone_makes_averaged(photos, capsys):
    backbone = build_backbone(BACKBONES["micro"], input_shape=(32, 32, 3))
    indices = photos.split.validation
    (images, _), *_ = photos.batches("validation", image_size=32, batch_size=100).as_numpy_iterator()
    found = pooled_features(backbone, photos, indices)
    wanted = backbone.predict(images.astype(np.float32), verbose=0).mean(axis=(1, 2))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-3)
    assert f"features: {len(indices)} views by LiteRT" in capsys.readouterr().err
    # The model on that backbone has the same, whatever its head.
    of_model = pooled_features(
        build(classes=3, backbone="micro", image_size=32), photos, indices, progress=False
    )
    np.testing.assert_allclose(of_model, found, rtol=2e-3, atol=1e-3)
    pooled_features(backbone, photos, indices)
    assert capsys.readouterr().err == ""


def test_a_probe_on_them_tells_colours_apart(photos):
    backbone = build_backbone(BACKBONES["micro"], input_shape=(32, 32, 3))
    parts = {
        part: (pooled_features(backbone, photos, photos.split[part], progress=False), photos.targets(part))
        for part in ("train", "test")
    }
    assert linear_probe(*parts["train"]).score(*parts["test"]) > 0.6


@pytest.mark.usefixtures("cache_home")
def test_what_litert_cannot_run_is_told(photos, capsys):
    image = keras.Input((32, 32, 3))
    small = keras.layers.Resizing(8, 8, interpolation="bicubic")(image)
    prefix = keras.Model(image, keras.layers.GlobalAveragePooling2D()(small), name="bicubic")
    assert kept_features(prefix, photos, range(3)).shape == (3, 3)
    told, taken = capsys.readouterr().err.splitlines()[-2:]
    assert told.startswith("features: by TensorFlow, since LiteRT cannot run it (ConverterError: ")
    assert taken.startswith("features: 3 views by TensorFlow in ")


def test_without_room_they_are_refused(photos, monkeypatch, says):
    monkeypatch.setattr(budget, "BUDGET_BYTES", 1000)
    backbone = build_backbone(BACKBONES["micro"], input_shape=(32, 32, 3))
    message = (
        "there is no room for 0.0 MB of features within 0.0 MB; clear some (tfxfer cache --clear), or take "
        "fewer pictures."
    )
    with pytest.raises(SettingError, match=says(message)):
        pooled_features(backbone, photos, range(9), progress=False)
