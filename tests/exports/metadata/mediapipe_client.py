"""Classify pictures as a phone would, by MediaPipe: python mediapipe_client.py MODEL.tflite FOLDER > JSON.

Runs where ``mediapipe`` is installed, and needs nothing of tfxfer.
"""

import json
import sys
from pathlib import Path

import mediapipe
from mediapipe.tasks.python import vision

with vision.ImageClassifier.create_from_model_path(sys.argv[1]) as classifier:
    said = {}
    for file in sorted(Path(sys.argv[2]).iterdir()):
        (head,) = classifier.classify(mediapipe.Image.create_from_file(str(file))).classifications
        said[file.name] = {each.category_name: each.score for each in head.categories}
print(json.dumps(said))
