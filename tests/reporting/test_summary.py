"""The sentences of a summary, each told whole."""

import pytest

from tfxfer.reporting.summary import summarise


def facts(**changes):
    filled = {"count": 10, "confidence": 0.9, "accuracy": 0.8}
    plain = {
        "task": "single_label",
        "headline": {"name": "accuracy", "value": 0.9, "interval": {"low": 0.85, "high": 0.95}},
        "data": {"pictures": {"test": 1200}},
        "test": {"calibration": {"expected_calibration_error": 0.1, "bins": [filled, {"count": 0}]}},
        "training": None,
        "audit": {"counts": {"leaks": 0, "conflicting_labels": 0}},
        "confusions": [],
        "files": [],
    }
    return plain | changes


def test_a_headline_with_and_without_interval():
    assert summarise(facts())[0] == (
        "It gives 90.0% of 1,200 pictures that it had not seen before the right label. With other pictures "
        "of the same kind, expect 85.0% to 95.0%."
    )
    # By Clopper and Pearson, of 1,200 that are all right: 0.025 to the power of 1/1200.
    whole = {"name": "accuracy", "value": 1.0, "interval": {"low": 1.0, "high": 1.0}}
    assert summarise(facts(headline=whole))[0].endswith(" expect 99.7% to 100.0%.")
    alone = facts(
        headline={"name": "accuracy", "value": 1.0, "interval": None}, data={"pictures": {"test": 1}}
    )
    assert summarise(alone)[0] == "It gives 100.0% of 1 picture that it had not seen before the right label."


def test_other_tasks():
    numbers = facts(
        task="regression", headline={"name": "r2", "value": 0.8, "interval": None}, test={}, confusions=[]
    )
    assert summarise(numbers) == [
        "On 1,200 pictures that it had not seen before, it accounts for 80.0% of how the numbers vary; "
        "always saying their mean accounts for none of it."
    ]
    worse = facts(headline={"name": "r2", "value": -0.1, "interval": {"low": -0.5, "high": 0.1}})
    assert summarise(worse)[0] == (
        "On 1,200 pictures that it had not seen before, it is further off than always saying the mean of the "
        "numbers would be."
    )
    off = {"name": "age", "mean_absolute_error": 2.97132, "baseline_mean_absolute_error": 3.04}
    each = facts(headline=worse["headline"], test={"per_number": [off, {**off, "name": "wear"}]})
    assert summarise(each)[1] == (
        "On average, it is off by 2.971 in “age” (always saying its mean: 3.04), 2.971 in “wear” (always "
        "saying its mean: 3.04)."
    )
    several = facts(
        task="multi_label", headline={"name": "mean_average_precision", "value": 0.7, "interval": None}
    )
    assert summarise(several)[0] == (
        "On 1,200 pictures that it had not seen before, its mean average precision is 70.0%: 100 % would be "
        "every label ranked right."
    )
    assert len(summarise(several)) == 2


def test_what_was_kept():
    phase = {"name": "top", "history": {"val_loss": [1, 2, 3]}, "best_epoch": 2, "soup": []}
    training = {"kept": "top", "phases": [{**phase, "name": "head"}, phase]}
    assert summarise(facts(training=training))[1] == (
        "Of what training tried, epoch 2 of 3 of the phase “top” had the lowest loss on validation."
    )
    guard = {"kept": "fine-tuned", "sentence": "the model is 1.0 points better than a linear probe."}
    told = summarise(facts(training={**training, "guard": guard}))
    assert (
        told[1]
        == "Of what training tried, epoch 2 of 3 of the phase “top” had the lowest loss on validation."
    )
    assert told[2] == "The model is 1.0 points better than a linear probe."
    guard = {"kept": "probe", "sentence": "the model is worse, and the probe is kept."}
    assert summarise(facts(training={**training, "guard": guard}))[1] == (
        "The model is worse, and the probe is kept."
    )
    training["phases"][1] = {**phase, "soup": [1, 3]}
    assert summarise(facts(training=training))[1] == (
        "Of what training tried, the average of 2 epochs of 3 of the phase “top” had the lowest loss on "
        "validation."
    )


@pytest.mark.parametrize(
    ("error", "accuracy", "told"),
    [
        (0.03, 0.9, "Its probabilities can be read as they are: they are off by 3.0 points on average."),
        (
            0.1,
            0.8,
            "Its probabilities are a rough guide: they are off by 10.0 points on average, mostly too sure.",
        ),
        (
            0.3,
            1.2,
            "Do not take its probabilities at their word: they are off by 30.0 points on average, mostly too "
            "unsure.",
        ),
    ],
)
def test_whether_confidence_means_anything(error, accuracy, told):
    filled = {"count": 10, "confidence": 0.9, "accuracy": accuracy}
    test = {"calibration": {"expected_calibration_error": error, "bins": [filled]}}
    assert summarise(facts(test=test))[1] == told


def test_what_it_takes_for_none_of_the_classes():
    file = {"file": "model.tflite", "refused": "", "agreement": 1.0, "images": 153}
    keras = {**file, "known": None}
    telling = {**file, "known": {"images": 153, "turned_away": 8, "refused": ""}}
    mute = {**file, "known": {"images": 153, "turned_away": 80, "refused": "loses too much"}}
    told = summarise(facts(files=[keras, mute, telling], rejection={"share": 0.1}))
    assert told[2] == (
        "Of 153 pictures that each show one of its classes, it turns 8 (5.2%) away as none of them; it was "
        "set to turn away up to 10.0% on average."
    )
    # A bundle of before this was counted.
    earlier = {**file, "known": {"images": 153, "refused": ""}}
    assert len(summarise(facts(files=[earlier], rejection={"share": 0.1}))) == len(told) - 1


def test_what_it_confuses_most():
    pair = {"shown": "ant", "said": "bee", "pictures": 3, "of": 40}
    assert summarise(facts(confusions=[pair]))[2] == "Most often, it took “ant” for “bee”: 3 of 40 pictures."
    once = {**pair, "pictures": 1}
    assert summarise(facts(confusions=[once]))[2] == "It took no class for the same other one more than once."
    assert summarise(facts())[2] == "It took no test picture for another class."


def test_what_files_lose():
    same = {"file": "model.tflite", "refused": "", "agreement": 1.0, "images": 50}
    other = {**same, "file": "model-int8.tflite", "agreement": 0.98}
    refused = {**other, "refused": "loses"}
    all_same = "All exported files say what the model says, on 50 pictures compared."
    lost = "model-int8.tflite lost more than allowed and is not there."
    assert summarise(facts(files=[same]))[3] == all_same
    assert summarise(facts(files=[same, refused]))[3] == f"{all_same} {lost}"
    assert summarise(facts(files=[same, other]))[3] == (
        "Of the exported files, model-int8.tflite says the same of 98.0% of 50 pictures."
    )
    assert summarise(facts(files=[refused]))[3] == lost
    still = {**refused, "file": "model-int16x8.tflite", "agreement": None, "images": 0}
    told = f"{all_same} {lost} model-int16x8.tflite did not run and is not there."
    assert summarise(facts(files=[same, refused, still]))[3] == told
