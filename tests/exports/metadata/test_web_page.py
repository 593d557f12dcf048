"""The web page of the examples, in headless Chromium: it says what Python says, and looks sound."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from tests import browser
from tests.conftest import REPOSITORY, draw
from tests.exports.metadata.conftest import SIZE, converted, small_model
from tfxfer.data import read_image
from tfxfer.exports import LiteRTModel, describe, export, load, read_metadata, with_metadata

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here: apt-get install chromium")

PAGE = REPOSITORY / "examples" / "web"
OFFLINE = re.compile("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT")
GOLDEN = r"On the pictures that came with it, scores are off by (\S+) at most\."
TURNED = {0x0112: 6}
"""EXIF: what is at the left of the file belongs at the top."""
TALL = {"tall & odd.png", "turned.jpg"}
"""Of these Pillow 13 takes the columns first, and the page and older ones rows: values differ by 1."""

CLASSIFY = """
  const shown = id => page.getElementById(id), text = each => each.textContent.trim();
  await until(() => !text(shown("state")).startsWith("Loading"));
  const chosen = new DataTransfer();
  for (const name of NAMES) {
    chosen.items.add(new File([await (await fetch(`/pictures/${encodeURIComponent(name)}`)).blob()], name));
  }
  if (DROP) {
    shown("drop").dispatchEvent(new DragEvent("drop", {dataTransfer: chosen, cancelable: true}));
  } else {
    shown("files").files = chosen.files;
    shown("files").dispatchEvent(new Event("change"));
  }
  const articles = () => [...page.querySelectorAll('article[aria-busy="false"]')];
  await until(() => shown("files").disabled || articles().length === chosen.files.length);
  await until(() => [...page.images].every(each => each.complete));
  return {
    state: text(shown("state")),
    disabled: shown("files").disabled,
    answers: articles().map(each => ({
      file: text(each.querySelector("p")),
      said: text(each.querySelector("h2, p + p")),
      rows: [...each.querySelectorAll("tr")]
        .map(row => [text(row.querySelector("th")), text(row.querySelector("td"))]),
    })),
    ...look(page),
  };
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The folder of npm packages that the page asks for, or a skip where they cannot be had."""
    if ready := os.environ.get("TFXFER_NODE_MODULES"):
        return ready
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here; TFXFER_NODE_MODULES names a folder that has @litertjs/core.")
    folder = tmp_path_factory.mktemp("packages")
    shutil.copy(PAGE / "package.json", folder)
    told = subprocess.run(
        [npm, "install", "--no-audit"], cwd=folder, capture_output=True, text=True, check=False
    )
    if told.returncode and OFFLINE.search(told.stderr):
        pytest.skip(f"npm reaches no registry: {told.stderr}")
    assert told.returncode == 0, told.stderr
    return folder / "node_modules"


@pytest.fixture
def ask(packages, tmp_path):
    """A function that returns what the page says of a model, and of pictures chosen for it, or dropped."""
    site = tmp_path / "site"
    page = site / "examples" / "web"
    shutil.copytree(PAGE, page, ignore=shutil.ignore_patterns("node_modules"))
    (page / "node_modules").symlink_to(packages)
    (site / "pictures").mkdir()

    def answer(model, pictures=(), *, drop=False, width=1280, dark=False):
        if model is not None:
            shutil.copy(model, site / "model.tflite")
        for picture in pictures:
            shutil.copy(picture, site / "pictures")
        names = json.dumps([picture.name for picture in pictures])
        script = CLASSIFY.replace("NAMES", names).replace("DROP", json.dumps(drop))
        address = "/examples/web/?model=/model.tflite"
        return browser.drive(site, address, script, tmp_path, width=width, dark=dark)

    return answer


@pytest.fixture(scope="module")
def ten(tmp_path_factory):
    """Ten drawn pictures of several sizes, modes and formats."""
    folder = tmp_path_factory.mktemp("ten")
    see_through = draw("red", 3, size=60)
    see_through.putalpha(Image.linear_gradient("L").resize((60, 60)))
    wide, turned = draw("green", 1, size=300).resize((500, 300)), Image.Exif()
    turned.update(TURNED)
    draw("blue", 0).save(folder / "blue.png")
    wide.save(folder / "wide.png")
    draw("green", 2, size=90).crop((0, 0, 47, 90)).save(folder / "tall & odd.png")
    see_through.save(folder / "see-through.png")
    draw("blue", 4).convert("L").save(folder / "grau für alle.png")
    draw("red", 5, size=64).save(folder / "few-colours.gif")
    draw("blue", 6, size=80).save(folder / "lossless.webp", lossless=True)
    draw("red", 7, size=20).save(folder / "small.bmp")
    wide.save(folder / "photograph.jpg", quality=95)
    wide.crop((0, 0, 400, 210)).save(folder / "turned.jpg", quality=95, exif=turned)
    return sorted(folder.iterdir())


def percents(found, labels):
    """What is shown of each picture, in the order of the labels."""
    cells = [dict(answer["rows"]) for answer in found["answers"]]
    return np.array([[float(row[label].removesuffix(" %")) for label in labels] for row in cells])


def test_ten_pictures_have_the_labels_that_python_gives(bundle, ten, ask):
    folder, _ = bundle
    predictor, found = load(folder), ask(folder / "model.tflite", ten)
    said = predictor.predict(ten)
    assert [answer["file"] for answer in found["answers"]] == [picture.name for picture in ten]
    assert [answer["said"] for answer in found["answers"]] == [each.label for each in said]
    assert len(ten) == 10
    assert len({each.label for each in said}) == 3
    off = np.abs(percents(found, predictor.classes) - 100 * predictor.scores(ten)).max(axis=1)
    assert off.max() < 4
    assert off[[picture.name == "photograph.jpg" for picture in ten]] < 0.2  # decoders of JPEG differ by 1
    exact = [picture.suffix != ".jpg" and picture.name not in TALL for picture in ten]
    assert off[exact].max() < 0.051  # what one decimal leaves out
    assert float(re.fullmatch(f"micro tells blue, green, red. {GOLDEN}", found["state"])[1]) < 1e-5
    assert found["broken"] == 0
    assert all(name.startswith("http://127.0.0.1:") for name in found["loaded"])


@pytest.mark.slow
def test_ten_photographs_have_the_labels_that_python_gives(photographs, ask, tmp_path):
    model, photos, _, _ = photographs
    export(model, tmp_path / "bundle", photos, formats=("tflite",))
    predictor = load(tmp_path / "bundle")
    chosen = photos.split["test"][::15][:10]
    files = [content for _, content in photos.contents(chosen)]
    found, said = ask(tmp_path / "bundle" / "model.tflite", files), predictor.predict(files)
    assert len(files) == 10
    assert [answer["said"] for answer in found["answers"]] == [each.label for each in said]
    assert {each.label for each in said} == {"ants", "bees"}
    np.testing.assert_allclose(percents(found, predictor.classes), 100 * predictor.scores(files), atol=5)


@pytest.mark.slow
def test_int8_takes_whole_numbers_and_may_stretch(quantized, facts, ten, ask, tmp_path):
    path = tmp_path / "int8.tflite"
    path.write_bytes(quantized)
    describe(path, replace(facts, resize="stretch"))
    found, model = ask(path, ten), LiteRTModel(path)
    height, width = SIZE
    images = [read_image(each, height=height, width=width, resize="stretch") for each in ten]
    np.testing.assert_allclose(percents(found, facts.labels), 100 * model.all_scores(images), atol=1)
    assert float(re.search(GOLDEN, found["state"])[1]) < 0.005


@pytest.mark.slow
def test_several_labels_and_numbers_are_said_as_python_says_them(of_task, ten, ask):
    for task, words in (("multi_label", "labels"), ("regression", "numbers")):
        folder = of_task[task][3]
        found = ask(folder / "model.tflite", ten[:4])
        for answer, said in zip(found["answers"], load(folder).predict(ten[:4]), strict=True):
            told = getattr(said, words)
            if task == "multi_label":
                assert answer["said"] == (", ".join(told) or "no label")
            else:
                shown = {name: float(number) for name, number in answer["rows"]}
                assert shown == pytest.approx(told, rel=1e-3)
                assert answer["said"] == ", ".join(f"{name} {number}" for name, number in answer["rows"])


@pytest.mark.slow
def test_what_shows_none_of_the_classes_is_told(facts, ten, ask, tmp_path):
    model = small_model()
    scores = model.outputs[0]
    doubtful = keras.Model(model.inputs[0], {"scores": scores, "known": keras.ops.max(scores, axis=-1) - 2})
    path = tmp_path / "known.tflite"
    path.write_bytes(converted(doubtful, tmp_path / "saved"))
    describe(path, replace(facts, reject_threshold=0.0))
    assert LiteRTModel(path).outputs(np.zeros((*SIZE, 3), np.uint8)).known < 0
    answers = ask(path, ten[:2])["answers"]
    assert all(re.fullmatch(r".+ \(none of these, it seems\)", each["said"]) for each in answers)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_dropped_pictures_fit_light_and_dark(bundle, ten, ask, tmp_path, width, dark):
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(ten[0].read_bytes()[:60])
    found = ask(bundle[0] / "model.tflite", [*ten[:2], damaged], drop=True, width=width, dark=dark)
    assert found["answers"][2]["said"].startswith("This browser cannot read it: ")
    assert found["images"] == 2
    assert found["overflow"] <= 0
    assert found["faint"] == []
    assert found["ground"] == ("rgb(18, 18, 18)" if dark else "rgb(255, 255, 255)")


@pytest.mark.slow
def test_a_model_that_computes_otherwise_here_shows(bundle, ask, tmp_path):
    written = bundle[0] / "model.tflite"
    said = read_metadata(written)
    first, *others = said.golden
    changed = replace(first, scores=(first.scores[0] + 0.28, *first.scores[1:]))
    spoilt = tmp_path / "spoilt.tflite"
    spoilt.write_bytes(with_metadata(written.read_bytes(), said.facts, [changed, *others]))
    assert re.search(GOLDEN, ask(spoilt)["state"])[1] == "0.3"


@pytest.mark.slow
def test_what_is_missing_is_told(plain, ask, tmp_path):
    assert ask(None)["state"] == (
        "/model.tflite does not run here: the server has none (404); ?model=… names another."
    )
    mute = tmp_path / "mute.tflite"
    mute.write_bytes(plain)
    assert ask(mute)["state"] == (
        "/model.tflite does not run here: it is no .tflite file that tfxfer exported."
    )
    (tmp_path / "site" / "examples" / "web" / "node_modules").unlink()
    found = ask(mute)
    assert found["state"] == "LiteRT.js is not here: npm install brings it."
    assert found["disabled"]
