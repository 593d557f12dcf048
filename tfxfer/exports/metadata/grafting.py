"""A model gets a further buffer, and none of its bytes move against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import flatbuffers
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import encode, number_types, packer
from flatbuffers.table import Table

from tfxfer.errors import BundleError

__all__ = ["Tensor", "check_is_model", "tensors_of", "with_buffer"]

_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16
"""Constants move by a multiple of so many bytes, which the schema asks them to be aligned to."""

_TYPES = {value: name.lower() for name, value in vars(schema.TensorType).items() if name.isupper()}
# Fields of the table Model, by their place in the schema.
_VERSION, _BUFFERS, _METADATA = 0, 4, 6
_KNOWN_FIELDS = 10
_OFFSET = 1  # a field of the table Buffer


@dataclass(frozen=True, slots=True)
class Tensor:
    """What goes into a model or comes out.

    Attributes:
        name: As the converter called it.
        shape: With 1 for a batch of any size.
        dtype: Such as ``"float32"``.
        scale: What an integer is multiplied by, or 0 where numbers are themselves.
        zero_point: What is subtracted before.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


def check_is_model(model: bytes) -> None:
    """Raise unless these bytes begin as a .tflite file does.

    Raises:
        BundleError: They do not.
    """
    if model[4:8] != _IDENTIFIER:
        raise BundleError(
            "these bytes are no .tflite file (they lack its mark, TFL3); give what a converter wrote."
        )


def tensors_of(model: bytes) -> tuple[list[Tensor], list[Tensor]]:
    """Return inputs and outputs of a model's first subgraph, in its order."""
    graph = schema.Model.GetRootAs(model).Subgraphs(0)
    inputs = [_tensor(graph.Tensors(graph.Inputs(i))) for i in range(graph.InputsLength())]
    return inputs, [_tensor(graph.Tensors(graph.Outputs(i))) for i in range(graph.OutputsLength())]


def _tensor(tensor: schema.Tensor) -> Tensor:
    quantization = tensor.Quantization()
    quantized = quantization is not None and quantization.ScaleLength() == 1
    return Tensor(
        name=(tensor.Name() or b"").decode(),
        shape=tuple(tensor.Shape(axis) for axis in range(tensor.ShapeLength())),
        dtype=_TYPES[tensor.Type()],
        scale=float(quantization.Scale(0)) if quantized else 0.0,
        zero_point=int(quantization.ZeroPoint(0)) if quantized and quantization.ZeroPointLength() else 0,
    )


def with_buffer(model: bytes, name: str, data: bytes) -> bytes:
    """Add a named metadata buffer to a model, in the place of one of that name.

    Offsets in a FlatBuffer point forward. So a new root, whose lists of buffers and metadata have one entry
    more, is put in front of the whole old file and points into it. Unpacking and packing by the generated
    classes would lose what they do not know, and what lies behind the FlatBuffer.

    Args:
        model: A .tflite file without anything behind its FlatBuffer.
        name: The metadata's name.
        data: What the buffer holds.

    Returns:
        The file.

    Raises:
        BundleError: It has parts that are newer than this version knows.
    """
    builder = flatbuffers.Builder(len(model) + len(data) + 4096)
    builder.Prep(_ALIGNMENT, 0)
    padded = model + bytes(-len(model) % _ALIGNMENT)
    builder.CreateByteVector(padded)
    old = schema.Model.GetRootAs(model)
    root = _root(model)
    # A builder writes from the end, and counts places from there.
    kept = {slot: len(padded) - root.Indirect(root.Pos + offset) for slot, offset in _fields(root).items()}
    old_buffers = _tables(root, _BUFFERS)
    buffers = [len(padded) - place for place in old_buffers]
    metadata = [
        len(padded) - place
        for index, place in enumerate(_tables(root, _METADATA))
        if old.Metadata(index).Name() != name.encode()
    ]
    builder.Prep(_ALIGNMENT, len(data))
    content = builder.CreateByteVector(data)
    schema.BufferStart(builder)
    schema.BufferAddData(builder, content)
    buffers.append(schema.BufferEnd(builder))
    title = builder.CreateString(name)
    schema.MetadataStart(builder)
    schema.MetadataAddName(builder, title)
    schema.MetadataAddBuffer(builder, len(buffers) - 1)
    metadata.append(schema.MetadataEnd(builder))
    kept[_BUFFERS], kept[_METADATA] = _vector(builder, buffers), _vector(builder, metadata)
    builder.StartObject(_KNOWN_FIELDS)
    builder.PrependUint32Slot(_VERSION, old.Version(), 0)
    for slot, place in kept.items():
        builder.PrependUOffsetTRelativeSlot(slot, place, 0)
    builder.Finish(builder.EndObject(), file_identifier=_IDENTIFIER)
    made = builder.Output()
    _correct_offsets(made, old_buffers, moved=len(made) - len(padded))
    return bytes(made)


def _correct_offsets(made: bytearray, buffers: Sequence[int], *, moved: int) -> None:
    """Follow constants that lie behind the FlatBuffer, as ai-edge-quantizer puts them.

    They are found by how far they are from the start of the file.
    """
    for place in buffers:
        buffer = Table(made, place + moved)
        field = buffer.Offset(4 + 2 * _OFFSET)
        if field:
            offset = buffer.Get(number_types.Uint64Flags, buffer.Pos + field)
            if offset > 1:  # 0 and 1 say that it is in the FlatBuffer
                encode.Write(packer.uint64, made, buffer.Pos + field, offset + moved)


def _root(model: bytes) -> Table:
    return Table(model, encode.Get(packer.uoffset, model, 0))


def _fields(root: Table) -> dict[int, int]:
    """Return all fields of a model that are not numbers: slot -> how far behind its table it is kept."""
    offsets = root.Pos - root.Get(number_types.SOffsetTFlags, root.Pos)
    slots = (root.Get(number_types.VOffsetTFlags, offsets) - 4) // 2
    fields = {slot: offset for slot in range(slots) if (offset := root.Offset(4 + 2 * slot))}
    if max(fields) >= _KNOWN_FIELDS:
        raise BundleError("this file has parts that this version of tfxfer does not know; take a newer one.")
    return {slot: offset for slot, offset in fields.items() if slot != _VERSION}


def _tables(root: Table, slot: int) -> list[int]:
    """Return where the tables of a list lie; none where there is no list."""
    offset = root.Offset(4 + 2 * slot)
    if not offset:
        return []
    return [root.Indirect(root.Vector(offset) + 4 * index) for index in range(root.VectorLen(offset))]


def _vector(builder: flatbuffers.Builder, tables: Sequence[int]) -> int:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return int(builder.EndVector())
