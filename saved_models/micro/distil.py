"""Second step of `micro`: new channels beside the old learn what an ImageNet network sees in drawn pictures.

It starts from `questions.weights.h5`, which the first step, pretrain.py, made, and leaves it as it is: the
last block gets 96 channels beside its 128. They, and a linear map from all of them, learn by regression
what an ImageNet teacher (teacher.py) says of 16,000 pictures of the first step's kind and of 24,000
views of drawn scenes (scenes.py). No photographs are used, nor weights of the teacher kept.

With the defaults: 782 s on two cores that others kept busy (215 s to draw, 413 s for the teacher, 8 epochs
of about 18 s). The error of the map in the last epoch is 0.650, where 1 is to know nothing.

Sources: Asano and Saeed, "Extrapolating from a Single Image to a Thousand Classes using Distillation", 2023,
https://arxiv.org/abs/2112.00725; Rusu et al., "Progressive Neural Networks", 2016,
https://arxiv.org/abs/1606.04671.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# processors that can multiply bfloat16 may do so: it trains faster, and others ignore it
os.environ.setdefault("TF_SET_ONEDNN_FPMATH_MODE", "BF16")

import h5py
import keras
import numpy as np
import pictures
import pretrain
import scenes
import teacher
from keras import layers
from numpy.typing import NDArray

from tfxfer.backbones.embedded import BLOCKS, micro, residual

Pixels = NDArray[np.uint8]
Maps = NDArray[np.float16]
Batch = tuple[Pixels, NDArray[np.float32]]

HERE = Path(__file__).parent
STRIDE = 16  # a picture's side over its map's
SIZES = (32, 64)  # at both, a cell of the backbone's map covers whole cells of the teacher's
OLD, NEW = pretrain.BLOCKS[-1], BLOCKS[-1] - pretrain.BLOCKS[-1]  # channels of the last block
# convolutions of the last block, and their batch normalisations
PARTS = ("conv1", "bn1"), ("conv2", "bn2"), ("skip_conv", "skip_bn")


def main() -> None:
    """Draws pictures, asks the teacher, trains, and saves the backbone's weights."""
    options = _options()
    started = time.monotonic()
    # first of all, since the workers are forked and TensorFlow must not have started its threads
    workers = os.cpu_count() or 1
    asked, _ = pictures.render(options.images, pretrain.SIZE, options.seed, workers)
    seen = scenes.render(options.scenes, teacher.SIDE, options.seed, workers)
    _say(f"drew {len(asked)} + {len(seen)} pictures in {time.monotonic() - started:.0f} s")
    maps = teacher.targets([asked, seen])
    _say(f"asked the teacher until {time.monotonic() - started:.0f} s")
    drawn = np.concatenate([asked, pretrain.shrunk(seen, pretrain.SIZE)])
    keras.utils.set_random_seed(options.seed)
    old = residual(_pixels(), pretrain.BLOCKS)
    old.load_weights(options.start)
    old.trainable = False
    new = _grown(old)
    steps = len(drawn) // pretrain.BATCH
    _student(old, new, steps * options.epochs).fit(
        _batches(drawn, maps, options.seed),
        epochs=options.epochs,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=_report)],
    )
    some = drawn[:: len(drawn) // 1000]
    backbone = _joined(old, new, some)
    pretrain.amplify(backbone, some)
    _save(backbone, options.out)
    _say(f"wrote {options.out} after {time.monotonic() - started:.0f} s")


def _report(epoch: int, logs: dict[str, float]) -> None:
    _say(f"epoch {epoch + 1}: error of the map {logs['loss']:.3f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, default=HERE / "questions.weights.h5")
    parser.add_argument("--images", type=int, default=16_000, help="pictures as in the first step")
    parser.add_argument("--scenes", type=int, default=24_000, help="views of scenes")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("micro.weights.h5"))
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _pixels() -> keras.KerasTensor:
    return layers.Rescaling(1 / 127.5, -1)(keras.Input((None, None, 3)))


def _grown(old: keras.Model) -> keras.Model:
    """Puts NEW channels beside the last block's: they see what the old ones see, and the old ones too."""
    below = old.get_layer("block_2_out").output
    x = _convolution(below, 3, 2, *PARTS[0])
    x = layers.Concatenate()([old.get_layer("block_3_relu1").output, layers.ReLU()(x)])
    x = layers.Add()([_convolution(x, 3, 1, *PARTS[1]), _convolution(below, 1, 2, *PARTS[2])])
    return keras.Model(old.input, layers.ReLU()(x))


def _convolution(x: keras.KerasTensor, kernel: int, stride: int, name: str, norm: str) -> keras.KerasTensor:
    start = "he_normal"
    x = layers.Conv2D(NEW, kernel, stride, "same", use_bias=False, kernel_initializer=start, name=name)(x)
    return layers.BatchNormalization(name=norm)(x)


def _student(old: keras.Model, new: keras.Model, steps: int) -> keras.Model:
    """Reads the teacher's map off all channels and compiles for `steps` batches; the old stay as they are."""
    # without a layer between, so that the features themselves hold what the teacher says
    features = layers.Concatenate()([layers.Rescaling(OLD / pretrain.FEATURE_SUM)(old.output), new.output])
    view = layers.Conv2D(teacher.COMPONENTS, 1, kernel_initializer="zeros")(features)
    student = keras.Model(old.input, view)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps - steps // 20, alpha=0.01, warmup_target=3e-3, warmup_steps=steps // 20
    )
    student.compile(keras.optimizers.AdamW(rate, weight_decay=0.01), "mse", jit_compile=False)
    return student


def _joined(old: keras.Model, new: keras.Model, some: Pixels) -> keras.Model:
    """Puts old and new channels into one network, the new as loud as the old on average."""
    loud, soft = (model.predict(some, batch_size=pretrain.BATCH, verbose=0).mean() for model in (old, new))
    backbone = micro(_pixels())
    for layer in old.layers:
        if layer.weights and not layer.name.startswith("block_3"):
            backbone.get_layer(layer.name).set_weights(layer.get_weights())
    for conv, norm in PARTS:
        kernel, more = old.get_layer(f"block_3_{conv}").kernel.numpy(), new.get_layer(conv).kernel.numpy()
        wide = np.zeros((*more.shape[:3], OLD + NEW), np.float32)
        wide[:, :, : kernel.shape[2], :OLD], wide[..., OLD:] = kernel, more  # the old see nothing new
        backbone.get_layer(f"block_3_{conv}").set_weights([wide])
        gamma, beta, *statistics = new.get_layer(norm).get_weights()
        factor = 1 if norm == "bn1" else loud / soft
        theirs = [gamma * factor, beta * factor, *statistics]
        both = zip(old.get_layer(f"block_3_{norm}").get_weights(), theirs, strict=True)
        backbone.get_layer(f"block_3_{norm}").set_weights([np.concatenate(pair) for pair in both])
    kept = backbone.predict(some, verbose=0)[..., :OLD]
    np.testing.assert_allclose(kept, old.predict(some, verbose=0), atol=0.05 * loud)
    return backbone


def _batches(drawn: Pixels, maps: Maps, seed: int) -> Iterator[Batch]:
    """Yields shuffled batches for ever, at each of SIZES in turn."""
    rng = np.random.default_rng([seed, 4])
    while True:
        order = rng.permutation(len(drawn))
        for start in range(0, len(order) - pretrain.BATCH + 1, pretrain.BATCH):
            chosen = order[start : start + pretrain.BATCH]
            size = SIZES[start // pretrain.BATCH % len(SIZES)]
            yield pretrain.shrunk(drawn[chosen], size), _pooled(maps[chosen], size // STRIDE)


def _pooled(maps: Maps, grid: int) -> NDArray[np.float32]:
    """Brings maps to (count, grid, grid, components) by averages."""
    count, side, _, components = maps.shape
    cells = maps.astype(np.float32).reshape(count, grid, side // grid, grid, side // grid, components)
    return np.asarray(cells.mean((2, 4)), np.float32)


def _save(backbone: keras.Model, file: Path) -> None:
    """Saves weights as Keras does, but kernels in half precision: Keras casts them back when it loads."""
    whole = file.with_name(f"whole_{file.name}")
    backbone.save_weights(whole)
    with h5py.File(whole) as saved, h5py.File(file, "w") as copy:

        def halve(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                copy[name] = item[...].astype(np.float16) if item.ndim == 4 else item[...]
            else:
                copy.require_group(name)
            copy[name].attrs.update(item.attrs)

        copy.attrs.update(saved.attrs)
        saved.visititems(halve)
    whole.unlink()


if __name__ == "__main__":
    main()
