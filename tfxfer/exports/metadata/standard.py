"""The TFLite Model Metadata of a classifier, as Android Studio and MediaPipe read it.

Field order and numbers are those of the published schema. Its generated classes come with MediaPipe alone,
630 MB with an OpenCV of its own; the tests hold what is written against them:
https://github.com/google-ai-edge/mediapipe/blob/master/mediapipe/tasks/metadata/metadata_schema.fbs
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import flatbuffers
import numpy as np

from tfxfer.exports.metadata.facts import LABELS_NAME, FileFacts
from tfxfer.exports.metadata.grafting import Tensor

__all__ = ["METADATA_NAME", "standard_metadata"]

METADATA_NAME = "TFLITE_METADATA"
_IDENTIFIER = b"M001"
_MIN_PARSER_VERSION = "1.0.0"  # nothing here is younger than the schema's first version

# Of each table its fields; a union takes two.
_FIELDS = {
    "FeatureProperties": (),
    "AssociatedFile": ("name", "description", "type", "locale", "version"),
    "ImageSize": ("width", "height"),
    "ImageProperties": ("color_space", "default_size"),
    "Content": ("content_properties_type", "content_properties", "range"),
    "NormalizationOptions": ("mean", "std"),
    "ProcessUnit": ("options_type", "options"),
    "Stats": ("max", "min"),
    "TensorMetadata": (
        *("name", "description", "dimension_names", "content", "process_units", "stats", "associated_files"),
    ),
    "SubGraphMetadata": ("name", "description", "input_tensor_metadata", "output_tensor_metadata"),
    "ModelMetadata": (
        *("name", "description", "version", "subgraph_metadata", "author", "license", "associated_files"),
        "min_parser_version",
    ),
}


_WHAT = {
    "single_label": "which of its classes a picture shows",
    "multi_label": "which of its classes a picture shows, perhaps several",
    "regression": "numbers read off a picture",
}


class _FileType(IntEnum):
    UNKNOWN = 0
    TENSOR_AXIS_LABELS = 2


class _ColorSpace(IntEnum):
    RGB = 1


class _ContentProperties(IntEnum):
    FEATURE = 1
    IMAGE = 2


class _ProcessUnitOptions(IntEnum):
    NORMALIZATION = 1


class _Place(int):
    """Where in a builder something lies that was written already."""


def standard_metadata(
    facts: FileFacts, image: Tensor, outputs: Sequence[Tensor], *, version: str, files: Sequence[str]
) -> bytes:
    """Write the metadata of a model that takes raw RGB, 0..255, and gives one score a label.

    MediaPipe subtracts the mean and divides by the standard deviation, so these are 0 and 1: the model
    scales by itself.

    Args:
        facts: What its exporter says.
        image: Its input, shape (1, height, width, 3).
        outputs: What it gives, its scores first.
        version: Of the model.
        files: Names of what is packed with it, beside its labels.

    Returns:
        The FlatBuffer.
    """
    builder = flatbuffers.Builder(2048)
    subgraph = _table(
        builder,
        "SubGraphMetadata",
        input_tensor_metadata=_list(builder, [_image(builder, image)]),
        output_tensor_metadata=_list(
            builder, [_scores(builder, facts), *(_other(builder, output) for output in outputs[1:])]
        ),
    )
    model = _table(
        builder,
        "ModelMetadata",
        name=_text(builder, facts.name),
        description=_text(builder, f"Made by tfxfer: {_WHAT[facts.task]}."),
        version=_text(builder, version),
        subgraph_metadata=_list(builder, [subgraph]),
        associated_files=_list(builder, [_file(builder, name, _FileType.UNKNOWN) for name in files]),
        min_parser_version=_text(builder, _MIN_PARSER_VERSION),
    )
    builder.Finish(model, file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _image(builder: flatbuffers.Builder, image: Tensor) -> _Place:
    _, height, width, _ = image.shape
    properties = _table(
        builder,
        "ImageProperties",
        color_space=_ColorSpace.RGB,
        default_size=_table(builder, "ImageSize", width=width, height=height),
    )
    scaling = _table(builder, "NormalizationOptions", mean=_floats(builder, 0), std=_floats(builder, 1))
    unit = _table(builder, "ProcessUnit", options_type=_ProcessUnitOptions.NORMALIZATION, options=scaling)
    return _table(
        builder,
        "TensorMetadata",
        name=_text(builder, "image"),
        description=_text(
            builder, f"RGB, {height} rows of {width} pixels, 0..255; the model scales by itself."
        ),
        content=_content(builder, _ContentProperties.IMAGE, properties),
        process_units=_list(builder, [unit]),
        stats=_table(builder, "Stats", max=_floats(builder, 255), min=_floats(builder, 0)),
    )


def _scores(builder: flatbuffers.Builder, facts: FileFacts) -> _Place:
    of_classes = facts.task != "regression"
    range_ = {"stats": _table(builder, "Stats", max=_floats(builder, 1), min=_floats(builder, 0))}
    return _table(
        builder,
        "TensorMetadata",
        name=_text(builder, "probability" if of_classes else "number"),
        description=_text(builder, f"One a label of {LABELS_NAME}, in its order."),
        content=_feature(builder),
        associated_files=_list(builder, [_file(builder, LABELS_NAME, _FileType.TENSOR_AXIS_LABELS)]),
        **(range_ if of_classes else {}),
    )


def _other(builder: flatbuffers.Builder, output: Tensor) -> _Place:
    return _table(builder, "TensorMetadata", name=_text(builder, output.name), content=_feature(builder))


def _feature(builder: flatbuffers.Builder) -> _Place:
    return _content(builder, _ContentProperties.FEATURE, _table(builder, "FeatureProperties"))


def _content(builder: flatbuffers.Builder, kind: _ContentProperties, properties: _Place) -> _Place:
    return _table(builder, "Content", content_properties_type=kind, content_properties=properties)


def _file(builder: flatbuffers.Builder, name: str, kind: _FileType) -> _Place:
    return _table(builder, "AssociatedFile", name=_text(builder, name), type=kind)


def _text(builder: flatbuffers.Builder, text: str) -> _Place:
    return _Place(builder.CreateString(text))


def _floats(builder: flatbuffers.Builder, *numbers: float) -> _Place:
    return _Place(builder.CreateNumpyVector(np.array(numbers, np.float32)))


def _list(builder: flatbuffers.Builder, places: Sequence[_Place]) -> _Place:
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return _Place(builder.EndVector())


def _table(builder: flatbuffers.Builder, table: str, /, **values: int) -> _Place:
    """Write a table: places as what they point to, members of enumerations as bytes, the rest as uint32."""
    order = _FIELDS[table]
    builder.StartObject(len(order))
    for field, value in values.items():
        slot = order.index(field)
        if isinstance(value, _Place):
            builder.PrependUOffsetTRelativeSlot(slot, value, 0)
        elif isinstance(value, IntEnum):
            builder.PrependUint8Slot(slot, value, 0)
        else:
            builder.PrependUint32Slot(slot, value, 0)
    return _Place(builder.EndObject())
