"""Charts: points where they belong, colours that can be read on."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tfxfer.contracts import Predictions
from tfxfer.evaluation import judge
from tfxfer.reporting.charts import (
    LARGEST_TABLE,
    confusion_chart,
    curve_charts,
    reliability_chart,
    training_charts,
)


def phase(name, *, best=1, **history):
    return {"name": name, "best_epoch": best, "history": history}


def test_losses_of_all_phases_lie_side_by_side():
    training = {
        "kept": "top",
        "phases": [
            phase("head", loss=[2.0, 1.0], val_loss=[1.0, None], val_accuracy=[0.5, 0.6]),
            phase("top", best=2, loss=[1.0, 0.0], val_loss=[1.0, 0.5], val_accuracy=[0.6, 0.8]),
        ],
    }
    losses, accuracy = training_charts(training)
    assert (losses["title"], accuracy["title"]) == ("Loss", "Accuracy on validation")
    first, second, third, fourth = (line["points"] for line in losses["lines"])
    assert len(third) == 1  # what was no number is left out
    step = first[1][0] - first[0][0]
    assert second[0][0] == pytest.approx(first[0][0] + 2 * step)
    # 2 is at the top, 0 at the floor, and 1 between.
    assert first[0][1] == losses["top"]
    assert second[1][1] == losses["floor"]
    assert first[1][1] == pytest.approx((losses["top"] + losses["floor"]) / 2)
    assert losses["dots"] == [fourth[1]]
    assert [each["name"] for each in losses["phases"]] == ["head", "top"]
    assert [each["text"] for each in losses["columns"]] == ["1", "2", "3", "4"]
    assert losses["alt"] == (
        "Loss, epoch by epoch; phase head, training: from 2 to 1; phase head, validation: from 1 to 1; "
        "phase top, training: from 1 to 0; phase top, validation: from 1 to 0.5."
    )
    assert training_charts(None) == []


def test_a_probe_that_the_guard_keeps_has_no_training_loss():
    training = {
        "kept": "probe",
        "phases": [phase("head", loss=[2.0], val_loss=[1.0]), phase("probe", val_loss=[0.5])],
    }
    (losses,) = training_charts(training)
    assert [len(line["points"]) for line in losses["lines"]] == [1, 0, 1, 1]
    assert losses["dots"] == losses["lines"][3]["points"]
    assert losses["alt"].endswith("phase probe, validation: from 0.5 to 0.5.")


def test_a_reliability_diagram_has_a_bar_for_each_bin_that_is_filled():
    bins = [
        {"low": 0.0, "high": 0.5, "count": 0, "confidence": None, "accuracy": None},
        {"low": 0.5, "high": 1.0, "count": 20, "confidence": 0.8, "accuracy": 0.5},
    ]
    chart = reliability_chart({"bins": bins})
    (bar,) = chart["bars"]
    plot = chart["floor"] - chart["top"]
    assert bar["height"] == plot / 2
    assert bar["mark"] == pytest.approx(chart["top"] + 0.2 * plot)
    assert not bar["few"]
    assert chart["alt"] == "Reliability diagram; said with 80.0%: right 50.0% of 20."
    bins[1]["count"] = 9
    assert reliability_chart({"bins": bins})["bars"][0]["few"]
    assert reliability_chart(None) is None


def test_curves_are_those_of_the_classes_that_are_told_worst():
    """By probability of an ant: an ant, a bee, an ant, a bee."""
    scores = np.float32([[0.875, 0.125], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])
    test = judge(Predictions(("ant", "bee"), tuple("abcd"), scores, np.array([0, 1, 0, 1]))).to_dict()
    roc, precision = curve_charts(test)
    left, right, top, floor = (roc[name] for name in ("left", "right", "top", "floor"))
    ant, _ = roc["lines"]
    assert ant["points"] == [
        (left, floor),
        (left, (top + floor) / 2),
        ((left + right) / 2, (top + floor) / 2),
        ((left + right) / 2, top),
        (right, top),
    ]
    assert roc["axes"] == ["false positive rate", "true positive rate"]
    assert roc["alt"] == "ROC curves; areas below them: ant 0.750, bee 0.750."
    assert precision["lines"][0]["points"][:2] == [(left, top), ((left + right) / 2, top)]
    assert precision["alt"].startswith("Precision-recall curves; areas below them: ant 0.833, bee 0.833")
    assert curve_charts({}) == []


def test_the_worst_ten_are_drawn_the_worst_first():
    truth = np.arange(120) % 12
    sure = np.linspace(0, 1, 12)[truth]
    scores = np.random.default_rng(0).random((120, 12)) + np.eye(12)[truth] * sure[:, None]
    names = tuple("abcdefghijkl")
    said = Predictions(names, tuple(map(str, truth)), (scores / scores.sum(1)[:, None]).astype("f4"), truth)
    report = judge(said)
    worst = sorted(report.per_class, key=lambda each: each.average_precision)[:10]
    for chart, area in zip(curve_charts(report.to_dict()), ("roc_auc", "average_precision"), strict=True):
        assert [line["name"] for line in chart["lines"]] == [each.name for each in worst]
        assert [line["area"] for line in chart["lines"]] == [getattr(each, area) for each in worst]


def test_a_confusion_matrix_is_a_table_whose_cells_can_be_read():
    counts = np.random.default_rng(0).integers(0, 50, (25, 25))
    names = [f"class {index}" for index in range(25)]
    rows = confusion_chart({"confusion": counts.tolist()}, names)["rows"]
    assert [row["name"] for row in rows] == names
    assert [[cell["count"] for cell in row["cells"]] for row in rows] == counts.tolist()
    for row in rows:
        for cell in row["cells"]:
            lighter, darker = sorted((luminance(cell["ground"]), luminance(cell["ink"])), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5
    assert confusion_chart({}, names) is None


def luminance(colour):
    """WCAG 2's, of #rgb or #rrggbb."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    values = np.array([int(digits[at : at + 2], 16) for at in (0, 2, 4)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_a_large_confusion_matrix_is_a_picture():
    count = LARGEST_TABLE + 5
    counts = np.eye(count, dtype=int) * 9
    counts[0, 1] = 1
    chart = confusion_chart({"confusion": counts.tolist()}, [str(index) for index in range(count)])
    picture = Image.open(io.BytesIO(base64.b64decode(chart["data"].split(",")[1])))
    assert picture.size == (chart["side"], chart["side"]) == (600, 600)
    cells = np.asarray(picture)[10::20, 10::20]
    assert (cells[counts == 0] == 255).all()
    assert cells[5, 5].tolist() == [68, 1, 84]  # viridis's dark end: all of the row
    assert cells[0, 1].sum() > cells[0, 0].sum()
