"""The standard metadata, read by the published schema, and by MediaPipe's own classes."""

from dataclasses import replace

import flatbuffers
import numpy as np
from flatbuffers import number_types as numbers
from flatbuffers.table import Table
from PIL import Image

from tfxfer.exports.metadata.grafting import Tensor, tensors_of
from tfxfer.exports.metadata.standard import METADATA_NAME, standard_metadata
from tfxfer.exports.metadata.write import with_metadata

# Slot, name and type of the fields that matter, copied from
# https://github.com/google-ai-edge/mediapipe/blob/master/mediapipe/tasks/metadata/metadata_schema.fbs
SCHEMA = {
    "ModelMetadata": {
        0: ("name", str),
        1: ("description", str),
        2: ("version", str),
        3: ("subgraphMetadata", ["SubGraphMetadata"]),
        6: ("associatedFiles", ["AssociatedFile"]),
        7: ("minParserVersion", str),
    },
    "SubGraphMetadata": {
        2: ("inputTensorMetadata", ["TensorMetadata"]),
        3: ("outputTensorMetadata", ["TensorMetadata"]),
    },
    "TensorMetadata": {
        0: ("name", str),
        1: ("description", str),
        3: ("content", "Content"),
        4: ("processUnits", ["ProcessUnit"]),
        5: ("stats", "Stats"),
        6: ("associatedFiles", ["AssociatedFile"]),
    },
    "AssociatedFile": {0: ("name", str), 2: ("type", int)},
    "Content": {0: ("contentPropertiesType", int), 1: ("contentProperties", {1: "Feature", 2: "Image"})},
    "Feature": {},
    "Image": {0: ("colorSpace", int), 1: ("defaultSize", "ImageSize")},
    "ImageSize": {0: ("width", np.uint32), 1: ("height", np.uint32)},
    "ProcessUnit": {0: ("optionsType", int), 1: ("options", {1: "NormalizationOptions"})},
    "NormalizationOptions": {0: ("mean", float), 1: ("std", float)},
    "Stats": {0: ("max", float), 1: ("min", float)},
}
IMAGE = Tensor("serving_default_image:0", (1, 12, 20, 3), "float32", 0.0, 0)
SCORES = Tensor("StatefulPartitionedCall:0", (1, 3), "float32", 0.0, 0)
PROBABILITIES = {
    "name": "probability",
    "description": "One a label of labels.txt, in its order.",
    "content": {"contentPropertiesType": 1, "contentProperties": {}},
    "stats": {"max": [1.0], "min": [0.0]},
    "associatedFiles": [{"name": "labels.txt", "type": 2}],
}
EXPECTED = {
    "name": "petals",
    "description": "Made by tfxfer: which of its classes a picture shows.",
    "version": "1a2b",
    "subgraphMetadata": [
        {
            "inputTensorMetadata": [
                {
                    "name": "image",
                    "description": "RGB, 12 rows of 20 pixels, 0..255; the model scales by itself.",
                    "content": {
                        "contentPropertiesType": 2,
                        "contentProperties": {"colorSpace": 1, "defaultSize": {"width": 20, "height": 12}},
                    },
                    "processUnits": [{"optionsType": 1, "options": {"mean": [0.0], "std": [1.0]}}],
                    "stats": {"max": [255.0], "min": [0.0]},
                }
            ],
            "outputTensorMetadata": [PROBABILITIES],
        }
    ],
    "associatedFiles": [{"name": "tfxfer.json", "type": 0}],
    "minParserVersion": "1.0.0",
}


def read(table, name):
    """Read a table by the schema into plain values."""
    found, kinds = {}, SCHEMA[name]
    for slot, (field, kind) in kinds.items():
        offset = table.Offset(4 + 2 * slot)
        if offset or kind is int:  # a byte that is 0 is not written
            found[field] = value(table, offset, kind, found)
    return found


def value(table, offset, kind, before):
    if kind is int:
        return table.Get(numbers.Int8Flags, table.Pos + offset) if offset else 0
    if kind is np.uint32:
        return table.Get(numbers.Uint32Flags, table.Pos + offset)
    if kind is str:
        return table.String(table.Pos + offset).decode()
    if kind is float:
        return table.GetVectorAsNumpy(numbers.Float32Flags, offset).tolist()
    if isinstance(kind, list):
        places = [table.Indirect(table.Vector(offset) + 4 * i) for i in range(table.VectorLen(offset))]
        return [read(Table(table.Bytes, place), kind[0]) for place in places]
    if isinstance(kind, dict):  # a union, whose type came before it
        kind = kind[next(number for name, number in before.items() if name.endswith("Type"))]
    return read(Table(table.Bytes, table.Indirect(table.Pos + offset)), kind)


def read_root(data):
    assert data[4:8] == b"M001"
    return read(Table(data, flatbuffers.encode.Get(flatbuffers.packer.uoffset, data, 0)), "ModelMetadata")


def written(facts, *outputs):
    return read_root(
        standard_metadata(facts, IMAGE, [SCORES, *outputs], version="1a2b", files=["tfxfer.json"])
    )


def test_it_reads_as_the_schema_has_it(facts):
    assert written(facts) == EXPECTED


def test_numbers_have_no_range_of_probabilities(facts):
    (output,) = written(replace(facts, task="regression"))["subgraphMetadata"][0]["outputTensorMetadata"]
    expected = PROBABILITIES | {"name": "number"}
    del expected["stats"]
    assert output == expected


def test_each_output_is_told_of(facts):
    """Readers refuse a file that tells of fewer than there are."""
    outputs = written(facts, Tensor("known", (1, 1), "float32", 0.0, 0))["subgraphMetadata"][0]
    assert outputs["outputTensorMetadata"] == [
        PROBABILITIES,
        {"name": "known", "content": {"contentPropertiesType": 1, "contentProperties": {}}},
    ]


def test_mediapipe_s_own_classes_read_the_same(facts, plain, ask_mediapipe, tmp_path):
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (20, 12)).save(tmp_path / "pictures" / "black.png")
    (tmp_path / "model.tflite").write_bytes(with_metadata(plain, facts))
    told = ask_mediapipe(tmp_path / "model.tflite", tmp_path / "pictures")["metadata"]
    assert METADATA_NAME == "TFLITE_METADATA"
    assert tensors_of(plain)[0][0].shape == IMAGE.shape
    assert without_defaults(told) == without_defaults(EXPECTED | {"version": told["version"]})


def without_defaults(said):
    if isinstance(said, dict):
        return {name: without_defaults(entry) for name, entry in said.items() if entry not in (0, [], {})}
    return [without_defaults(entry) for entry in said] if isinstance(said, list) else said
