"""tfxfer distill, as a person types it."""

import json

import pytest

import tfxfer
from tfxfer.cli import distilling
from tfxfer.cli.main import main


@pytest.fixture(scope="module")
def teacher(shared_pictures, tmp_path_factory):
    target = tmp_path_factory.mktemp("teaching") / "teacher"
    settings = {"head_epochs": 1, "top_epochs": 0, "report": False, "guard": False, "progress": False}
    settings |= {"backbone": "micro", "image_size": 32, "formats": ("keras", "tflite")}
    tfxfer.transfer(shared_pictures, to=target, **settings)
    return target


def run(capfd, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["distill", *map(str, arguments)])
    return left.value.code, *capfd.readouterr()


def test_the_outcome_is_told_and_a_document(capfd, teacher, tmp_path, monkeypatch):
    outcomes, distill = [], tfxfer.distill

    def once(*given, **settings):
        outcomes.append(outcomes[0] if outcomes else distill(*given, **settings))
        return outcomes[0]

    monkeypatch.setattr(distilling.tfxfer, "distill", once)
    options = ["--to", tmp_path / "student", "--backbone", "micro", "--temperature", "2", "--alpha", "0.5"]
    status, output, errors = run(capfd, teacher, *options)
    assert status == 0, errors
    *_, sentence, then = output.splitlines()
    assert sentence.startswith("Of 9 test pictures, the teacher micro (2.7")
    assert then == f"Try it: tfxfer predict {tmp_path / 'student'} IMAGE"
    (done,) = outcomes
    assert done.run.model.name == "micro"
    recipe = tfxfer.Recipe.from_toml(tmp_path / "student" / "recipe.toml")
    assert recipe.training.distillation == tfxfer.Distillation(str(teacher), temperature=2.0, alpha=0.5)
    status, output, _ = run(capfd, teacher, *options, "--json")
    assert (status, json.loads(output)) == (0, json.loads(json.dumps(done.to_dict())))


def test_wrong_settings_are_told(capfd, teacher, tmp_path):
    target = ["--to", tmp_path / "student"]
    status, output, errors = run(capfd, teacher, *target, "--alpha", "1")
    assert (status, output) == (2, "")
    assert "1.0 is not in the range 0<=x<1" in errors
    status, output, errors = run(capfd, tmp_path / "none", *target)
    assert (status, output) == (1, "")
    assert errors == f"tfxfer: {tmp_path / 'none'} is not a folder; give one that tfxfer train wrote.\n"
