"""efficientnet_lite: what PyTorch wrote is read as it was, and makes a model that Co-Tuning can build on."""

import io
import pickle
import struct

import keras
import numpy as np
import pytest
from scipy.signal import correlate2d

from benchmarks.efficientnet_lite import MAGIC, STRIDES, build_lite0, read_tensors, unit
from tfxfer.backbones import origin_of
from tfxfer.backbones.files.builder import build_file
from tfxfer.backbones.graph_stages import survey

WIDTHS = (32, 16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320)
KERNELS = (3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3)


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def row(*items):
    return b"(" + b"".join(items) + b"t"


def numbers(*values):
    return row(*(b"J" + struct.pack("<i", value) for value in values))


def tensor(kind, key, count, offset, shape, strides):
    """Write the call that rebuilds a tensor, as PyTorch has it."""
    place = row(text("storage"), b"ctorch\n" + kind + b"\n", text(key), text("cpu"), count, b"N") + b"Q"
    rest = (numbers(offset)[1:-1], numbers(*shape), numbers(*strides), b"I00\n", b"N")
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + row(place, *rest) + b"R"


def archive(tensors, storages):
    """Write a file as ``torch.save`` did up to 1.5."""
    items = b"".join(text(name) + value for name, value in tensors.items())
    head = [pickle.dumps(MAGIC, 2), pickle.dumps(1001, 2), pickle.dumps({}, 2)]
    body = [b"\x80\x02}(" + items + b"u.", pickle.dumps(list(storages), 2)]
    data = [struct.pack("<q", len(values)) + values.tobytes() for values in storages.values()]
    return io.BytesIO(b"".join(head + body + data))


def test_tensors_are_read_by_their_places_and_strides():
    six, one = numbers(6)[1:-1], numbers(1)[1:-1]
    floats = np.arange(6, dtype="<f4")
    file = archive(
        {
            "turned": tensor(b"FloatStorage", "a", six, 0, (3, 2), (1, 3)),
            "last": tensor(b"FloatStorage", "a", six, 4, (2,), (1,)),
            "count": tensor(b"LongStorage", "b", one, 0, (), ()),
        },
        {"b": np.array([7], "<i8"), "a": floats},
    )
    state = read_tensors(file)
    np.testing.assert_array_equal(state["turned"], floats.reshape(2, 3).T)
    np.testing.assert_array_equal(state["last"], [4, 5])
    assert state["count"] == 7


def test_nothing_but_tensors_is_read(says):
    file = archive({"bad": b"cposix\nsystem\n(X\x02\x00\x00\x00lstR"}, {})
    with pytest.raises(pickle.UnpicklingError, match=says("no tensor: posix.system")):
        read_tensors(file)
    with pytest.raises(ValueError, match=says("no file of torch.save as it was up to PyTorch 1.5")):
        read_tensors(io.BytesIO(pickle.dumps(1)))


@pytest.mark.parametrize("depthwise", [False, True])
def test_a_unit_pads_and_normalizes_as_tensorflow_does(depthwise):
    draw = np.random.default_rng(0)
    kernel = draw.normal(size=(3, 1 if depthwise else 3, 3, 3)).astype(np.float32)
    scale, shift, mean, variance = draw.uniform(0.5, 2, (4, 3)).astype(np.float32)
    statistics = {"weight": scale, "bias": shift, "running_mean": mean, "running_var": variance}
    state = {"conv.weight": kernel} | {f"norm.{name}": values for name, values in statistics.items()}
    picture = draw.normal(size=(4, 4, 3)).astype(np.float32)
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, unit(image, state, "conv", "norm", name="unit", strides=2))

    padded = np.pad(picture, ((0, 1), (0, 1), (0, 0)))  # four pixels by two: one more at the end
    for out in range(3):
        pairs = [(out, 0)] if depthwise else [(each, each) for each in range(3)]
        summed = sum(correlate2d(padded[..., given], kernel[out, at], "valid") for given, at in pairs)
        normal = (summed[::2, ::2] - mean[out]) / np.sqrt(variance[out] + 1e-3) * scale[out] + shift[out]
        got = np.asarray(model(picture[None]))[0, ..., out]
        np.testing.assert_allclose(got, np.clip(normal, 0, 6), rtol=1e-4, atol=1e-5)


def drawn_state():
    """Draw weights of Lite0's shapes."""
    draw = np.random.default_rng(0)
    state = {}

    def add(kernel, norm, *shape):
        state[f"{kernel}.weight"] = draw.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        parts = {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}
        state.update({f"{norm}.{part}": np.full(shape[0], value) for part, value in parts.items()})

    add("_conv_stem", "_bn0", 32, 3, 3, 3)
    for number, (given, made, size) in enumerate(zip(WIDTHS[:-1], WIDTHS[1:], KERNELS, strict=True)):
        block, inner = f"_blocks.{number}", given * (6 if number else 1)
        if number:
            add(f"{block}._expand_conv", f"{block}._bn0", inner, given, 1, 1)
        add(f"{block}._depthwise_conv", f"{block}._bn1", inner, 1, size, size)
        add(f"{block}._project_conv", f"{block}._bn2", made, inner, 1, 1)
    add("_conv_head", "_bn1", 1280, 320, 1, 1)
    return state | {"_fc.weight": draw.normal(0, 0.05, (1000, 1280)), "_fc.bias": draw.normal(size=1000)}


def test_the_file_is_a_backbone_that_brings_its_classes_along(tmp_path):
    model = build_lite0(drawn_state())
    assert sum(np.prod(each.shape) for each in model.trainable_variables) == 4_652_008
    assert model.get_layer("block_15_project").output.shape[1:] == (7, 7, 320)
    assert sum(layer.name.endswith("_add") for layer in model.layers) == 9
    scaled = keras.Model(model.input, model.get_layer("preprocess_rescaling").output)
    grey, white = np.full((2, 1, 224, 224, 3), [[127.0]], np.float32), 255
    np.testing.assert_allclose(np.asarray(scaled(grey[0]))[0, 0, 0], 0, atol=1e-6)
    np.testing.assert_allclose(np.asarray(scaled(grey[0] * 0 + white))[0, 0, 0], 1, atol=1e-6)

    model.save(tmp_path / "lite0.keras")
    backbone = build_file(str(tmp_path / "lite0.keras"))
    assert list(survey(backbone)) == ["stem", *(f"block_{number}" for number in range(len(STRIDES))), "top"]
    top = origin_of(backbone).top
    picture = np.random.default_rng(1).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    told = keras.ops.softmax(keras.Model(backbone.input, top.logits(backbone))(picture))
    np.testing.assert_allclose(told, model(picture), rtol=1e-4)
