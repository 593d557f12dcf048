"""predict: pictures from wherever they are, what they show in three forms, what is left out told."""

import csv
import io
import json
import re
import subprocess
import sys

import pytest

from tests.conftest import draw, write_pictures
from tfxfer.cli.main import main
from tfxfer.data import from_folder
from tfxfer.evaluation import fit_rejection
from tfxfer.exports import export, load
from tfxfer.models import build

PREDICTION = {"file", "label", "probability", "scores", "known"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A model that knows what it does not know; trained or not is all the same here."""
    home = tmp_path_factory.mktemp("predicting")
    photos = from_folder(write_pictures(home / "pictures", count=45, colours=("blue", "red"))).folds(3)[0]
    model = build(photos, backbone="micro", image_size=32)
    rejection = fit_rejection(model, photos, share=0.2)
    export(model, home / "bundle", photos, rejection=rejection, formats=("tflite",))
    return home / "bundle"


def run(capfd, *arguments, expected=0):
    with pytest.raises(SystemExit) as left:
        main(["predict", *map(str, arguments)])
    captured = capfd.readouterr()
    assert left.value.code == expected, captured.err
    return captured


def files_of(predictions):
    return [each["file"] for each in predictions]


def test_a_line_a_picture(capfd, bundle, shared_pictures):
    image = shared_pictures / "red" / "00.png"
    captured = run(capfd, bundle, image, image)
    line = rf"{re.escape(str(image))}  (blue|red)  \d+\.\d%(  \(none of these, it seems\))?\n"
    assert re.fullmatch(rf"({line}){{2}}", captured.out)
    assert captured.err == ""


def test_one_json_document(capfd, bundle, shared_pictures):
    images = [str(file) for file in sorted((shared_pictures / "red").iterdir())]
    captured = run(capfd, bundle, *images, "--json")
    predictions = json.loads(captured.out)
    assert predictions == [each.to_dict() for each in load(bundle).predict(images)]
    assert set(predictions[0]) == PREDICTION
    assert {type(each["known"]) for each in predictions} == {bool}
    assert captured.err == ""


def test_folders_patterns_and_lists(capfd, bundle, shared_pictures, tmp_path):
    one = str(shared_pictures / "green" / "07.png")
    reds = [str(file) for file in sorted((shared_pictures / "red").iterdir())]
    (tmp_path / "list.txt").write_text(f"{one}\n\n{shared_pictures / 'red'}\r\n")
    options = ("--files-from", tmp_path / "list.txt", "--json")
    predictions = json.loads(run(capfd, bundle, shared_pictures / "*" / "0?.png", one, *options).out)
    starting = [str(file) for file in sorted(shared_pictures.rglob("0?.png"))]
    assert len(starting) == 30
    assert files_of(predictions) == [*starting, one, one, *reds]
    assert predictions[30:32] == [predictions[17]] * 2


@pytest.mark.parametrize("listed", [False, True], ids=["picture", "list"])
def test_standard_input(capfd, bundle, shared_pictures, monkeypatch, listed):
    image = shared_pictures / "red" / "00.png"
    given = f"{image}\n".encode() if listed else image.read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    arguments = ("--files-from", "-") if listed else ("-",)
    (prediction,) = json.loads(run(capfd, bundle, *arguments, "--json").out)
    (expected,) = load(bundle).predict(image)
    assert prediction == expected.to_dict() | {"file": str(image) if listed else "-"}


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(capfd, bundle, shared_pictures, tmp_path):
    good = shared_pictures / "red" / "00.png"
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.png").write_text("no picture")
    bad = (tmp_path / "no.png", "", tmp_path / "empty")
    captured = run(capfd, bundle, good, *bad, good, "--json", expected=1)
    assert files_of(json.loads(captured.out)) == [str(good)] * 2
    assert sorted(captured.err.splitlines()) == [
        "tfxfer: '' names no picture; give a file, a folder or a pattern.",
        f"tfxfer: {tmp_path / 'empty'} holds no JPEG, PNG, GIF, BMP, WebP or DICOM files, however deep.",
        f"tfxfer: {tmp_path / 'no.png'} is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its "
        "name says.",
    ]


def test_nothing_good_is_an_empty_document(capfd, bundle, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    captured = run(capfd, bundle, "-", "--json", expected=1)
    assert (json.loads(captured.out), captured.err) == ([], "tfxfer: - is empty.\n")
    assert run(capfd, bundle, "nowhere.png", "--csv", expected=1).out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Error: Missing argument 'IMAGE...', or --files-from.\n"),
        (("a.png", "--csv", "--json"), "Error: --csv and --json exclude each other.\n"),
    ],
    ids=["nothing", "both"],
)
def test_wrong_usage(capfd, bundle, arguments, message):
    assert run(capfd, bundle, *arguments, expected=2).err.endswith(message)


def test_csv_has_the_columns_that_pandas_makes_of_the_json(capfd, bundle, shared_pictures, tmp_path):
    pd = pytest.importorskip("pandas", reason="pandas comes with the extra 'test'")
    odd = tmp_path / 'a, "odd" name.png'
    draw("red", 3).save(odd)
    of_json = json.loads(run(capfd, bundle, shared_pictures, odd, "--json").out)
    text = run(capfd, bundle, shared_pictures, odd, "--csv").out
    assert next(csv.reader(io.StringIO(text))) == [
        "file",
        "label",
        "probability",
        "scores.blue",
        "scores.red",
        "known",
    ]
    expected = pd.json_normalize(of_json)
    found = pd.read_csv(io.StringIO(text))[expected.columns]
    pd.testing.assert_frame_equal(found, expected)
    assert found["known"].dtype == bool


@pytest.mark.parametrize(
    ("task", "line", "columns"),
    [
        (
            "multi_label",
            r"  (no label|((blue|green|red|round) \d+\.\d%(  )?)+)",
            ["file", "labels", "scores.blue", "scores.green", "scores.red", "scores.round"],
        ),
        ("regression", r"  red -?[\d.]+  blue -?[\d.e-]+", ["file", "numbers.red", "numbers.blue"]),
    ],
)
def test_each_task_in_each_form(capfd, of_task, shared_pictures, task, line, columns):
    folder = of_task[task][3]
    image = shared_pictures / "red" / "00.png"
    assert re.fullmatch(re.escape(str(image)) + line + r"\n", run(capfd, folder, image).out)
    (prediction,) = json.loads(run(capfd, folder, image, "--json").out)
    assert set(prediction) == {column.partition(".")[0] for column in columns}
    heading, row = csv.reader(io.StringIO(run(capfd, folder, image, "--csv").out))
    assert heading == columns
    cells = dict(zip(heading, row, strict=True))
    if task == "multi_label":
        assert cells["labels"] == ";".join(prediction["labels"])
    for key, mapping in prediction.items():
        if isinstance(mapping, dict):
            assert {name: float(cells[f"{key}.{name}"]) for name in mapping} == mapping


def test_it_needs_few_packages(bundle, shared_pictures):
    """Those that tfxfer-runtime names, and as it comes none of what these may need."""
    code = (
        "import sys\nbefore = set(sys.modules)\nfrom importlib.metadata import packages_distributions\n"
        "from tfxfer.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as left:\n    assert left.code == 0\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "owners = packages_distributions()\n"
        "print(*sorted({owner for name in loaded for owner in owners.get(name, [])}), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, "predict", str(bundle), str(shared_pictures / "red")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.count("\n") == 20
    assert set(done.stderr.split()) - {"tfxfer"} == {
        "ai-edge-litert",
        "click",
        "lazy-loader",
        "numpy",
        "pillow",
    }
