"""The pages: whole, closed, self-contained; every figure on them is one of the data."""

import base64
import html
import io
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser

import pytest
from PIL import Image

from tests.reporting.conftest import MARKUP
from tfxfer.evaluation import evaluate
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
    assert parsed.labels[3].startswith("precision-recall curves; areas below them: ")
    assert parsed.labels[4].startswith("Reliability diagram; said with ")


def test_every_figure_is_one_of_the_data(parsed, facts):
    assert len(parsed.data) > 60
    assert set(parsed.data) <= numbers(facts)
    assert facts["headline"]["value"] in parsed.data


def test_what_an_audit_found_is_shown(page, facts, bundle):
    assert facts["audit"]["counts"]["duplicates"] == 1
    assert '<details open><summary>Exact duplicates: <data value="1">1</data></summary>' in page
    assert "- exact duplicates: 1\n" in (bundle / "report.md").read_text()
    assert "1 exact duplicates" in (bundle / "MODEL_CARD.md").read_text()


def test_doubted_labels_are_shown(page, facts, bundle):
    found = facts["label_errors"]
    assert found["count"] >= len(found["first"]) > 3
    for each in found["first"]:
        assert f"{each['part']}: {each['file']}" in page
    assert f"| {found['first'][0]['file']} |" in (bundle / "report.md").read_text()
    known = {**facts, "label_errors": {**found, "count": 0, "first": []}}
    text = html_page(known, {"samples": [], "small": {}, "explained": []})
    assert "labels looks wrong to a linear probe" in text


def test_mistakes_are_shown_once_where_the_surest_are_all(page, facts):
    for each in facts["mistakes"]:
        assert page.count(f"{each['file']}, labelled") >= 1
    assert "Worst mistakes" not in page
    some = {**facts, "worst_mistakes": facts["worst_mistakes"][1:]}
    text = html_page(some, {"samples": [], "small": {}, "explained": []})
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
    if task == "regression":
        test = {photos.records[index].path for index in photos.split.test}
        assert {each["file"] for each in facts["worst_mistakes"]} == test
        # Each number has its own map over each picture.
        maps = [image["alt"] for image in found.images if image["alt"].startswith("What in ")]
        assert Counter(alt.split(" speaks for ")[1] for alt in maps) == {
            "red, in colours": 8,
            "blue, in colours": 8,
        }
        assert "standard deviations off" in (folder / "report.md").read_text()


def test_what_is_not_there_is_said(facts):
    bare = {**facts, "training": None, "calibration": None, "confusions": [], "files": []}
    bare |= {"mistakes": [], "worst_mistakes": [], "explanations": []}
    bare["audit"] = {"pictures": 3, "counts": {}, "samples": {}}
    bare["label_errors"] = {"reason": "nobody looked", "pictures": 0, "count": 0, "first": []}
    bare["data"] = {**facts["data"], "left_out": [{"path": "a.png", "reason": "is no picture"}]}
    text = html_page(bare, {"samples": [], "small": {}, "explained": []})
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
