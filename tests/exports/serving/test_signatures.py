"""A SavedModel answers pixels and files, where tfxfer is not installed, as load does."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfxfer.contracts import InputContract
from tfxfer.data import read_image
from tfxfer.exports import load
from tfxfer.exports.material import Material
from tfxfer.exports.serving.signatures import write_served

PLAIN = """
import sys, pathlib, numpy
sys.modules["tfxfer"] = None
folder, *files = sys.argv[1:]
import tensorflow as tf
signatures = tf.saved_model.load(f"{folder}/saved_model/1").signatures
said = signatures["image_bytes"](image_bytes=tf.constant([pathlib.Path(file).read_bytes() for file in files]))
numpy.savez("said.npz", **{name: value.numpy() for name, value in said.items()})
"""


@pytest.fixture(scope="module")
def odd_files(photos, tmp_path_factory):
    """Pictures of odd shapes, turned, grey and see-through."""
    folder = tmp_path_factory.mktemp("odd")
    chosen = photos.paths("test")[:5]
    images = [Image.open(path).convert("RGB") for path in chosen]
    exif = Image.Exif()
    exif[0x0112] = 6
    images[0].resize((301, 157)).save(folder / "wide.jpg", quality=95)
    images[1].resize((150, 420)).save(folder / "turned.jpg", exif=exif, quality=95)
    images[2].convert("L").save(folder / "grey.png")
    images[3].convert("L").resize((90, 91)).save(folder / "grey.jpg")
    see_through = images[4].copy()
    see_through.putalpha(Image.linear_gradient("L").resize(see_through.size))
    see_through.save(folder / "alpha.png")
    images[4].save(folder / "one.bmp")
    images[4].save(folder / "one.gif")
    return sorted(folder.iterdir())


def test_files_are_answered_as_load_answers_them(bundle, odd_files, tmp_path):
    folder, _ = bundle
    command = [sys.executable, "-c", PLAIN, str(folder), *map(str, odd_files)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    expected = load(folder).predict(odd_files)
    with np.load(tmp_path / "said.npz", allow_pickle=True) as said:
        assert sorted(said) == ["label", "names", "scores"]
        assert [label.decode() for label in said["label"]] == [each.label for each in expected]
        scores = [list(each.scores.values()) for each in expected]
        np.testing.assert_allclose(said["scores"], scores, atol=0.01)
        assert [name.decode() for name in said["names"][-1]] == list(load(folder).classes)


def test_pixels_are_answered_alike_by_both_signatures(bundle, fitted, photos):
    images = np.stack([read_image(path, height=32, width=32) for path in photos.paths("test")])
    signatures = tf.saved_model.load(str(bundle[0] / "saved_model" / "1")).signatures
    expected = fitted[0].predict(images, verbose=0)
    (plain,) = signatures["serving_default"](pixels=tf.constant(images, tf.float32)).values()
    named = signatures["uint8"](pixels=tf.constant(images))
    np.testing.assert_allclose(plain, expected, atol=1e-5)
    np.testing.assert_allclose(named["scores"], expected, atol=1e-5)


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_other_tasks_have_names_and_no_label(task, of_task, tmp_path):
    photos, model, *_ = of_task[task]
    facts = replace(Material(photos, InputContract(32, 32)).facts, resize="stretch")
    write_served(model, tmp_path / "1", facts)
    path = photos.paths("test")[0]
    answer = tf.saved_model.load(str(tmp_path / "1")).signatures["image_bytes"]
    said = answer(image_bytes=tf.constant([path.read_bytes()]))
    assert sorted(said) == ["names", "scores"]
    image = read_image(path, height=32, width=32, resize="stretch")
    np.testing.assert_allclose(
        said["scores"], model.predict(image[np.newaxis], verbose=0), rtol=0.01, atol=0.01
    )
