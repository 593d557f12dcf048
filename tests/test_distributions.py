"""tfxfer-runtime is the same package with fewer dependencies: predicts the same, and says what it lacks."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import draw
from tfxfer.data import from_folder
from tfxfer.exports import export, load
from tfxfer.models import build

REPOSITORY = Path(__file__).parents[1]
RUNTIME = REPOSITORY / "distributions" / "runtime"
CLEAN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

NEEDS_MORE = {
    "audit": ["PICTURES"],
    "augment": ["--policy", "light", "PICTURES", "--to", "OUT.png"],
    "compare": ["BUNDLE", "BUNDLE"],
    "demo": [],
    "distill": ["BUNDLE", "--to", "OUT"],
    "evaluate": ["BUNDLE", "PICTURES"],
    "explain": ["BUNDLE", "PICTURE", "--to", "OUT"],
    "export": ["BUNDLE", "--formats", "keras"],
    "gap": ["PICTURES"],
    "rank": ["PICTURES"],
    "report": ["BUNDLE"],
    "search": ["PICTURES", "--to", "OUT"],
    "shards": ["PICTURES", "--to", "OUT"],
    "train": ["PICTURES", "--to", "OUT"],
}


def project(file):
    return tomllib.loads(file.read_text())["project"]


def test_its_dependencies_are_bounded_as_those_of_the_whole():
    whole, runtime = project(REPOSITORY / "pyproject.toml"), project(RUNTIME / "pyproject.toml")
    assert set(runtime["dependencies"]) < set(whole["dependencies"])
    assert runtime["scripts"] == whole["scripts"]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Build the wheel, install it into an environment of its own, and return the Python of that."""
    home = tmp_path_factory.mktemp("runtime")
    return installed(home, built(RUNTIME, home))


@pytest.fixture(scope="module")
def bundle(shared_pictures, tmp_path_factory):
    photos = from_folder(shared_pictures)
    model = build(photos, backbone="micro", image_size=32)
    target = tmp_path_factory.mktemp("bundle") / "model"
    export(model, target, photos, formats=("keras", "tflite"))
    return target


def built(project, home):
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", home, project)
    return next(home.glob(f"{'tfxfer_runtime' if project == RUNTIME else 'tfxfer'}-*.whl"))


def installed(home, *what):
    run(sys.executable, "-m", "venv", home / "venv")
    python = home / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", *what)
    return python


def run(*command, expected=0):
    """Run a command away from the checkout; return what it wrote to both streams."""
    words = [str(word) for word in command]
    done = subprocess.run(words, env=CLEAN, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stderr
    return done


@pytest.mark.slow
def test_it_brings_what_prediction_needs_and_no_more(python):
    listed = json.loads(run(python, "-m", "pip", "list", "--format", "json").stdout)
    names = {package["name"].replace("_", "-") for package in listed}
    assert names >= {"ai-edge-litert", "click", "lazy-loader", "numpy", "pillow", "tfxfer-runtime"}
    assert not names & {"tfxfer", "tensorflow", "keras", "h5py", "scipy", "scikit-learn", "albumentations"}


@pytest.mark.slow
def test_it_predicts_what_all_of_tfxfer_does(python, bundle, shared_pictures):
    predicted = run(python.with_name("tfxfer"), "predict", bundle, shared_pictures, "--json")
    expected = load(bundle).predict(sorted(shared_pictures.rglob("*.png")))
    assert predicted.stderr == ""
    for mine, theirs in zip(json.loads(predicted.stdout), expected, strict=True):
        assert (mine["file"], mine["label"]) == (theirs.file, theirs.label)
        assert mine["scores"] == pytest.approx(theirs.scores, abs=1e-5)


@pytest.mark.slow
def test_it_has_room_on_a_small_device(python, bundle, shared_pictures):
    code = (
        "import sys\nfrom tfxfer.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as left:\n    assert left.code == 0\n"
        "from tfxfer.exports import timing\nprint(timing._peak())\n"
    )
    picture = shared_pictures / "red" / "00.png"
    assert int(run(python, "-c", code, "predict", bundle, picture).stdout.splitlines()[-1]) < 200e6


@pytest.mark.slow
@pytest.mark.parametrize("command", ["--help", "train --help", "--version", "backbones", "benchmark BUNDLE"])
def test_what_needs_no_more_works(python, bundle, command):
    words = [bundle if word == "BUNDLE" else word for word in command.split()]
    assert run(python.with_name("tfxfer"), *words).stdout


@pytest.mark.slow
def test_what_needs_more_says_what_to_install(python, bundle, shared_pictures, tmp_path):
    meant = {
        "BUNDLE": bundle,
        "PICTURES": shared_pictures,
        "PICTURE": shared_pictures / "red" / "00.png",
        "OUT": tmp_path / "out",
        "OUT.png": tmp_path / "out.png",
    }
    for command, words in NEEDS_MORE.items():
        done = run(
            python.with_name("tfxfer"), command, *(meant.get(word, word) for word in words), expected=1
        )
        start, _, rest = done.stderr.partition(" needs ")
        package, _, advice = rest.partition(", ")
        assert (start, done.stdout) == ("tfxfer: this", ""), command
        assert package.isidentifier()
        assert advice == (
            "which is not installed: tfxfer-runtime, which is, only predicts. For all the rest, "
            "pip uninstall tfxfer-runtime, and then pip install tfxfer.\n"
        )
    assert not list(tmp_path.iterdir())
    failed = run(python, "-c", "from tfxfer import fit", expected=1)
    assert "\ntfxfer.errors.MissingExtra: this needs " in failed.stderr


@pytest.mark.slow
def test_the_example_for_devices_runs_on_it(python, bundle, tmp_path):
    for name, colour in (("a.jpg", "red"), ("b.jpg", "blue")):
        draw(colour, 1).save(tmp_path / name)
    (tmp_path / "half.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:300])
    said = run(python, REPOSITORY / "examples" / "edge.py", bundle, tmp_path, "0.1").stdout.splitlines()
    labels = [each.label for each in load(bundle).predict([tmp_path / "a.jpg", tmp_path / "b.jpg"])]
    assert [line.partition(" (")[0] for line in said] == [f"a.jpg: {labels[0]}", f"b.jpg: {labels[1]}"]


@pytest.mark.slow
def test_both_in_one_environment_are_told_of(tmp_path):
    wheels = [built(folder, tmp_path) for folder in (REPOSITORY, RUNTIME)]
    python = installed(tmp_path, "click", "lazy-loader")
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", *wheels)
    done = run(python.with_name("tfxfer"), "--version")
    version = done.stdout.split()[-1]
    assert done.stderr.startswith(
        f"tfxfer: tfxfer {version} and tfxfer-runtime {version} are both installed, and are the same files: "
    )
    run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "tfxfer-runtime")
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheels[0])
    assert run(python.with_name("tfxfer"), "--version").stderr == ""
