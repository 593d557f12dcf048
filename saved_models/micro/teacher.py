"""What a network that has seen photographs makes of drawn pictures: the maps that `micro` learns to foretell.

The teacher is keras.applications' MobileNet (alpha 0.75) with its ImageNet weights, which Keras fetches. It
looks at every picture at 128 px; two of its maps, brought to 4 x 4, standardised and projected on their
principal components, are the target. None of its weights go into the student.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Maps = NDArray[np.float16]

SIDE, GRID = 128, 4  # the teacher sees SIDE x SIDE, and its maps are brought to GRID x GRID
TAPS = ("conv_pw_11_relu", "conv_pw_13_relu")
COMPONENTS = 256
SAMPLE = 4000  # pictures that the components are computed from
BATCH = 125


def targets(groups: list[Pixels]) -> Maps:
    """Has the teacher look at pictures.

    Args:
        groups: arrays (count, height, width, 3) uint8, each of its own size.

    Returns:
        Its view of all of them, (sum of counts, GRID, GRID, COMPONENTS), of mean 0 and mean square 1.
    """
    look = _teacher()
    each = SAMPLE // len(groups)
    mean, matrix = _components(np.concatenate([look(group[:each]) for group in groups]))
    found = np.empty((sum(map(len, groups)), GRID, GRID, COMPONENTS), np.float16)
    place = 0
    for group in groups:
        for start in range(0, len(group), BATCH):
            seen = look(group[start : start + BATCH])
            found[place : place + len(seen)] = (seen - mean) @ matrix
            place += len(seen)
    return found


def _teacher() -> Callable[[Pixels], NDArray[np.float32]]:
    """Returns a function from pictures to the teacher's maps (count, GRID, GRID, channels)."""
    settings = {"alpha": 0.75, "include_top": False}
    published = keras.applications.MobileNet(input_shape=(224, 224, 3), weights="imagenet", **settings)
    network = keras.applications.MobileNet(input_shape=(SIDE, SIDE, 3), weights=None, **settings)
    network.set_weights(published.get_weights())
    maps = [network.get_layer(name).output for name in TAPS]
    even = [layers.AveragePooling2D(one.shape[1] // GRID)(one) for one in maps]
    taps = keras.Model(network.input, layers.Concatenate()(even))

    @tf.function
    def look(pictures: tf.Tensor) -> tf.Tensor:
        enlarged = tf.image.resize(tf.cast(pictures, tf.float32), (SIDE, SIDE), "bicubic")
        return taps(enlarged / 127.5 - 1, training=False)

    def batched(pictures: Pixels) -> NDArray[np.float32]:
        parts = range(0, len(pictures), BATCH)
        return np.concatenate([look(pictures[start : start + BATCH]).numpy() for start in parts])

    return batched


def _components(maps: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean, and the matrix to principal components of the standardised channels.

    A component's variance is brought to its square root: whole whitening would let noise count as much as
    what the teacher tells most pictures apart by.
    """
    rows = maps.reshape(-1, maps.shape[-1])
    mean, spread = rows.mean(0), rows.std(0) + 0.01
    rows = (rows - mean) / spread
    values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    values, vectors = values[::-1][:COMPONENTS], vectors[:, ::-1][:, :COMPONENTS]
    matrix = vectors / values**0.25 / np.sqrt(np.sqrt(values).mean())
    return mean, np.asarray(matrix / spread[:, None], np.float32)
