"""distill: a bundle's student, as good a bundle as its teacher; or nothing is written."""

import json
import shutil

import pytest

import tfxfer
from tfxfer import Distillation, Recipe
from tfxfer.distilling import Distilled, ModelSize, distill
from tfxfer.errors import BundleError, SettingError
from tfxfer.exports import write_manifest
from tfxfer.runtime import check_digest
from tfxfer.workflow import for_card

QUICK = {"head_epochs": 2, "top_epochs": 0, "formats": ("keras", "tflite"), "progress": False}
QUICK |= {"report": False, "guard": False}


@pytest.fixture(scope="module")
def teacher(shared_pictures, tmp_path_factory):
    target = tmp_path_factory.mktemp("distilling") / "teacher"
    told = {"backbone": "micro", "image_size": 32, "seed": 3, "augment": "light"}
    tfxfer.transfer(shared_pictures, to=target, **told, **QUICK)
    return target


@pytest.fixture(scope="module")
def distilled(teacher):
    target = teacher.with_name("student")
    return target, distill(teacher, to=target, backbone="micro", temperature=2.0, alpha=0.3, progress=False)


def test_the_student_is_told_what_the_teacher_was(teacher, distilled):
    folder, done = distilled
    first, second = (Recipe.from_toml(each / "recipe.toml") for each in (teacher, folder))
    taught = Distillation(str(teacher), temperature=2.0, alpha=0.3)
    assert second == first.with_settings(distillation=taught)
    card = json.loads((folder / "card.json").read_text())
    told = {"teacher": str(teacher), "temperature": 2.0, "alpha": 0.3}
    assert card["settings"]["distillation"] == told
    assert card["settings"]["augment"]["name"] == "light"
    splits = [json.loads((each / "split.json").read_text()) for each in (teacher, folder)]
    assert splits[0] == splits[1]
    assert [file.path for file in done.run.files] == [folder / "model.keras", folder / "model.tflite"]
    check_digest(folder, "recipe.toml")


def test_both_are_compared_on_the_test_part(teacher, distilled):
    folder, done = distilled
    found = tfxfer.compare([teacher, folder])
    assert done.comparison.models == found.models
    assert done.comparison.differences == found.differences
    assert (done.comparison.pictures, done.comparison.left_out) == (9, 51)
    assert done.comparison.models[1].value == done.run.report.accuracy


def test_it_is_told_in_a_sentence_and_as_data(distilled):
    folder, done = distilled
    size = ModelSize(done.run.model.count_params(), 4_559_136, (folder / "model.tflite").stat().st_size)
    assert (done.student.parameters, done.student.file_bytes) == (size.parameters, size.file_bytes)
    assert done.teacher.multiply_adds == done.student.multiply_adds > 1e6
    made = Distilled(done.run, done.comparison, ModelSize(2_260_546, 299_496_832, 8_891_500), size)
    first, second = (f"{model.value:.1%}" for model in done.comparison.models)
    apart = str(done.comparison.differences[0]).replace("  ", ", ")
    assert str(made) == (
        "Of 9 test pictures, the teacher micro (8.89 MB, 2.26M parameters, 299M multiply-adds) has "
        f"{first} right, its student micro ({size.file_bytes / 1e6:.2f} MB, 674k parameters, 4.56M "
        f"multiply-adds) {second}: {apart}."
    )
    told = json.loads(json.dumps(made.to_dict()))
    assert told["test_accuracy"] == done.run.report.accuracy
    assert told["comparison"] == done.comparison.to_dict()
    assert told["sizes"]["teacher"] == {
        "parameters": 2_260_546,
        "multiply_adds": 299_496_832,
        "file_bytes": 8_891_500,
    }


def test_a_model_in_no_folder_is_named_on_the_card(distilled):
    _, done = distilled
    recipe = Recipe().with_settings(distillation=Distillation(done.run.model))
    told = for_card(recipe, done.run.photos, ())["distillation"]
    assert told == {"teacher": "micro", "temperature": 4.0, "alpha": 0.1}


def refused(bundle, error, message, says, **settings):
    target = bundle.with_name("never")
    with pytest.raises(error, match=says(message)):
        distill(bundle, **{"to": target, "backbone": "micro", "progress": False} | settings)
    assert not target.exists()


def test_what_cannot_be_is_refused_before_anything_runs(teacher, tmp_path, says):
    refused(
        teacher,
        SettingError,
        f"{teacher} is the teacher's own folder; give the student another.",
        says,
        to=teacher,
        force=True,
    )
    recipe = Recipe.from_toml(teacher / "recipe.toml")
    message = (
        "teacher and student are compared by their model.tflite, and formats are keras, onnx; add 'tflite'."
    )
    refused(teacher, SettingError, message, says, recipe=recipe.with_settings(formats=("keras", "onnx")))
    for name, error, message in (
        ("model.tflite", BundleError, "{} has lost its model.tflite; export the model again."),
        (
            "model.keras",
            BundleError,
            "{} was exported without model.keras; export the model again, with all formats.",
        ),
        (
            "recipe.toml",
            SettingError,
            "{} has no recipe.toml that tells how its model was trained; give recipe=… (--recipe).",
        ),
    ):
        copy = shutil.copytree(teacher, tmp_path / name)
        (copy / name).unlink()
        if name != "model.tflite":
            write_manifest(copy, ())
        refused(copy, error, message.format(copy), says)


def test_another_split_than_the_teacher_s_is_refused(teacher, shared_pictures, says):
    recipe = Recipe.from_toml(teacher / "recipe.toml").with_settings(seed=4)
    other = tfxfer.from_folder(shared_pictures, seed=4)
    first = tfxfer.from_folder(shared_pictures, seed=3)
    known = len(set(other.names("test")) - set(first.names("test")))
    message = (
        f"{known} of the 9 test pictures of {shared_pictures} are known to {teacher}, which was trained or "
        "chosen on them; give the pictures and the seed that it was trained with."
    )
    refused(teacher, SettingError, message, says, recipe=recipe)


def test_a_recipe_may_be_a_file_and_pictures_elsewhere(teacher, shared_pictures, tmp_path, monkeypatch):
    """What a recipe says of a teacher's backbone alone is not the student's."""
    seen = []

    def run(recipe, **_):
        seen.append(recipe)
        raise SettingError("enough")

    monkeypatch.setattr("tfxfer.distilling.run", run)
    first = Recipe.from_toml(teacher / "recipe.toml").with_settings(weights="own.h5", weights_sha256="00")
    file = first.to_toml(tmp_path / "own.toml")
    copy = shutil.copytree(teacher, tmp_path / "copy")
    shutil.copy(file, copy / "recipe.toml")
    write_manifest(copy, ())
    for settings in ({}, {"recipe": file, "photos": shared_pictures}):
        with pytest.raises(SettingError, match=r"^enough$"):
            distill(copy, to=tmp_path / "student", **settings)
    bare, given = seen
    assert (bare.model.weights, bare.model.weights_sha256) == ("pretrained", None)
    assert (given.model.weights, given.model.weights_sha256) == ("own.h5", "00")
    assert given.pictures.source == shared_pictures
    assert {each.model.backbone for each in seen} == {"mobilenet_v2_035"}
    assert {each.training.distillation for each in seen} == {Distillation(copy)}
