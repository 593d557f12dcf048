"""The real client: MediaPipe's ImageClassifier gives the labels that we give, on fifty pictures."""

import numpy as np
import pytest
from PIL import Image

from tests.exports.metadata.conftest import SIZE, converted
from tfxfer.data import read_image
from tfxfer.exports import FileFacts, LiteRTModel, describe, load


def as_pngs(images, folder):
    """Write pictures, so that MediaPipe has nothing left to resize."""
    folder.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:02}.png")
    return folder


def in_order(said, labels):
    """Scores by picture and label, as ours are."""
    return np.array([[scores[label] for label in labels] for _, scores in sorted(said.items())], np.float32)


@pytest.mark.parametrize("name", ["plain", "quantized"])
def test_scores_are_the_same_float_and_int8(name, facts, ask_mediapipe, tmp_path, request):
    path = tmp_path / "model.tflite"
    path.write_bytes(request.getfixturevalue(name))
    describe(path, facts)
    images = np.random.default_rng(7).integers(0, 256, (50, *SIZE, 3)).astype(np.uint8)
    said = in_order(ask_mediapipe(path, as_pngs(images, tmp_path / "pictures"))["said"], facts.labels)
    ours = LiteRTModel(path).all_scores(images)
    assert len(set(ours.argmax(axis=1))) > 1
    np.testing.assert_array_equal(said.argmax(axis=1), ours.argmax(axis=1))
    np.testing.assert_allclose(said, ours, atol=1e-6)


def test_a_bundle_s_file_is_read(bundle, ask_mediapipe, shared_pictures, tmp_path):
    folder, _ = bundle
    files = sorted(shared_pictures.rglob("*.png"))[:50]
    predictor = load(folder)
    images = [read_image(file, height=32, width=32, resize=predictor.resize) for file in files]
    told = ask_mediapipe(folder / "model.tflite", as_pngs(images, tmp_path / "pictures"))
    said = in_order(told["said"], predictor.classes)
    np.testing.assert_allclose(said, predictor.scores(files), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("numbers", ["float32", "int8"])
def test_fifty_photographs_have_the_same_labels(numbers, photographs, ask_mediapipe, tmp_path):
    model, photos, train, test = photographs
    facts = FileFacts("ants and bees", "single_label", photos.classes, photos.resize)
    path = tmp_path / "model.tflite"
    path.write_bytes(converted(model, tmp_path / "saved", train if numbers == "int8" else None))
    describe(path, facts)
    said = in_order(ask_mediapipe(path, as_pngs(test, tmp_path / "pictures"))["said"], facts.labels)
    ours = LiteRTModel(path).all_scores(test)
    assert len(test) == 50
    np.testing.assert_array_equal(said.argmax(axis=1), ours.argmax(axis=1))
    np.testing.assert_allclose(said, ours, atol=1e-6)
