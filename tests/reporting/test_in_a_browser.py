"""The page in headless Chromium: it loads nothing, says nothing, shows everything, and fits."""

import json
import shutil
from itertools import product

import numpy as np
import pytest
from PIL import Image

from tests import browser
from tests.reporting.conftest import MARKUP
from tfxfer.contracts import Predictions
from tfxfer.data import AUDIT_TITLES, data_uri
from tfxfer.evaluation import confident_errors, evaluate, judge, worst_mistakes
from tfxfer.reporting import add_report
from tfxfer.reporting.facts import _confusions
from tfxfer.reporting.pages import html_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
]
"""Widths of a phone and of a desk, light and dark."""
WAYS = list(product((390, 1280), (False, True)))


def check(found, *, dark):
    assert found["console"] == []
    assert found["loaded"] == []
    assert found["broken"] == 0
    assert found["overflow"] <= 0
    assert found["faint"] == []
    assert found["ground"] == ("rgb(22, 22, 24)" if dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize(("width", "dark"), WAYS)
def test_the_page_is_sound(bundle, tmp_path, width, dark):
    found = browser.look_at(bundle / "report.html", tmp_path, width=width, dark=dark)
    check(found, dark=dark)
    assert found["title"] == "Report: micro on 3 classes"
    assert found["images"] > 10


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_pages_of_other_tasks_are_sound(task, of_task, tmp_path):
    photos, model, _, target, artifacts = of_task[task]
    folder = shutil.copytree(target, tmp_path / "bundle")
    add_report(model, photos, evaluate(model, photos), folder, artifacts)
    check(browser.look_at(folder / "report.html", tmp_path, width=390, dark=True), dark=True)


def test_what_is_wrong_would_be_seen(bundle, tmp_path):
    text = (bundle / "report.html").read_text()
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(
        text.replace(
            "</main>",
            '<img src="https://example.invalid/a.png" alt=""><p style="width:2000px;color:#bbb">x</p></main>',
        )
    )
    found = browser.look_at(spoilt, tmp_path, width=390)
    assert "Content Security Policy" in found["console"][0]
    assert found["broken"] == 1
    assert found["overflow"] > 100
    assert found["faint"][0][:2] == ["P", "x"]


@pytest.fixture(scope="module")
def large(facts):
    """The page of 10,000 pictures of 100 classes, with as many thumbnails as there may be, of noise."""
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 100, 10_000)
    logits = generator.normal(size=(10_000, 100)) + 4 * np.eye(100)[truth]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = tuple(f"{MARKUP} class with a long name {index}" for index in range(100))
    files = tuple(f"a/long/folder/of/pictures/{index:05}.jpg" for index in range(10_000))
    said = Predictions(names, files, scores.astype(np.float32), truth)
    test = judge(said).to_dict()
    little, noise = (
        [
            data_uri(Image.fromarray(generator.integers(0, 256, (side, side, 3)).astype(np.uint8)))
            for _ in range(24)
        ]
        for side in (128, 224)
    )
    doubted = {"part": "test", "given": names[0], "likely": names[1]}
    doubted |= {"given_probability": 0.1, "likely_probability": 0.9}
    alike = {"of": 9, "files": [{"file": file, "note": f"{names[3]}, test"} for file in files[:4]]}
    filled = {
        **facts,
        "classes": list(names),
        "test": test,
        "mistakes": [each.to_dict() for each in confident_errors(said, most=24)],
        "worst_mistakes": [each.to_dict() for each in worst_mistakes(said, most=24)],
        "confusions": _confusions(test, names),
        "data": {
            **facts["data"],
            "classes": [{"name": name, "train": 700, "validation": 150, "test": 100} for name in names],
        },
        "audit": {
            "pictures": 95_000,
            "counts": dict.fromkeys(AUDIT_TITLES, 12),
            "samples": dict.fromkeys(AUDIT_TITLES, [alike] * 6),
        },
        "label_errors": {
            "reason": None,
            "pictures": 95_000,
            "count": 800,
            "first": [{**doubted, "file": file} for file in files[:24]],
        },
    }
    one = {"label": names[0], "score": 0.5, "shown": names[1]}
    pictures = {
        "samples": [{"file": file, "label": names[0]} for file in files[:12]],
        "small": {file: little[index % 24] for index, file in enumerate(files)},
        "explained": [
            {
                "file": files[0],
                "right": right,
                "shown": names[1],
                "seen": each,
                "maps": [{**one, "data": each}],
            }
            for right in (True, False)
            for each in noise[:4]
        ],
    }
    return filled, html_page(filled, pictures)


@pytest.mark.parametrize(("width", "dark"), WAYS)
def test_a_hundred_classes_fit(large, tmp_path, width, dark):
    facts, text = large
    assert len(text) < 15_000_000
    assert len(json.dumps(facts)) < 15_000_000
    page = tmp_path / "large.html"
    page.write_text(text)
    check(browser.look_at(page, tmp_path, width=width, dark=dark), dark=dark)
