"""Rejection: the score by hand, the promise on fresh data, what has not been seen, and what is refused."""

import zipfile
from collections import defaultdict
from dataclasses import replace

import keras
import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import write_pictures
from tfxfer.data import from_arrays, from_folder, read_image
from tfxfer.errors import SettingError
from tfxfer.evaluation import fit_rejection
from tfxfer.evaluation.rejection import _place, virtual_logit, with_known
from tfxfer.models import build
from tfxfer.training import Phase, fit


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = write_pictures(tmp_path_factory.mktemp("known") / "pictures", count=70, colours=("blue", "red"))
    return from_folder(folder).folds(3)[0]


@pytest.fixture(scope="module")
def fitted(photos):
    model = build(photos, backbone="micro", image_size=32)
    fit(model, photos, plan=[Phase("head", epochs=8, rate=3e-3)], progress=False)
    return model, fit_rejection(model, photos, share=0.1)


def pixels(photos, part):
    return np.concatenate([batch for batch, _ in photos.batches(part, image_size=32, shuffle=False)])


def test_the_score_is_that_of_the_paper(fitted, photos):
    """ViM worked out another way: by the projection onto the other directions, by singular values."""
    model, rejection = fitted
    head = model.get_layer("head_logits")
    both = keras.Model(model.inputs, [head.input, head.output])
    features, logits = (each.astype(float) for each in both.predict(pixels(photos, "train"), verbose=0))
    kernel, bias = (each.astype(float) for each in head.get_weights())
    kernel, bias = kernel - kernel.mean(axis=1, keepdims=True), bias - bias.mean()
    origin = -np.linalg.lstsq(kernel.T, bias, rcond=None)[0]
    np.testing.assert_allclose(kernel.T @ origin, -bias, atol=1e-6)  # there, all logits are alike
    directions = rejection.basis.shape[1]
    assert directions == len(photos.split.train) // 4
    others = np.linalg.svd(features - origin)[2][directions:]
    logits -= logits.mean(axis=1, keepdims=True)
    residual = np.linalg.norm((features - origin) @ others.T, axis=1)
    alpha = logits.max(axis=1).sum() / residual.sum()
    expected = np.log(np.exp(logits).sum(axis=1)) - alpha * residual
    constants = rejection.origin, rejection.basis, rejection.alpha
    np.testing.assert_allclose(virtual_logit(features, logits, *constants), expected, atol=1e-3)
    # And so says the graph that is exported.
    said = with_known(model, rejection).predict(pixels(photos, "train"), verbose=0)
    scores, known = said["scores"], said["known"]
    np.testing.assert_allclose(known, expected - rejection.threshold, atol=5e-3)
    np.testing.assert_allclose(scores, model.predict(pixels(photos, "train"), verbose=0), atol=1e-6)


def test_the_threshold_is_the_quantile(fitted, photos):
    model, rejection = fitted
    known = with_known(model, rejection).predict(pixels(photos, "validation"), verbose=0)["known"]
    assert rejection.images == len(known) == len(photos.split.validation)
    place = int(0.1 * (len(known) + 1))
    assert np.sum(known < -1e-3) == place - 1
    assert rejection.spread == pytest.approx(known.std(), rel=1e-3)


def test_what_shows_none_of_the_classes_is_told(fitted, photos, shared_pictures):
    """Green squares, of which nothing was seen."""
    model, rejection = fitted
    whole = with_known(model, rejection)
    others = from_folder(shared_pictures)
    green = [index for index, record in enumerate(others.records) if record.path.startswith("green")]
    others = replace(others, split=replace(others.split, test=tuple(green)))
    known, unknown = (whole.predict(pixels(each, "test"), verbose=0)["known"] for each in (photos, others))
    truth = np.arange(len(known) + len(unknown)) < len(known)
    assert sklearn.metrics.roc_auc_score(truth, np.concatenate((known, unknown))) > 0.75


@given(st.integers(1, 5000), st.floats(1e-4, 0.999))
def test_no_more_than_the_share_falls_below(images, share):
    """Of a continuous score, what falls below the k-th of n is k / (n + 1) on average."""
    place = _place(share, images)
    assert place / (images + 1) <= share + 1e-8
    assert (place + 1) / (images + 1) > share


def test_the_promise_holds_on_fresh_data():
    """Noise is its own fresh data: of 1,000 more pictures, as many are turned away as chance allows."""
    generator = np.random.default_rng(1)
    images = generator.integers(0, 256, (1500, 8, 8, 3), np.uint8)
    labels = generator.integers(0, 2, 1500)
    images[labels == 1] //= 2
    photos = from_arrays(images, labels)
    split = photos.split
    rest = tuple(range(1500))
    photos = replace(
        photos, split=replace(split, train=rest[:200], validation=rest[200:500], test=rest[500:])
    )
    inputs = keras.Input((8, 8, 3))
    flat = keras.layers.Rescaling(1 / 255)(keras.layers.Flatten()(inputs))
    logits = keras.layers.Dense(2, name="head_logits")(flat)
    model = keras.Model(inputs, keras.layers.Softmax(name="head_scores")(logits))
    rejection = fit_rejection(model, photos, share=0.1)
    known = with_known(model, rejection).predict(images[500:], verbose=0)["known"]
    # The threshold is drawn too: given 300 scores, the share below it is beta-binomial.
    place = _place(0.1, 300)
    low, high = scipy.stats.betabinom(1000, place, 301 - place).ppf([0.005, 0.995])
    assert low <= np.sum(known < 0) <= high


def cifar(archive, *, each):
    """Read the first pictures of each class, name -> pixels."""
    found = defaultdict(list)
    with zipfile.ZipFile(archive) as pictures:
        for file in sorted(pictures.namelist()):
            own = found[file.split("/")[1]]
            if file.endswith(".jpg") and len(own) < each:
                own.append(read_image(pictures.read(file), height=32, width=32))
    return {name: np.stack(images) for name, images in sorted(found.items()) if images}


@pytest.mark.slow
def test_two_classes_of_cifar_10_are_told_from_eight_others(
    real_data, imagenet_home, monkeypatch, record_property
):
    """Better than by the largest probability, and as many good pictures are turned away as was said."""
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(imagenet_home))
    found = cifar(real_data / "cifar10" / "test.zip", each=325)
    assert list(found)[8:] == ["ship", "truck"]
    known, strange = list(found.values())[:8], list(found.values())[8:]
    learnt = np.concatenate([images[:200] for images in known])
    fresh = np.concatenate([images[200:] for images in known])
    others = np.concatenate([images[200:] for images in strange])
    photos = from_arrays(learnt, np.repeat(np.arange(8), 200))
    model = build(photos, backbone="mobilenet_v2_035", image_size=112)  # takes the weights of 224
    fit(model, photos, plan=[Phase("head", epochs=10, rate=1e-3)], guard=False, progress=False)
    rejection = fit_rejection(model, photos, share=0.1)
    whole = with_known(model, rejection)
    said, unknown = (whole.predict(enlarged(images), verbose=0) for images in (fresh, others))
    truth = np.arange(len(fresh) + len(others)) < len(fresh)
    ours, largest = (
        sklearn.metrics.roc_auc_score(truth, np.concatenate((score(said), score(unknown))))
        for score in (lambda each: each["known"], lambda each: each["scores"].max(axis=1))
    )
    turned_away = int(np.sum(said["known"] < 0))
    for name, value in (("AUROC", ours), ("of the largest probability", largest), ("away", turned_away)):
        record_property(name, value)
        print(name, value)
    assert ours > largest
    place = _place(0.1, rejection.images)
    low, high = scipy.stats.betabinom(len(fresh), place, rejection.images + 1 - place).ppf([0.025, 0.975])
    assert low <= turned_away <= high


def enlarged(images):
    return np.stack([read_image(image, height=112, width=112) for image in images])


def test_what_cannot_be_told_is_refused(fitted, photos, tags, says):
    model, _ = fitted
    for share in (0, 1, -0.1):
        message = f"the share of good pictures turned away must be in (0, 1), got {share:g}."
        with pytest.raises(SettingError, match=says(message)):
            fit_rejection(model, photos, share=share)
    few = replace(photos, split=replace(photos.split, validation=photos.split.validation[:18]))
    message = (
        "18 validation pictures do not tell where 0.05 of good pictures are turned away; give 19 or more of "
        "them, or a share of 0.053 or more."
    )
    with pytest.raises(SettingError, match=says(message)):
        fit_rejection(model, few)
    message = "what shows none of the classes is told of one label a picture, not multi_label."
    with pytest.raises(SettingError, match=says(message)):
        fit_rejection(model, tags)


def test_it_prints_as_a_line_and_goes_into_json(fitted):
    _, rejection = fitted
    assert set(rejection.to_dict()) == {"score", "share", "threshold", "images", "directions"}
    assert str(rejection) == (
        "known or none of these: by vim, up to 10.0% of good pictures turned away on average, by a threshold "
        f"from {rejection.images} validation pictures"
    )
