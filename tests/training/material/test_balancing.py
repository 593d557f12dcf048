"""balance: which method is chosen, what each does to the training part, and that rare classes gain by it."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.conftest import draw
from tests.training.unguarded import fit
from tfxfer.contracts import ImageRecord, Split
from tfxfer.data import Photos, from_dataset, from_folder
from tfxfer.data.pixels.contents import Files
from tfxfer.errors import SettingError
from tfxfer.evaluation import evaluate
from tfxfer.models import build
from tfxfer.training import Phase, choose_balance
from tfxfer.training.material import balancing
from tfxfer.training.material.balancing import PlainValidationLoss, balance_training, check_balance


@pytest.mark.parametrize(
    ("counts", "method", "found", "so"),
    [
        ([20, 10, 15], "none", "2.0 times", "(20 and 10); that is even enough"),
        ([21, 10], "class_weights", "2.1 times", "(21 and 10); weights even it out"),
        ([10, 100], "class_weights", "10.0 times", "(100 and 10); weights even it out"),
        (
            [10, 1010, 30],
            "sampling",
            "101.0 times",
            "(1,010 and 10); that is beyond weights, so the pictures of smaller classes are repeated",
        ),
    ],
    ids=["none", "weights", "at most 10", "sampling"],
)
def test_auto_chooses_by_the_ratio_and_says_why(counts, method, found, so):
    assert choose_balance(counts) == (
        method,
        f"the largest class has {found} the training pictures of the smallest {so}",
    )


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=20))
def test_auto_heeds_neither_the_order_nor_the_size_of_the_set(counts):
    method, why = choose_balance(counts)
    assert choose_balance(counts[::-1]) == (method, why)
    assert choose_balance([2 * count for count in counts])[0] == method
    assert (method == "none") == (max(counts) <= 2 * min(counts))


def test_an_unknown_method_names_the_nearest(says):
    message = (
        "no balance 'class_weight'; did you mean 'class_weights'? There are none, class_weights, sampling, "
        "focal, auto."
    )
    with pytest.raises(SettingError, match=says(message)):
        balancing.check_balance("class_weight")


def photos_of(counts):
    """Make records of each class, all of them in the training part but for one."""
    records = tuple(
        ImageRecord(f"{label}/{index}.png", label)
        for label, count in enumerate(counts)
        for index in range(count)
    )
    names = tuple(f"class {label}" for label in range(len(counts)))
    return Photos(Files(Path("here")), names, records, Split(tuple(range(1, len(records))), (0,), (), seed=0))


def test_none_leaves_all_as_it_is():
    photos = photos_of([9, 3])
    prepared = balance_training(photos, "none")
    assert (prepared.photos, prepared.class_weight, prepared.callbacks) == (photos, None, [])
    assert (prepared.loss, prepared.metrics) == ("sparse_categorical_crossentropy", ["accuracy"])


def test_weights_are_the_inverse_of_counts_in_training():
    prepared = balance_training(photos_of([9, 2, 6]), "class_weights")
    # 16 pictures of 3 classes: 8, 2 and 6 of them.
    assert prepared.class_weight == pytest.approx({0: 16 / (3 * 8), 1: 16 / (3 * 2), 2: 16 / (3 * 6)})


@given(st.lists(st.integers(2, 40), min_size=2, max_size=5))
def test_sampling_repeats_each_class_evenly_up_to_the_largest(counts):
    photos = photos_of(counts)
    prepared = balance_training(photos, "sampling").photos
    assert set(Counter(prepared.labels("train")).values()) == {max(counts[0] - 1, *counts[1:])}
    assert set(prepared.split.train) == set(photos.split.train)
    times = Counter(prepared.split.train)
    for label in range(len(counts)):
        own = [times[index] for index in photos.split.train if photos.records[index].label == label]
        assert max(own) - min(own) <= 1
    assert (prepared.split.validation, prepared.records) == (photos.split.validation, photos.records)


def test_auto_is_what_it_chose():
    prepared = balance_training(photos_of([21, 2]), "auto")
    assert prepared.name == "class_weights"
    assert prepared.why.startswith("the largest class has 10.0 times")
    assert prepared.class_weight is not None
    assert balance_training(photos_of([21, 2]), "class_weights").why == ""


@pytest.mark.parametrize(
    ("counts", "method", "so"),
    [
        ([4, 2], "none", "1.5 times the training pictures of the smallest (3 and 2); that is even enough"),
        ([21, 2], "none", "; up to 10 times that is left as it is"),
        ([23, 2], "sampling", "; that is beyond weights, so the pictures of smaller classes are repeated"),
    ],
    ids=["even", "uneven", "beyond"],
)
def test_nobody_s_choice_is_sampling_beyond_weights_alone(counts, method, so):
    prepared = balance_training(photos_of(counts), None)
    assert prepared.name == method
    assert prepared.why.startswith("the largest class has ")
    assert prepared.why.endswith(so)
    assert prepared.class_weight is None


def test_nobody_s_choice_is_none_where_pictures_show_no_one_class(tags, numbers):
    for photos in (tags, numbers):
        prepared = balance_training(photos, None)
        assert (prepared.name, prepared.why) == ("none", "")


def test_the_focal_loss_gives_val_loss_its_plain_meaning():
    logs = {"loss": 0.1, "val_loss": 0.2, "val_cross_entropy": 0.9}
    PlainValidationLoss().on_epoch_end(0, logs)
    assert logs == {"loss": 0.1, "val_focal_loss": 0.2, "val_loss": 0.9}


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """Sixty blue pictures and five green ones to learn from, as uneven to choose by, even to judge by."""
    root = tmp_path_factory.mktemp("uneven")
    for part, first, counts in (("train", 0, (60, 5)), ("validation", 100, (24, 2)), ("test", 200, (20, 20))):
        for colour, count in zip(("blue", "green"), counts, strict=True):
            home = root / part / colour
            home.mkdir(parents=True)
            for index in range(first, first + count):
                draw(colour, index, size=32).save(home / f"{index}.png")
    return from_folder(root)


def test_a_fit_by_focal_loss_is_told_in_plain_cross_entropy(uneven):
    model = build(uneven, backbone="micro", image_size=32)
    log = fit(model, uneven, plan=[Phase("head", epochs=2)], balance="focal", progress=False)
    scores = evaluate(model, uneven, part="validation").predictions
    truth = scores.scores[np.arange(26), scores.labels]
    assert log.validation_loss == pytest.approx(float(-np.log(truth).mean()), abs=1e-4)
    assert set(log["head"].history) == {
        *("accuracy", "loss", "cross_entropy"),
        *("val_accuracy", "val_loss", "val_focal_loss"),
    }


@pytest.fixture(scope="module")
def fitted(uneven):
    """Fit with each method alike, and judge."""
    phase = Phase("head", epochs=15, rate=3e-3, schedule="constant", patience=None)
    outcome = {}
    for method in ("none", "class_weights", "sampling", "focal", "auto"):
        text = io.StringIO()
        model = build(uneven, backbone="micro", image_size=32)
        console = Console(file=text, width=300)
        log = fit(model, uneven, plan=[phase], balance=method, console=console)
        outcome[method] = model, log, evaluate(model, uneven), text.getvalue()
    return outcome


@pytest.mark.slow
def test_weights_and_sampling_make_the_rare_class_count_and_focal_learns_otherwise(fitted):
    recall = {method: report.per_class[1].recall for method, (_, _, report, _) in fitted.items()}
    assert recall["none"] < 0.15
    assert recall["class_weights"] >= recall["none"] + 0.1
    assert recall["sampling"] >= recall["none"] + 0.4
    # On so few pictures focal loss does not surely help the rare class; but it learns something else.
    scores = {name: fitted[name][2].predictions.scores for name in ("none", "focal")}
    assert np.abs(scores["focal"] - scores["none"]).max() > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("method", ["none", "class_weights", "sampling", "focal"])
def test_val_loss_is_unweighted_cross_entropy_on_validation_as_it_is(fitted, uneven, method):
    model, log, _, _ = fitted[method]
    report = evaluate(model, uneven, part="validation")
    scores = report.predictions.scores[np.arange(26), report.predictions.labels]
    assert log.validation_loss == pytest.approx(float(-np.log(scores).mean()), abs=1e-4)
    assert log.validation_accuracy == pytest.approx(report.accuracy)
    history = log["head"].history
    assert log["head"].best("val_loss") == min(history["val_loss"])
    assert ("val_focal_loss" in history) == (method == "focal")
    assert log.balance == method


@pytest.mark.slow
def test_auto_tells_and_keeps_what_it_chose(fitted):
    _, log, report, text = fitted["auto"]
    assert log.balance == "sampling"
    assert text.splitlines()[0] == f"balance: sampling, since {log.balance_reason}."
    np.testing.assert_array_equal(report.predictions.scores, fitted["sampling"][2].predictions.scores)
    assert fitted["sampling"][1].balance_reason == ""
    assert "balance:" not in fitted["sampling"][3]


@pytest.mark.parametrize("balance", ["class_weights", "focal"])
def test_mixed_pictures_cannot_be_weighed(shared_pictures, balance, says):
    message = (
        f"mix makes pictures of two classes each, which {balance} cannot weigh; balance must be 'none' or "
        "'sampling' with it."
    )
    with pytest.raises(SettingError, match=says(message)):
        balance_training(from_folder(shared_pictures), balance, mixed=True)


def test_what_cannot_be_is_refused_before_anything_is_looked_at(tags, numbers, says):
    message = "balance is for one class a picture (single_label), got 'auto' for regression; leave it out."
    with pytest.raises(SettingError, match=says(message)):
        balancing.check_balance("auto", numbers)
    message = "mix is for one class a picture (single_label), got multi_label; leave it out."
    with pytest.raises(SettingError, match=says(message)):
        balancing.check_balance("none", tags, mixed=True)


def test_pictures_without_one_class_are_neither_balanced_nor_mixed(tags, numbers, says):
    message = (
        "balance is for one class a picture (single_label), got 'sampling' for multi_label; leave it out."
    )
    with pytest.raises(SettingError, match=says(message)):
        balance_training(tags, "sampling")
    message = "mix is for one class a picture (single_label), got regression; leave it out."
    with pytest.raises(SettingError, match=says(message)):
        balance_training(numbers, "none", mixed=True)


def test_a_stream_cannot_repeat_pictures(says):
    import tensorflow as tf

    images = np.zeros((30, 4, 4, 3), np.uint8)
    labels = [index % 3 for index in range(30)]
    pairs = tf.data.Dataset.from_tensor_slices((images, labels))
    photos = from_dataset(pairs, classes=["a", "b", "c"])
    message = (
        f"sampling repeats pictures, which a stream ({photos.source}) cannot; balance by 'class_weights', or "
        "write the pictures as files."
    )
    with pytest.raises(SettingError, match=says(message)):
        balance_training(photos, "sampling")


@pytest.mark.parametrize(
    ("name", "mixed", "stream", "possible"),
    [
        ("sampling", False, False, "sampling"),
        ("sampling", False, True, "class_weights"),
        ("sampling", True, True, "none"),
        ("class_weights", True, False, "sampling"),
        ("class_weights", True, True, "none"),
        ("class_weights", False, True, "class_weights"),
    ],
)
def test_auto_chooses_what_can_be(name, mixed, stream, possible):
    found, why = balancing._possible(name, "uneven", mixed=mixed, stream=stream)
    assert found == possible
    assert (why == "uneven") == (found == name)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_is_none_is_refused(share, says):
    with pytest.raises(SettingError, match=says(f"label_smoothing must be in [0, 1), got {share:g}.")):
        check_balance("none", smoothing=share)


def test_smoothing_is_refused_where_there_is_nothing_to_smooth(tags, says):
    message = "label_smoothing makes shares of classes, which focal loss does not take; leave one out."
    with pytest.raises(SettingError, match=says(message)):
        check_balance("focal", smoothing=0.1)
    message = "label_smoothing is for one class a picture (single_label), got multi_label; leave it out."
    with pytest.raises(SettingError, match=says(message)):
        check_balance("none", tags, smoothing=0.1)
