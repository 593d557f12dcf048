"""First step of `micro`: a network learns to answer questions about procedurally drawn pictures.

Draws 100,000 pictures of 64 x 64 with a seed (textures, letters, invented characters, figures, fractals,
critters; no photographs, no digits), then trains one network to answer seven questions about each: which
shape, which background texture, which fill texture, which style, which blemish, which two colours. The
heads are thrown away; the backbone's weights are saved. The second step, distil.py, builds on them.

With the defaults: 1,333 s on two shared cores (121 s to draw, 18 epochs of about 67 s). Accuracy in the last
epoch, on the pictures trained on: shape 0.576 of 289, background 0.373 of 110, fill 0.090 of 110, style 0.594
of 5, blemish 0.450 of 6, background colour 0.848 and shape colour 0.673 of 27.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from pictures import HEADS, render

from tfxfer.backbones.embedded import residual

Labels = dict[str, NDArray[np.int32]]
Weights = dict[str, NDArray[np.float32]]
Batch = tuple[NDArray[np.uint8], Labels, Weights]

SIZE = 64
BATCH = 128
BLOCKS = (32, 64, 128)  # the second step, distil.py, adds channels to the last
# each batch is shrunk to one of these, so that the features serve small and larger pictures
SIZES = (32, 48, 32, 64)
# a picture's pooled features sum to about this in MobileNetV2, and the usual rate of a head suits it
FEATURE_SUM = 400
# the share of each question in the loss
SHARES = {
    "shape": 1.0,
    "back": 1.0,
    "fill": 0.4,
    "style": 0.3,
    "blemish": 0.5,
    "back_colour": 0.3,
    "shape_colour": 0.3,
}


def main() -> None:
    """Draws the pictures, trains, and saves the backbone's weights."""
    options = _options()
    started = time.monotonic()
    # first of all, since the workers are forked and TensorFlow must not have started its threads
    pictures, labels = render(options.images, SIZE, options.seed, os.cpu_count() or 1)
    _say(f"drew {options.images} pictures in {time.monotonic() - started:.0f} s")
    keras.utils.set_random_seed(options.seed)
    backbone = residual(layers.Rescaling(1 / 127.5, -1)(keras.Input((None, None, 3))), BLOCKS)
    steps = options.images // BATCH
    _student(backbone, steps * options.epochs).fit(
        _batches(pictures, labels, options.seed),
        epochs=options.epochs,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=_report)],
    )
    amplify(backbone, pictures[:1000])
    backbone.save_weights(options.out)
    _say(f"wrote {options.out} after {time.monotonic() - started:.0f} s")


def _report(epoch: int, logs: dict[str, float]) -> None:
    scores = ", ".join(f"{head} {logs[f'{head}_accuracy']:.3f}" for head in HEADS)
    _say(f"epoch {epoch + 1}: loss {logs['loss']:.3f}, accuracy: {scores}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("questions.weights.h5"))
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _student(backbone: keras.Model, steps: int) -> keras.Model:
    """Puts one classifier for each question on the backbone and compiles for `steps` batches."""
    x = layers.GlobalAveragePooling2D()(backbone.output)
    x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(256, use_bias=False)(x)))
    answers = {head: layers.Dense(classes, name=head)(x) for head, classes in HEADS.items()}
    student = keras.Model(backbone.input, answers)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps - steps // 20, alpha=0.01, warmup_target=2e-3, warmup_steps=steps // 20
    )
    student.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.01),
        dict.fromkeys(HEADS, keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        loss_weights=SHARES,
        weighted_metrics=dict.fromkeys(HEADS, "accuracy"),
        jit_compile=False,
    )
    return student


def amplify(backbone: keras.Model, pictures: NDArray[np.uint8]) -> None:
    """Scales the last block so that a picture's pooled features sum to FEATURE_SUM.

    ReLU lets a positive factor through, so the features keep their meaning; their size decides how far
    a step of a given rate moves a head.
    """
    pooled = layers.GlobalAveragePooling2D()(backbone.output)
    features = keras.Model(backbone.inputs[0], pooled).predict(pictures, batch_size=BATCH, verbose=0)
    factor = FEATURE_SUM / features.sum(axis=1).mean()
    for name in ("block_3_bn2", "block_3_skip_bn"):
        norm = backbone.get_layer(name)
        norm.gamma.assign(norm.gamma * factor)
        norm.beta.assign(norm.beta * factor)


def _batches(pictures: NDArray[np.uint8], labels: NDArray[np.int16], seed: int) -> Iterator[Batch]:
    """Yields shuffled batches for ever, at each of SIZES in turn; unlabelled answers weigh 0."""
    rng = np.random.default_rng([seed, 4])
    while True:
        order = rng.permutation(len(pictures))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            size = SIZES[start // BATCH % len(SIZES)]
            yield shrunk(pictures[chosen], size), *_answers(labels[chosen])


def _answers(labels: NDArray[np.int16]) -> tuple[Labels, Weights]:
    columns = dict(zip(HEADS, labels.T.astype(np.int32), strict=True))
    weights = {head: (column >= 0).astype(np.float32) for head, column in columns.items()}
    return {head: np.maximum(column, 0) for head, column in columns.items()}, weights


def shrunk(pictures: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Shrinks pictures to squares of that side."""
    if size == pictures.shape[1]:
        return pictures
    return np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in pictures])


if __name__ == "__main__":
    main()
