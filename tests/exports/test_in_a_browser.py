"""The web page of the examples, in headless Chromium: it says what Python says, and looks sound."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from tests import browser
from tests.conftest import REPOSITORY, draw
from tfxfer.data import from_folder
from tfxfer.exports import export, load, read_metadata, with_metadata
from tfxfer.models import build
from tfxfer.training import Phase, fit

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here: apt-get install chromium")

PAGE = REPOSITORY / "examples" / "web"
OFFLINE = re.compile("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT")
ROTATED = 6  # EXIF: the top of the picture is its right side
CLASSIFY = """
  const shown = id => page.getElementById(id);
  await until(() => !shown("state").textContent.startsWith("Loading"));
  const chosen = new DataTransfer();
  for (const name of %s) {
    chosen.items.add(new File([await (await fetch(`/pictures/${encodeURIComponent(name)}`)).blob()], name));
  }
  if (!shown("files").disabled && %s) {
    shown("files").files = chosen.files;
    shown("files").dispatchEvent(new Event("change"));
  } else {
    shown("drop").dispatchEvent(new DragEvent("drop", {dataTransfer: chosen, cancelable: true}));
  }
  const articles = () => [...page.querySelectorAll('article[aria-busy="false"]')];
  await until(() => shown("files").disabled || articles().length === chosen.files.length);
  await until(() => [...page.images].every(each => each.complete));
  const text = each => each.textContent.trim();
  return {
    state: text(shown("state")),
    disabled: shown("files").disabled,
    answers: articles().map(each => ({
      file: text(each.querySelector("p")),
      said: each.querySelector("h2")?.textContent ?? text(each.querySelector("p:last-child")),
      scores: Object.fromEntries([...each.querySelectorAll("tr")]
        .map(row => [text(row.querySelector("th")), text(row.querySelector("td"))])),
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
        pytest.skip("no npm here, and TFXFER_NODE_MODULES names no folder with @litertjs/core in it.")
    folder = tmp_path_factory.mktemp("packages")
    shutil.copy(PAGE / "package.json", folder)
    told = subprocess.run(
        [npm, "install", "--no-audit"], cwd=folder, capture_output=True, text=True, check=False
    )
    if told.returncode and OFFLINE.search(told.stderr):
        pytest.skip(f"npm reaches no registry: {told.stderr}")
    assert told.returncode == 0, told.stderr
    return folder / "node_modules"


@pytest.fixture(scope="module")
def site(packages, tmp_path_factory):
    """A folder to serve, with the page and what it needs."""
    folder = tmp_path_factory.mktemp("site")
    page = folder / "examples" / "web"
    shutil.copytree(PAGE, page, ignore=shutil.ignore_patterns("node_modules"))
    (page / "node_modules").symlink_to(packages)
    return folder


def ask(site, pictures, scratch, *, model="/model.tflite", choose=True, width=1280, dark=False):
    """What the page says of a model, and of pictures that are chosen, or dropped on it."""
    served = site / "pictures"
    shutil.rmtree(served, ignore_errors=True)
    served.mkdir()
    for picture in pictures:
        shutil.copy(picture, served)
    names = json.dumps([picture.name for picture in pictures])
    return browser.drive(
        site,
        f"/examples/web/?model={model}",
        CLASSIFY % (names, json.dumps(choose)),
        scratch,
        width=width,
        dark=dark,
    )


def check_answers(found, predictor, pictures, *, within):
    said = predictor.predict(pictures)
    assert [answer["file"] for answer in found["answers"]] == [picture.name for picture in pictures]
    assert [answer["said"] for answer in found["answers"]] == [each.label for each in said]
    shown = [[answer["scores"][label] for label in predictor.classes] for answer in found["answers"]]
    percents = np.array([[float(cell.removesuffix(" %")) for cell in row] for row in shown])
    expected = 100 * np.array([[each.scores[label] for label in predictor.classes] for each in said])
    np.testing.assert_allclose(percents, expected, atol=within)
    assert len({each.label for each in said}) > 1


@pytest.fixture(scope="module")
def ten(tmp_path_factory):
    """Ten generated pictures of many shapes, modes and formats, and one file that is none."""
    folder = tmp_path_factory.mktemp("ten")
    turned = Image.Exif()
    turned[0x0112] = ROTATED
    see_through = draw("red", 3, size=60)
    see_through.putalpha(Image.linear_gradient("L").resize((60, 60)))
    wide = draw("green", 1, size=300).resize((500, 300))
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


@pytest.fixture(scope="module")
def colours(bundle, site):
    """The bundle of the room, its model served."""
    folder, _ = bundle
    shutil.copy(folder / "model.tflite", site)
    return load(folder)


def test_ten_pictures_have_the_labels_that_python_gives(colours, ten, site, tmp_path):
    found = ask(site, ten, tmp_path)
    assert len(ten) == 10
    check_answers(found, colours, ten, within=0.1)
    assert re.fullmatch(
        r"micro tells blue, green, red\. Scores of the golden pictures in it are \S+ off at most\.",
        found["state"],
    )
    assert found["broken"] == 0
    assert found["images"] == 10
    assert all(name.startswith("http://127.0.0.1:") for name in found["loaded"])


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_dropped_pictures_fit_light_and_dark(colours, ten, site, tmp_path, width, dark):
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(ten[0].read_bytes()[:60])
    found = ask(site, [*ten[:2], damaged], tmp_path, choose=False, width=width, dark=dark)
    assert found["answers"][2]["said"].startswith("This browser cannot read it: ")
    assert found["overflow"] <= 0
    assert found["faint"] == []
    assert found["ground"] == ("rgb(18, 18, 18)" if dark else "rgb(255, 255, 255)")
    assert found["title"] == "What do pictures show?"
