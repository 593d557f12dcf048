"""with_buffer: the buffer is there, and the model is as it was."""

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.exports.metadata.conftest import IMAGES
from tfxfer.errors import BundleError
from tfxfer.exports import LiteRTModel
from tfxfer.exports.metadata.grafting import check_is_model, tensors_of, with_buffer


def buffers_of(content):
    """Name -> content of each metadata buffer."""
    model = schema.Model.GetRootAs(content)
    entries = [model.Metadata(index) for index in range(model.MetadataLength())]
    return {entry.Name().decode(): model.Buffers(entry.Buffer()).DataAsNumpy().tobytes() for entry in entries}


def constants_of(content):
    """Address and content of each constant that is in the FlatBuffer."""
    model = schema.Model.GetRootAs(content)
    found = []
    for index in range(model.BuffersLength()):
        data = model.Buffers(index).DataAsNumpy()
        if isinstance(data, np.ndarray):
            address = data.__array_interface__["data"][0] - np.frombuffer(content, np.uint8).ctypes.data
            found.append((address, data.tobytes()))
    return found


def outlying(content):
    """The same model with its constants behind the FlatBuffer, as ai-edge-quantizer writes them."""
    model = schema.ModelT.InitFromPackedBuf(content)
    constants = [buffer for buffer in model.buffers if buffer.data is not None]
    datas = [np.array(buffer.data).tobytes() for buffer in constants]
    behind = b"".join(data + bytes(-len(data) % 16) for data in datas)
    starts = np.cumsum([0] + [len(data) + -len(data) % 16 for data in datas])
    size = 1 << 20  # until it is known; what it is makes no difference to how long the FlatBuffer gets
    for _ in range(2):
        for buffer, data, start in zip(constants, datas, starts, strict=False):
            buffer.data, buffer.offset, buffer.size = None, size + int(start), len(data)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        front = bytes(builder.Output())
        front += bytes(-len(front) % 16)
        size = len(front)
    return front + behind


def scores(content):
    return LiteRTModel(content).all_scores(IMAGES)


@pytest.mark.parametrize("name", ["plain", "quantized"])
def test_the_buffer_is_there_and_scores_are_the_same(name, request):
    before = request.getfixturevalue(name)
    after = with_buffer(before, "NOTE", b"said")
    assert buffers_of(after) == buffers_of(before) | {"NOTE": b"said"}
    assert tensors_of(after) == tensors_of(before)
    np.testing.assert_array_equal(scores(after), scores(before))


def test_constants_keep_their_bytes_and_their_alignment(plain):
    before, after = constants_of(plain), constants_of(with_buffer(plain, "NOTE", b"said"))
    assert [data for _, data in after[:-1]] == [data for _, data in before]
    assert {new - old for (new, _), (old, _) in zip(after, before, strict=False)} == {
        after[0][0] - before[0][0]
    }
    assert (after[0][0] - before[0][0]) % 16 == 0
    assert after[-1][0] % 16 == 0


def test_constants_behind_the_flatbuffer_are_followed(plain):
    before = outlying(plain)
    np.testing.assert_array_equal(scores(before), scores(plain))
    np.testing.assert_array_equal(scores(with_buffer(before, "NOTE", bytes(1000))), scores(plain))


def test_a_buffer_of_that_name_is_replaced(plain):
    twice = with_buffer(with_buffer(plain, "NOTE", b"before"), "NOTE", b"said")
    assert buffers_of(twice) == buffers_of(plain) | {"NOTE": b"said"}
    np.testing.assert_array_equal(scores(twice), scores(plain))


def test_a_model_without_metadata_gets_its_first(plain):
    model = schema.ModelT.InitFromPackedBuf(plain)
    model.metadata = None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    assert buffers_of(with_buffer(bytes(builder.Output()), "NOTE", b"said")) == {"NOTE": b"said"}


def test_tensors_are_told_as_they_are(plain, quantized):
    (image,), (score,) = tensors_of(quantized)
    assert (image.shape, image.dtype, image.scale, image.zero_point) == ((1, 12, 20, 3), "uint8", 1.0, 0)
    assert (score.shape, score.dtype, score.scale) == ((1, 3), "float32", 0.0)
    assert tensors_of(plain)[0][0].dtype == "float32"


def test_parts_that_are_not_known_are_not_lost_in_silence(says):
    builder = flatbuffers.Builder(64)
    builder.StartObject(11)
    builder.PrependUint32Slot(0, 3, 0)
    builder.PrependUint32Slot(10, 1, 0)
    builder.Finish(builder.EndObject(), b"TFL3")
    message = "this file has parts that this version of tfxfer does not know; take a newer one."
    with pytest.raises(BundleError, match=says(message)):
        with_buffer(bytes(builder.Output()), "NOTE", b"said")


def test_what_is_no_model_is_refused(says):
    message = "these bytes are no .tflite file (they lack its mark, TFL3); give what a converter wrote."
    with pytest.raises(BundleError, match=says(message)):
        check_is_model(b"no model at all")
