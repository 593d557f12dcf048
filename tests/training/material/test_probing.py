"""Probing: a probe learns of every kept view, which together count as one picture."""

from dataclasses import replace

import numpy as np
import pytest

from tfxfer.augment import augmentation
from tfxfer.config import Phase
from tfxfer.features import PROBE_STRENGTH, kept_features, linear_probe, pooled_prefix
from tfxfer.models import build
from tfxfer.training.preparing import prepared

PHASES = (Phase("head", optimizer="lbfgs"),)


def prober(photos, **settings):
    told = {
        "augment": None,
        "mix": None,
        "balance": None,
        "label_smoothing": 0.0,
        "features": "auto",
        "distillation": None,
    }
    told |= {"views": None, "batch_size": 32, "precision": "float32", "seed": 0, "progress": False}
    model = build(photos, backbone="micro", image_size=32)
    return prepared(model, photos, PHASES, **told | {"console": None} | settings).prober


@pytest.mark.parametrize("features", ["cache", "off"])
def test_all_views_of_a_picture_count_as_one(photos, features):
    found = prober(photos, augment="light", features=features)
    probe = found.at_start().probe
    light, train = augmentation("light"), photos.split.train
    prefix = pooled_prefix(found.model)
    vectors = kept_features(prefix, photos, train, augment=light, views=4, progress=False)
    assert len(vectors) == 4 * len(train)
    wanted = linear_probe(
        vectors,
        np.repeat(photos.targets("train"), 4),
        weights=np.full(len(vectors), 0.25),
        strength=PROBE_STRENGTH,
    )
    np.testing.assert_allclose(probe.kernel, wanted.kernel, atol=1e-4)
    plain = kept_features(prefix, photos, train, progress=False)
    np.testing.assert_allclose(found.at_start().training, wanted.scores(plain), atol=1e-4)


def test_so_many_views_as_are_asked_for(photos):
    found = prober(photos, augment="light", views=2)
    assert found.lessons.plan.views in (0, 2)
    vectors = kept_features(
        pooled_prefix(found.model),
        photos,
        photos.split.train,
        augment=augmentation("light"),
        views=2,
        progress=False,
    )
    targets, weights = np.repeat(photos.targets("train"), 2), np.full(len(vectors), 0.5)
    wanted = linear_probe(vectors, targets, weights=weights, strength=PROBE_STRENGTH)
    np.testing.assert_allclose(found.at_start().probe.kernel, wanted.kernel, atol=1e-4)


def test_rare_classes_count_as_they_do_in_phases(photos):
    rare = [index for index in photos.split.train if photos.records[index].label == 0][2:]
    train = tuple(index for index in photos.split.train if index not in rare)
    uneven = replace(photos, split=replace(photos.split, train=train))
    found = prober(uneven, balance="class_weights")
    labels = uneven.targets("train")
    weights = (len(labels) / len(photos.classes) / np.bincount(labels))[labels]
    assert weights.max() > 2 * weights.min()
    vectors = kept_features(pooled_prefix(found.model), uneven, train, progress=False)
    wanted = linear_probe(vectors, labels, weights=weights, strength=PROBE_STRENGTH)
    np.testing.assert_allclose(found.at_start().probe.kernel, wanted.kernel, atol=1e-4)


def test_the_start_is_probed_once(photos):
    found = prober(photos)
    assert found.at_start() is found.at_start()
    assert len(found.at_start().validation) == len(photos.split.validation)
