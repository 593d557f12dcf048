"""Features of TensorFlow Datasets: which are the picture and the labels; what fits none is refused."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tfxfer.data.sources.prepared_features import image_among, labels_among
from tfxfer.errors import SettingError

FEATURES = {
    "photo": tfds.features.Image(),
    "colour": tfds.features.ClassLabel(names=["blue", "red"]),
    "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=["even", "warm"])),
    "warm": tfds.features.Scalar(np.bool_),
    "size": tfds.features.Scalar(np.float32),
    "owner": tfds.features.Text(),
}


def test_what_is_alone_of_its_kind_is_taken():
    assert image_among("it", FEATURES, None, None) == "photo"
    assert labels_among("it", FEATURES, None, None, task="single_label") == (("colour",), ("blue", "red"))
    assert labels_among("it", FEATURES, None, None, task="multi_label") == (("tags",), ("even", "warm"))
    several = labels_among("it", FEATURES, ["warm", "size"], None, task="multi_label")
    assert several == (("warm", "size"),) * 2
    assert labels_among("it", FEATURES, "size", None, task="regression") == (("size",), ("size",))
    assert labels_among("it", FEATURES, None, "size", task="regression") == (("size",), ("size",))


@pytest.mark.parametrize(
    ("asked", "task", "message"),
    [
        (
            "colour",
            "multi_label",
            "it has no label feature 'colour'; label=… takes one of: tags (several labels are a Sequence of "
            "ClassLabel, or several features that are 0 or 1 each).",
        ),
        (
            None,
            "regression",
            "it does not say which feature is the label; label=… takes one of: size, warm (a number is a "
            "feature of shape ()).",
        ),
        (
            ["size", "owner"],
            "regression",
            "it has no label feature 'owner'; label=… takes one of: size, warm (a number is a feature of "
            "shape ()).",
        ),
        (["size", "size"], "regression", "it: label=… must name no feature twice, got size, size."),
        (
            ["colour", "tags"],
            "single_label",
            "single_label takes one label feature, got colour, tags; multi_label takes several that are 0 or "
            "1 each, regression several numbers.",
        ),
    ],
    ids=["class", "no number", "text", "twice", "two"],
)
def test_what_fits_no_task_is_refused(asked, task, message, says):
    with pytest.raises(SettingError, match=says(message)):
        labels_among("it", FEATURES, asked, None, task=task)
