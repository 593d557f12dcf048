"""explain: maps lie on what decides, depend on the model's weights, and are of the label asked for."""

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import sobel
from scipy.stats import spearmanr

import tfxfer
from tests.explaining.conftest import CLASSES, SIZE
from tfxfer.errors import DataError, SettingError
from tfxfer.explaining import EXPLAIN_METHODS
from tfxfer.models import Anatomy


def maps(model, images, labels, method="grad-cam"):
    found = []
    for image, label in zip(images, labels, strict=True):
        found += tfxfer.explain(model, image, method=method, label=CLASSES[label], classes=CLASSES)
    return np.stack([each.map for each in found])


@pytest.mark.parametrize("method", EXPLAIN_METHODS)
def test_the_map_lies_on_the_patch_that_decides(fitted, unseen, method):
    scores = fitted.predict(unseen.images, verbose=0)
    assert (scores.argmax(axis=1) == unseen.labels).all()
    found = maps(fitted, unseen.images[:6], unseen.labels[:6], method)
    on = [each[inside].mean() for each, inside in zip(found, unseen.inside[:6], strict=True)]
    off = [each[~inside].mean() for each, inside in zip(found, unseen.inside[:6], strict=True)]
    ratios = np.divide(on, off)
    assert ratios.min() > 1.05
    assert ratios.mean() > 1.7


def edges(_model, images, _labels):
    """Draw what an edge detector finds, which looks at no model."""
    grey = images.mean(axis=-1)
    return np.hypot(sobel(grey, axis=1), sobel(grey, axis=2))


def likeness_as_weights_go(explainer, model, images, labels):
    """Shuffle weights from the head down: of the head, then of half the stages, then of all.

    Return Spearman's rank correlation of maps with those of before, after each.
    """
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    before, generator = explainer(twin, images, labels), np.random.default_rng(0)
    parts = list(reversed(Anatomy.of(twin).parts.values()))
    likeness = []
    for first, last in ((0, 1), (1, len(parts) // 2), (len(parts) // 2, None)):
        for layer in (layer for layers in parts[first:last] for layer in layers):
            shuffled = [generator.permuted(weight.ravel()) for weight in layer.get_weights()]
            layer.set_weights(
                [each.reshape(w.shape) for each, w in zip(shuffled, layer.weights, strict=True)]
            )
        after = explainer(twin, images, labels)
        pairs = zip(before, after, strict=True)
        likeness.append(np.mean([spearmanr(one.ravel(), other.ravel())[0] for one, other in pairs]))
    return np.nan_to_num(likeness)  # a map that is 0 everywhere is like none


def depends_on_weights(likeness):
    """Hold maps to what Adebayo et al. ask: with random weights, little is left of what they were."""
    return max(abs(likeness[1:])) < 0.5


@pytest.mark.filterwarnings("ignore:An input array is constant")
@pytest.mark.parametrize(
    "method",
    ["grad-cam", "grad-cam++", pytest.param("integrated-gradients", marks=pytest.mark.slow)],
)
def test_maps_change_as_weights_are_randomised(fitted, unseen, method):
    """Adebayo et al. 2018, https://arxiv.org/abs/1810.03292: cascading randomisation."""
    likeness = likeness_as_weights_go(
        lambda model, images, labels: maps(model, images, labels, method),
        fitted,
        unseen.images[:6],
        unseen.labels[:6],
    )
    assert depends_on_weights(likeness), likeness


def test_an_edge_detector_does_not_pass_for_an_explanation(fitted, unseen):
    likeness = likeness_as_weights_go(edges, fitted, unseen.images[:6], unseen.labels[:6])
    assert likeness == pytest.approx([1, 1, 1])
    assert not depends_on_weights(likeness)


def test_a_bundle_explains_as_its_model_does(bundle, fitted, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (40, 90, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "wide.png")
    (found,) = tfxfer.explain(bundle, tmp_path / "wide.png")
    (expected,) = tfxfer.explain(fitted, picture, classes=CLASSES, resize="stretch")
    assert (found.file, found.label, found.resize) == (str(tmp_path / "wide.png"), expected.label, "stretch")
    assert found.score == pytest.approx(expected.score, abs=1e-5)
    np.testing.assert_allclose(found.map, expected.map, atol=1e-3)
    assert found.overlay(original=True).size == (90, 40)


def test_without_a_label_each_picture_s_likeliest_is_explained(fitted, unseen):
    found = tfxfer.explain(fitted, unseen.images[:4], classes=CLASSES)
    assert [each.label for each in found] == [CLASSES[label] for label in unseen.labels[:4]]
    assert [each.label for each in tfxfer.explain(fitted, unseen.images[:2])] == ["0", "1"]
    scores = fitted.predict(unseen.images[:4], verbose=0)
    assert [each.score for each in found] == pytest.approx(scores.max(axis=1).tolist(), abs=1e-5)
    for each in found:
        assert each.map.dtype == np.float32
        assert (each.map.min() >= 0, each.map.max()) == (True, 1)
        assert each.map.shape == (SIZE, SIZE)


def test_several_labels_are_explained_one_by_one():
    model = tfxfer.build(classes=3, task="multi_label", backbone="micro", image_size=32)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    found = tfxfer.explain(model, images, label=("sun", "sea"), classes=("sea", "sand", "sun"))
    assert [(each.file, each.label) for each in found] == [
        (f"picture {number}", label) for number in (1, 2) for label in ("sun", "sea")
    ]
    scores = model.predict(images, verbose=0)
    assert [each.score for each in found] == pytest.approx(scores[:, [2, 0]].ravel().tolist(), abs=1e-5)
    assert np.abs(found[0].map - found[1].map).max() > 0.05


@pytest.mark.parametrize("method", EXPLAIN_METHODS)
def test_a_number_is_explained_by_what_makes_it_larger(method):
    """The number is the mean of the left half: what lies right of it cannot matter."""
    image = keras.Input((32, 32, 3), name="image")
    x = keras.layers.Conv2D(1, 4, 4, use_bias=False, kernel_initializer="ones", name="body")(image)
    x = keras.layers.Cropping2D(((0, 0), (0, 4)), name="left")(x)
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="head_logits")(x)
    model = keras.Model(image, keras.layers.Rescaling(0.5, offset=3.0, name="head_scores")(x))
    picture = np.full((32, 32, 3), 200, np.uint8)
    (found,) = tfxfer.explain(model, picture, method=method, classes=["brightness"])
    assert found.task == "regression"
    assert found.score == pytest.approx(model.predict(picture[None], verbose=0).item(), rel=1e-5)
    assert found.map[:, :8].min() > 0.5
    if method in ("integrated-gradients", "occlusion"):
        assert found.map[:, 24:].max() == pytest.approx(0, abs=1e-4)


def test_every_number_is_explained_where_none_is_named():
    model = tfxfer.build(classes=2, task="regression", backbone="micro", image_size=32)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    found = tfxfer.explain(model, images, classes=("wear", "age"))
    assert [each.label for each in found] == ["wear", "age"] * 2
    (alone,) = tfxfer.explain(model, images[1], label="age", classes=("wear", "age"))
    np.testing.assert_allclose(found[3].map, alone.map, atol=1e-5)
    assert found[3].score == pytest.approx(alone.score, abs=1e-5)


def test_a_model_that_computes_in_half_precision_is_explained_in_whole():
    settings = {"classes": CLASSES, "backbone": "micro", "image_size": 32}
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    mixed = tfxfer.build(**settings, precision="mixed_bfloat16")
    (found,) = tfxfer.explain(mixed, picture, label="0")
    (expected,) = tfxfer.explain(tfxfer.build(**settings), picture, label="0")
    np.testing.assert_allclose(found.map, expected.map, atol=1e-4)
    assert mixed.get_layer("head_logits").compute_dtype == "bfloat16"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"classes": ("ant", "bee")},
            "the model tells 3 classes apart, the pictures have 2; build the model with these photos.",
        ),
        ({"resize": "squash"}, "resize must be 'crop' or 'stretch', got 'squash'."),
        ({"model": "folder", "resize": "crop"}, "a folder knows its classes and its resize; leave both out."),
    ],
    ids=["classes", "resize", "resize of a folder"],
)
def test_what_does_not_fit_the_model_is_refused(fitted, unseen, settings, message, says):
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.explain(**{"model": fitted, "pictures": unseen.images[0], **settings})


def test_scores_that_are_no_numbers_are_refused(unseen, says):
    model = tfxfer.build(classes=2, backbone="micro", image_size=32)
    head = model.get_layer("head_logits")
    head.set_weights([weight * np.nan for weight in head.get_weights()])
    message = (
        "micro gives picture 1 scores that are NaN or infinite, so there is nothing to explain; train it at "
        "a lower rate."
    )
    with pytest.raises(DataError, match=says(message)):
        tfxfer.explain(model, unseen.images[0])


def test_another_s_model_is_refused(unseen, says):
    image = keras.Input((SIZE, SIZE, 3))
    other = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image)), name="other")
    message = (
        "the model 'other' has no layer named head_..., so what is backbone and what is head cannot be told; "
        "build it with tfxfer.build, and keep the names it gives."
    )
    with pytest.raises(SettingError, match=says(message)):
        tfxfer.explain(other, unseen.images[0])
