"""The same network through a module of TensorFlow Hub and through keras.applications.

    python benchmarks/hub_against_applications.py FOLDER [--seeds 3]

MobileNetV2 0.35 with ImageNet weights is written as a reusable SavedModel, as TensorFlow Hub's are, and
built on by ``hub:``; the catalogue's ``mobilenet_v2_035`` is built on as ever. Both learn the same
pictures with the same seed, the same start of the head and the same two phases: the head alone, then
the blocks from block_14 up with it, the whole model in every step. Prints a Markdown table: test
accuracy of each after the head and after fine-tuning, the pictures on which they then disagree, the
largest difference of any probability, and seconds; then the difference of the fine-tuned means in points.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import tfxfer
from tfxfer import Phase, Photos

SIZE = 224
PHASES = (
    Phase("head", epochs=10, rate=3e-3),
    Phase("top", train="block_14:", epochs=5, rate=1e-4, warmup=0.1),
)


def write_module(folder: Path, *, size: int = SIZE) -> Path:
    """Write MobileNetV2 0.35 with ImageNet weights as a reusable SavedModel for pixels in 0..1."""
    image = keras.Input((size, size, 3))
    pixels = keras.layers.Rescaling(2.0, offset=-1.0)(image)
    network = keras.applications.MobileNetV2(
        alpha=0.35, include_top=False, input_tensor=pixels, input_shape=(size, size, 3)
    )
    network = keras.Model(image, keras.layers.GlobalAveragePooling2D()(network.output))

    @tf.function
    def call(inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return network(inputs, training=training)

    for training in (False, True):
        call.get_concrete_function(tf.TensorSpec((None, size, size, 3), tf.float32), training=training)
    module = tf.__internal__.tracking.AutoTrackable()
    module.__call__ = call
    module.variables = [variable.value for variable in network.variables]
    module.trainable_variables = [variable.value for variable in network.trainable_variables]
    module.regularization_losses = []
    tf.saved_model.save(module, str(folder))
    return folder


def built(photos: Photos, backbone: str, seed: int) -> keras.Model:
    """Build a model on a backbone of either kind."""
    pixel_range = (0, 1) if backbone.startswith("hub:") else None
    return tfxfer.build(photos, backbone=backbone, image_size=SIZE, pixel_range=pixel_range, seed=seed)


def share_head(source: keras.Model, target: keras.Model) -> None:
    """Start both heads alike: what is built before a head moves the seed that it starts from."""
    for name in ("head_dropout", "head_logits"):
        for one, other in zip(
            source.get_layer(name).variables, target.get_layer(name).variables, strict=True
        ):
            other.assign(one)


def trained(model: keras.Model, photos: Photos, seed: int) -> tuple[list[tfxfer.Report], float]:
    """Fit phase by phase, whichever is better, and judge after each; return the seconds of the fits."""
    reports, seconds = [], 0.0
    for phase in PHASES:
        settings = {"phases": [phase], "seed": seed, "features": "off", "progress": False}
        seconds += tfxfer.fit(model, photos, **settings).seconds
        reports.append(tfxfer.evaluate(model, photos))
    return reports, seconds


def row(seed: int, ours: list[tfxfer.Report], hub: list[tfxfer.Report], seconds: list[float]) -> str:
    """Write one seed's row of the table."""
    scores, hub_scores = ours[-1].predictions.scores, hub[-1].predictions.scores
    differ = np.sum(scores.argmax(1) != hub_scores.argmax(1))
    cells = [
        f"{seed}",
        " → ".join(f"{report.accuracy:.3f}" for report in ours),
        " → ".join(f"{report.accuracy:.3f}" for report in hub),
        f"{differ} of {len(scores)}",
        f"{np.abs(scores - hub_scores).max():.1e}",
        " and ".join(f"{each:.0f}" for each in seconds),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run both with every seed, in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    means = []
    print("| seed | keras.applications | hub module | disagreements | largest difference | seconds |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        module = write_module(Path(scratch) / "mobilenet_v2_035")
        for seed in range(arguments.seeds):
            photos = tfxfer.from_folder(arguments.folder, seed=seed)
            models = [built(photos, name, seed) for name in ("mobilenet_v2_035", f"hub:{module}")]
            share_head(*models)
            (ours, seconds), (hub, hub_seconds) = (trained(model, photos, seed) for model in models)
            means.append((ours[-1].accuracy, hub[-1].accuracy))
            print(row(seed, ours, hub, [seconds, hub_seconds]), flush=True)
    ours_mean, hub_mean = np.mean(means, axis=0)
    print(f"\nmean {ours_mean:.3f} and {hub_mean:.3f}: {100 * (hub_mean - ours_mean):+.2f} points")


if __name__ == "__main__":
    main()
