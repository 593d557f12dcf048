"""``tfxfer explain``: one picture to a file, several to a folder; what is wrong is told at once."""

import json
import shutil
import subprocess
import sys

import pytest
from PIL import Image

import tfxfer
from tests.conftest import COLOURS, draw
from tests.hub_modules import reusable
from tfxfer.cli.main import main
from tfxfer.explaining.methods import SUMMARIES


def run(capfd, *arguments, expected=0):
    with pytest.raises(SystemExit) as left:
        main(["explain", *map(str, arguments)])
    captured = capfd.readouterr()
    assert left.value.code == expected, captured.err
    return captured


@pytest.fixture(scope="module")
def model(shared_pictures, tmp_path_factory):
    photos = tfxfer.from_folder(shared_pictures)
    folder = tmp_path_factory.mktemp("explain") / "model"
    built = tfxfer.build(photos, backbone="micro", image_size=32)
    tfxfer.export(built, folder, photos, formats=("keras",))
    return folder


@pytest.fixture
def wide(tmp_path):
    """A picture twice as wide as high."""
    file = tmp_path / "wide.png"
    draw("red", 0, size=80).resize((80, 40)).save(file)
    return file


def test_one_picture_is_one_file(capfd, model, wide, tmp_path):
    out = tmp_path / "out.png"
    captured = run(capfd, model, wide, "--to", out, "--label", "red", "--original")
    (expected,) = tfxfer.explain(model, wide, label="red")
    assert captured.out == f"{expected}  {out}\n"
    with Image.open(out) as image:
        assert image.tobytes() == expected.overlay(original=True).tobytes()


def test_several_are_a_folder(capfd, model, shared_pictures, tmp_path):
    images = [shared_pictures / colour / "00.png" for colour in COLOURS]
    out = tmp_path / "out"
    options = ("--method", "grad-cam++", "--label", "red", "--label", "blue", "--json")
    told = json.loads(run(capfd, model, *images, "--to", out, *options).out)
    assert [(entry["file"], entry["label"]) for entry in told] == [
        (str(image), label) for image in images for label in ("red", "blue")
    ]
    assert {entry["method"] for entry in told} == {"grad-cam++"}
    names = [f"00-{label}{number}.png" for number in ("", "-2", "-3") for label in ("red", "blue")]
    assert [entry["overlay"] for entry in told] == [str(out / name) for name in names]
    assert sorted(file.name for file in out.iterdir()) == sorted([*names, "manifest.json"])
    assert json.loads((out / "manifest.json").read_text()) == {"explanations": told}
    again = run(capfd, model, images[0], "--to", out, expected=2).err
    assert again.startswith(f"tfxfer: {out} exists already, and is never overwritten unasked; ")
    run(capfd, model, images[0], "--to", out, "--force")
    assert sorted(file.name for file in out.iterdir()) == ["00.png", "manifest.json"]


def test_a_file_is_never_overwritten_unasked(capfd, model, wide):
    before = wide.read_bytes()
    assert run(capfd, model, wide, "--to", wide, expected=2).err == (
        f"tfxfer: {wide} exists already, and is never overwritten unasked; give another file, or --force to "
        "replace it.\n"
    )
    assert wide.read_bytes() == before


def test_the_help_tells_every_method(capfd):
    output = run(capfd, "--help").out
    for name, summary in SUMMARIES.items():
        assert f"{name:<21} {summary}" in output


def test_several_pictures_are_not_for_one_file(capfd, model, wide, tmp_path):
    out = tmp_path / "out.jpg"
    assert run(capfd, model, wide, wide, "--to", out, expected=2).err == (
        f"tfxfer: {out} is one file, and 2 pictures are to be drawn; give a folder to be.\n"
    )


def test_a_backbone_without_a_map_leaves_nothing_behind(capfd, wide, shared_pictures, tmp_path):
    photos = tfxfer.from_folder(shared_pictures)
    module = reusable(tmp_path / "vectors", pooled=True)
    built = tfxfer.build(photos, backbone=f"hub:{module}", image_size=32, pixel_range=(0, 1))
    tfxfer.export(built, tmp_path / "model", photos, formats=("keras",))
    error = run(capfd, tmp_path / "model", wide, "--to", tmp_path / "out", expected=2).err
    assert error.startswith(
        "tfxfer: hub_vectors gives its head a vector that comes of no map of the picture, "
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model", "vectors", "wide.png"]
    run(capfd, tmp_path / "model", wide, "--to", tmp_path / "out.png", "--method", "occlusion")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["MODEL", "WIDE", "--label", "rde"], 2, "no label 'rde'; did you mean 'red'? "),
        (["MODEL", "nowhere.png"], 1, "1 file cannot be read as pictures; mend or remove them:"),
        (["nowhere", "WIDE"], 1, "nowhere is not a folder; give one that tfxfer train wrote."),
        (["DAMAGED", "WIDE"], 1, "DAMAGED/model.keras is not the file that was exported "),
    ],
    ids=["label", "picture", "bundle", "damaged"],
)
def test_what_is_wrong_is_told_before_tensorflow_is_imported(
    model, wide, tmp_path, arguments, status, message
):
    damaged = shutil.copytree(model, tmp_path / "damaged")
    (damaged / "model.keras").write_bytes(b"?")
    places = {"MODEL": str(model), "WIDE": str(wide), "DAMAGED": str(damaged)}
    words = ["explain", *(places.get(word, word) for word in arguments), "--to", str(tmp_path / "out.png")]
    code = (
        "import sys\nfrom tfxfer.cli.main import main\n"
        f"try:\n    main({words!r})\nfinally:\n"
        "    assert not {'tensorflow', 'keras', 'albumentations'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(f"tfxfer: {message.replace('DAMAGED', str(damaged))}")
    assert not (tmp_path / "out.png").exists()
