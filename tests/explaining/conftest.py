"""A model that tells pictures apart by the colour of a small patch, and where those patches are."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import tfxfer
from tests.conftest import COLOURS

SIZE, PATCH = 64, 16
CLASSES = tuple(COLOURS)


@dataclass(frozen=True)
class Patches:
    """Grey clouds with a square of the class's colour each."""

    images: np.ndarray
    labels: np.ndarray
    inside: np.ndarray


def patches(count, *, seed):
    images, inside = [], []
    for number in range(len(CLASSES) * count):
        generator = np.random.default_rng([seed, number])
        coarse = generator.integers(60, 200, (8, 8)).astype(np.uint8)
        image = np.array(Image.fromarray(coarse).resize((SIZE, SIZE)).convert("RGB"))
        top, left = generator.integers(0, SIZE - PATCH, 2)
        place = np.zeros((SIZE, SIZE), bool)
        place[top : top + PATCH, left : left + PATCH] = True
        image[place] = COLOURS[CLASSES[number % len(CLASSES)]]
        images.append(image)
        inside.append(place)
    return Patches(np.stack(images), np.arange(len(images)) % len(CLASSES), np.stack(inside))


@pytest.fixture(scope="session")
def unseen():
    """Nine pictures that no model has learnt from."""
    return patches(3, seed=1)


@pytest.fixture(scope="session")
def fitted():
    """A model all of which has learnt to tell the colours apart."""
    learnt = patches(40, seed=0)
    model = tfxfer.build(classes=CLASSES, backbone="micro", image_size=SIZE)
    tfxfer.set_trainable(model, "all")
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(learnt.images, learnt.labels, batch_size=20, epochs=12, verbose=0)
    return model


@pytest.fixture(scope="session")
def bundle(fitted, tmp_path_factory) -> Path:
    """Its bundle, in which pictures are stretched."""
    learnt = patches(4, seed=2)
    photos = tfxfer.from_arrays(learnt.images, [CLASSES[label] for label in learnt.labels], resize="stretch")
    folder = tmp_path_factory.mktemp("explaining") / "model"
    tfxfer.export(fitted, folder, photos, formats=("keras",))
    return folder
