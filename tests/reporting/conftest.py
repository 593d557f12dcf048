"""One small run and its bundle for the room, with a class whose name would be markup, and a group column."""

import json
import shutil

import pytest

import tfxfer
from tests.conftest import COLOURS, draw

MARKUP = '<b>&"|*'
QUICK = {"backbone": "micro", "image_size": 32, "head_epochs": 3, "top_epochs": 1, "progress": False}


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """Forty pictures a colour, every fifth called another one, of thirty groups; one is twice in its own."""
    folder = tmp_path_factory.mktemp("reporting") / "pictures"
    folder.mkdir()
    names = [*COLOURS]
    rows = ["path,label,group"]
    for at, colour in enumerate(names):
        for index in range(40):
            draw(colour, index).save(folder / f"{colour}{index}.png")
            label = names[(at + (index % 5 == 0)) % 3]
            quoted = '"<b>&""|*"' if label == "red" else label
            rows.append(f"{colour}{index}.png,{quoted},site {index % 30}")
    shutil.copy(folder / "blue31.png", folder / "blue1.png")
    file = folder / "pictures.csv"
    file.write_text("\n".join(rows))
    return file


@pytest.fixture(scope="session")
def run(table, tmp_path_factory):
    """What ``transfer`` made of it."""
    target = tmp_path_factory.mktemp("reported") / "model"
    formats = ("keras", "tflite")
    return tfxfer.transfer(
        table, to=target, columns={"group": "group"}, formats=formats, label_errors=True, **QUICK
    )


@pytest.fixture(scope="session")
def bundle(run):
    return run.files[0].path.parent


@pytest.fixture(scope="session")
def facts(bundle):
    return json.loads((bundle / "report.json").read_text())


@pytest.fixture(scope="session")
def page(bundle):
    return (bundle / "report.html").read_text()
