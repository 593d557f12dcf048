"""likely_label_errors: labels that were changed are found, without the folds seeing them."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from tfxfer.data import from_folder
from tfxfer.errors import DataError, MissingExtra, SettingError
from tfxfer.evaluation import likely_label_errors
from tfxfer.evaluation.label_errors import _groups, _out_of_fold
from tfxfer.models import build


@pytest.fixture(scope="module")
def photos(shared_pictures):
    return from_folder(shared_pictures)


@pytest.fixture(scope="module")
def model(photos):
    return build(photos, backbone="micro", image_size=32)


@pytest.mark.usefixtures("cache_home")
def test_changed_labels_are_found(model, photos):
    changed = {3: 1, 25: 2, 50: 0}
    records = tuple(
        replace(record, label=changed.get(index, record.label)) for index, record in enumerate(photos.records)
    )
    found = likely_label_errors(model, replace(photos, records=records), progress=False)
    names = {str(photos.root / photos.records[index].path): index for index in changed}
    assert set(names) <= {error.file for error in found}
    assert len(found) <= 8  # of 60
    for error in found:
        if error.file not in names:
            continue
        index = names[error.file]
        assert error.given == photos.classes[changed[index]]
        assert error.likely == photos.classes[photos.records[index].label]
        assert index in photos.split[error.part]
        assert error.given_probability < error.likely_probability
        assert error.to_dict()["file"] == error.file
        assert str(error) == (
            f"{error.file}  labelled {error.given} ({error.given_probability:.1%}), likelier {error.likely} "
            f"({error.likely_probability:.1%})"
        )
    margins = [error.likely_probability - error.given_probability for error in found]
    assert margins == sorted(margins, reverse=True)


def test_what_belongs_together_is_in_one_fold(photos):
    """Groups a and b are joined by two pictures that look alike."""
    marks = {0: ("a", None), 1: ("a", "x"), 2: ("b", "x"), 3: ("b", None), 4: (None, "y"), 5: (None, "y")}
    records = tuple(
        replace(record, group=marks.get(i, (None, None))[0], alike=marks.get(i, (None, None))[1])
        for i, record in enumerate(photos.records)
    )
    numbers = _groups(replace(photos, records=records), list(range(8)))
    assert numbers.tolist() == [0, 0, 0, 0, 4, 4, 6, 7]


def test_a_probe_does_not_learn_from_what_it_is_asked():
    """Random features say nothing of random labels, unless they were learnt by heart."""
    generator = np.random.default_rng(0)
    features = generator.normal(size=(200, 150)).astype("float32")
    labels = generator.integers(0, 2, 200)
    twins = np.arange(200) // 2
    features[1::2], labels[1::2] = features[::2], labels[::2]
    said = _out_of_fold(features, labels, twins, folds=5, seed=0)
    assert np.mean(said.argmax(axis=1) == labels) < 0.65
    leaking = _out_of_fold(features, labels, np.arange(200), folds=5, seed=0)
    assert np.mean(leaking.argmax(axis=1) == labels) > 0.75


def test_what_cannot_be_looked_for_is_refused(model, photos, tags, monkeypatch, says):
    message = "label errors are found where pictures show one class each, not multi_label."
    with pytest.raises(SettingError, match=says(message)):
        likely_label_errors(model, tags)
    with pytest.raises(SettingError, match=says("folds must be at least 2, got 1.")):
        likely_label_errors(model, photos, folds=1)
    message = "class 'blue' has 20 pictures or groups, too few for 21 folds; add some, or take fewer folds."
    with pytest.raises(DataError, match=says(message)):
        likely_label_errors(model, photos, folds=21)
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    message = "likely label errors need cleanlab, which is not installed; pip install 'tfxfer[labels]'."
    with pytest.raises(MissingExtra, match=says(message)):
        likely_label_errors(model, photos)
