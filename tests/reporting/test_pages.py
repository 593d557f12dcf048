"""The pages: whole, closed, self-contained; every figure on them is one of the data."""

import base64
import html
import io
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from tests.reporting.conftest import MARKUP
from tfxfer.evaluation import evaluate
from tfxfer.exports import Artifact
from tfxfer.reporting import add_report
from tfxfer.reporting.pages import REPORT_FILES, card_page, html_page, short_page

SECTIONS = (
    "summary",
    "data",
    "training",
    "metrics",
    "confusion",
    "calibration",
    "mistakes",
    "labels",
    "explanations",
    "files",
    "settings",
)
VOID = {"img", "meta", "link", "br"}
NOTHING = {"samples": [], "small": {}, "explained": []}


class Page(HTMLParser):
    """Collects what a page shows and what it refers to, and holds it to closing what it opens."""

    def __init__(self, text):
        super().__init__()
        self.images, self.references, self.ids, self.data, self.open = [], [], [], [], []
        self.tags, self.labels = set(), []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.add(tag)
        self.ids.append(found.get("id"))
        if tag == "img":
            self.images.append(found)
        if tag == "data":
            self.data.append(float(found["value"]))
        if tag == "svg":
            self.labels.append(found["aria-label"])
        if tag not in VOID:
            self.open.append(tag)
        self.references += [value for name, value in attributes if name in ("src", "href", "action", "data")]

    def handle_startendtag(self, tag, _):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def parsed(page):
    return Page(page)


def numbers(value):
    if isinstance(value, dict):
        return set().union(*map(numbers, value.values()), set())
    if isinstance(value, list):
        return set().union(*map(numbers, value), set())
    return {float(value)} if isinstance(value, int | float) else set()


def test_every_section_is_there(parsed):
    assert [name for name in parsed.ids if name in SECTIONS] == list(SECTIONS)
    anchors = [reference[1:] for reference in parsed.references if reference.startswith("#")]
    assert set(anchors) <= set(parsed.ids)
    assert set(anchors) == set(SECTIONS) - {"summary"}


def test_nothing_is_loaded_and_nothing_runs(parsed, page):
    assert not [name for name in parsed.references if not name.startswith(("#", "data:"))]
    assert not parsed.tags & {"script", "iframe", "object", "embed", "form", "video", "audio"}
    assert not re.search(r"url\(|@import|\bon\w+=|javascript:", page)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page


def test_every_picture_is_in_it_and_is_described(parsed):
    assert len(parsed.images) > 10
    for image in parsed.images:
        assert len(image["alt"]) > 10
        head, encoded = image["src"].split(",", 1)
        assert head == "data:image/jpeg;base64"
        Image.open(io.BytesIO(base64.b64decode(encoded))).load()
    assert len(parsed.labels) == 5
    assert parsed.labels[0].startswith("Loss, epoch by epoch; phase head, training: from ")
    assert parsed.labels[2].startswith("ROC curves; areas below them: ")
    assert parsed.labels[3].startswith("Precision-recall curves; areas below them: ")
    assert parsed.labels[4].startswith("Reliability diagram; said with ")


def test_every_figure_is_one_of_the_data(parsed, facts):
    assert len(parsed.data) > 60
    assert set(parsed.data) <= numbers(facts)
    assert facts["headline"]["value"] in parsed.data


def test_what_an_audit_found_is_shown(page, facts, bundle):
    assert facts["audit"]["counts"]["duplicates"] == 1
    assert '<details open><summary>Exact duplicates: <data value="1">1</data></summary>' in page
    assert "- exact duplicates: 1\n" in (bundle / "report.md").read_text()
    assert "found: exact duplicates (1)" in (bundle / "MODEL_CARD.md").read_text()


def test_doubted_labels_are_shown(page, facts, bundle):
    found = facts["label_errors"]
    assert found["count"] >= len(found["first"]) > 3
    for each in found["first"]:
        assert f"{each['part']}: {each['file']}" in page
    assert f"| {found['first'][0]['file']} |" in (bundle / "report.md").read_text()
    known = {**facts, "label_errors": {**found, "count": 0, "first": []}}
    text = html_page(known, NOTHING)
    assert "labels looks wrong to a linear probe" in text


def test_mistakes_are_shown_once_where_the_surest_are_all(page, facts):
    for each in facts["mistakes"]:
        assert page.count(f"{each['file']}, labelled") >= 1
    assert "Worst mistakes" not in page
    some = {**facts, "worst_mistakes": facts["worst_mistakes"][1:]}
    text = html_page(some, NOTHING)
    assert text.index("Most confident errors") < text.index("Worst mistakes")


def test_names_are_no_markup(page, bundle):
    assert '<b>&"' not in page
    assert html.escape(MARKUP, quote=True).replace("&quot;", "&#34;") in page
    card = (bundle / "MODEL_CARD.md").read_text()
    assert '&lt;b&gt;&amp;"\\|\\*' in card
    assert MARKUP not in card


def test_the_summary_is_the_same_everywhere(page, bundle, facts):
    short, card = ((bundle / name).read_text() for name in ("report.md", "MODEL_CARD.md"))
    plain = [sentence for sentence in facts["summary"] if MARKUP not in sentence]
    assert len(plain) >= 4
    for sentence in plain:
        assert html.escape(sentence) in page
        assert sentence in short
        assert sentence in card


def test_the_model_card_leaves_to_people_what_only_they_know(bundle):
    card = (bundle / "MODEL_CARD.md").read_text()
    for heading in ("Model", "Intended use", "Data", "How good it is", "Limits", "How to load it"):
        assert f"\n## {heading}\n" in card
    assert card.count("⟨") == card.count("⟩") == 7
    assert "Apache-2.0" in card
    assert "It gives every picture a label" in card


def test_markdown_tables_are_whole(bundle):
    for name in ("report.md", "MODEL_CARD.md"):
        text = (bundle / name).read_text()
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            columns = {len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}
            assert len(columns) == 1, block


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_other_tasks_have_pages_too(task, of_task, tmp_path):
    photos, model, _, target, artifacts = of_task[task]
    folder = shutil.copytree(target, tmp_path / "bundle")
    add_report(model, photos, evaluate(model, photos), folder, artifacts)
    assert set(REPORT_FILES) <= {path.name for path in folder.iterdir()}
    found = Page((folder / "report.html").read_text())
    absent = {"confusion", "labels"} if task == "multi_label" else {"confusion", "labels", "calibration"}
    assert {name for name in found.ids if name in SECTIONS} == set(SECTIONS) - absent
    facts = json.loads((folder / "report.json").read_text())
    assert set(found.data) <= numbers(facts)
    text = (folder / "report.html").read_text()
    for each in facts["worst_mistakes"]:
        assert each["file"] in text
    card = (folder / "MODEL_CARD.md").read_text()
    assert "It gives every picture a label" not in card
    first = re.search(r"\| value \| 95 % interval \|\n.*\n\| (.+?) \|", card)[1]
    if task == "multi_label":
        assert first == "Mean average precision"
        assert "<h3>Not every label right</h3>" in text
        assert "surest of first. The percentage is how sure it is of its surest wrong label, or of" in text
    if task == "regression":
        assert first == "R², mean of the numbers"
        for each in facts["test"]["per_number"]:
            low, high = each["intervals"]["mean_absolute_error"].values()
            assert f'<data value="{low!r}">{low:.4g}</data> to <data value="{high!r}">{high:.4g}<' in text
        test = {photos.records[index].path for index in photos.split.test}
        assert {each["file"] for each in facts["worst_mistakes"]} == test
        # Each number has its own map over each picture.
        maps = [image["alt"] for image in found.images if image["alt"].startswith("What in ")]
        assert Counter(alt.split(" speaks for ")[1] for alt in maps) == {
            "red, in colours": 8,
            "blue, in colours": 8,
        }
        assert "standard deviations off" in (folder / "report.md").read_text()


def test_what_is_taken_for_none_of_the_classes_is_told(facts):
    known = {"images": 24, "turned_away": 3, "refused": ""}
    keras, lite = facts["files"]
    mute = {**lite, "file": "model-int8.tflite", "known": {**known, "refused": "is off"}}
    rejection = {"share": 0.1, "score": "vim", "images": 40}
    told = {**facts, "files": [keras, {**lite, "known": known}, mute], "rejection": rejection}
    text = re.sub(r"<data value=[^>]*>(.*?)</data>", r"\1", html_page(told, NOTHING))
    for said in (
        "<p>model.tflite also says whether a picture shows any of the classes at all, by the score “vim” ",
        "set by 40 validation pictures, turns away up to 10.0% of those that do show one, on average.",
        "<p>Of 24 test pictures, each of which shows one of the classes, model.tflite turned 3 away.",
        "<p>model-int8.tflite does not say what shows none of the classes: it is off.</p>",
    ):
        assert said in text
    assert "and up to 10.0% of good pictures with it, on average." in card_page(told)
    assert "any of the classes at all" not in html_page(facts, NOTHING)
    # A bundle of before these were counted.
    earlier = {**lite, "known": {"images": 24, "refused": ""}}
    assert "each of which shows" not in html_page({**told, "files": [earlier]}, NOTHING)


def test_an_error_that_grows_has_a_plus(facts):
    """Of numbers, what changes is their error, with a minus before it; what is none has no sign."""
    (lite,) = (each for each in facts["files"] if each["form"] == "tflite")
    lossy = {**lite, "accuracy_change": -0.0124, "accuracy_change_interval": [-0.02, 0.00004]}
    numbers = html_page({**facts, "task": "regression", "files": [lossy], "worst_mistakes": []}, NOTHING)
    assert "mean error, in standard deviations</th>" in numbers
    assert '<td>+0.012</td><td class="interval">+0.000 to +0.020</td>' in numbers
    labels = html_page({**facts, "files": [lossy]}, NOTHING)
    assert '<td>-1.24</td><td class="interval">-2.00 to +0.00</td>' in labels


def test_a_file_that_is_past_its_bounds_is_told(facts):
    (lite,) = (each for each in facts["files"] if each["form"] == "tflite")
    told = {**facts, "files": [{**lite, "passed": False, "accepted": "loses 3.0 points"}]}
    page = html_page(told, NOTHING)
    assert "model.tflite (past its bounds)" in page
    assert "<p>model.tflite loses 3.0 points.</p>" in page
    assert "model.tflite (past its bounds)" in short_page(told)


def test_a_file_that_does_not_run_is_told(facts):
    told = {"form": "tflite-int8"} | Artifact(
        "tflite-int8", Path("model-int8.tflite"), 0, None, refused="does not run (LiteRT cannot load it)"
    ).to_dict()
    page = html_page({**facts, "files": [*facts["files"], told]}, NOTHING)
    assert '<tr><th scope="row">model-int8.tflite (refused)</th><td>-</td><td>does not run</td>' in page
    assert "<p>model-int8.tflite does not run (LiteRT cannot load it).</p>" in page
    row = "| model-int8.tflite (refused) | - | does not run | - | - |"
    assert row in short_page({**facts, "files": [told]})


def test_what_is_not_there_is_said(facts):
    bare = {**facts, "training": None, "calibration": None, "confusions": [], "files": []}
    bare |= {"mistakes": [], "worst_mistakes": [], "explanations": []}
    bare["audit"] = {"pictures": 3, "counts": {}, "samples": {}}
    bare["label_errors"] = {"reason": "nobody looked", "pictures": 0, "count": 0, "first": []}
    bare["data"] = {**facts["data"], "left_out": [{"path": "a.png", "reason": "is no picture"}]}
    text = html_page(bare, NOTHING)
    Page(text)
    for said in (
        "Nothing is known of how it was trained.",
        "There is none on the test pictures.",
        "No test picture was taken for another class.",
        "Left out: this backbone gives a vector",
        "<li>a.png is no picture</li>",
        "pictures found nothing: no duplicates,",
        "<p>Not here: nobody looked.</p>",
    ):
        assert said in text
    assert "Probabilities were not calibrated." in card_page(bare)
    assert "## Confusions" not in short_page(bare)
