"""Ask MediaPipe, as an app would: python mediapipe_client.py MODEL.tflite FOLDER prints JSON.

``said``: picture -> label -> score, by its ImageClassifier; ``metadata``: what its own classes read. Runs
where ``mediapipe`` is installed, and needs nothing of tfxfer.
"""

import json
import sys
from pathlib import Path

import mediapipe
import numpy as np
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_schema
from mediapipe.tasks.metadata import schema_py_generated as schema
from mediapipe.tasks.python import vision


def main(model: Path, folder: Path) -> None:
    with vision.ImageClassifier.create_from_model_path(str(model)) as classifier:
        said = {file.name: scores(classifier, file) for file in sorted(folder.iterdir())}
    print(json.dumps({"said": said, "metadata": metadata_of(model.read_bytes())}))


def scores(classifier: vision.ImageClassifier, file: Path) -> dict[str, float]:
    (head, *_) = classifier.classify(mediapipe.Image.create_from_file(str(file))).classifications
    return {category.category_name: category.score for category in head.categories}


def metadata_of(content: bytes) -> object:
    model = schema.Model.GetRootAs(content)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == b"TFLITE_METADATA":
            data = model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
            return plain(metadata_schema.ModelMetadataT.InitFromPackedBuf(data))
    raise SystemExit("no metadata")


def plain(value: object) -> object:
    """Turn what the schema's classes hold into what JSON can, without what is empty or 0."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray | list):
        return [plain(entry) for entry in value]
    if hasattr(value, "__dict__"):
        return {name: plain(entry) for name, entry in vars(value).items() if entry is not None}
    return value.item() if isinstance(value, np.generic) else value


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
