"""The commands, run as people run them: what they print, to which stream, and what they leave."""

import json
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import tfxfer
from tests.conftest import write_pictures
from tfxfer.cli.main import main

TRAIN = (
    "--backbone",
    "micro",
    "--image-size",
    "32",
    "--head-epochs",
    "3",
    "--top-epochs",
    "1",
    "--no-report",
)
SHORT = (*TRAIN[:4], "--head-epochs", "1", "--top-epochs", "0", "--no-report")


def run(capfd, *arguments):
    """Run a command in this process; return standard output and standard error."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    captured = capfd.readouterr()
    assert left.value.code == 0, captured.err
    return captured


@pytest.fixture(scope="module")
def trained(shared_pictures, tmp_path_factory):
    """Train once in a process of its own, so that TensorFlow's start is part of it."""
    target = tmp_path_factory.mktemp("trained") / "model"
    command = [sys.executable, "-m", "tfxfer", "train", str(shared_pictures), "--to", str(target)]
    done = subprocess.run([*command, *TRAIN, "--json"], check=True, capture_output=True, text=True)
    return target, done


def test_train_prints_one_json_document(trained):
    target, done = trained
    outcome = json.loads(done.stdout)
    assert outcome["classes"] == ["blue", "green", "red"]
    assert outcome["images"] == 60
    assert 0 <= outcome["test_accuracy"] <= 1
    assert 0 <= outcome["validation_accuracy"] <= 1
    assert outcome["files"] == [str(target / name) for name in ("model.keras", "saved_model", "model.tflite")]


def test_the_recipe_in_a_bundle_makes_it_again(capfd, trained, tmp_path):
    recipe = trained[0] / "recipe.toml"
    again = run(
        capfd, "train", "--recipe", recipe, "--to", tmp_path / "again", "--formats", "keras", "--json"
    )
    first, second = json.loads(trained[1].stdout), json.loads(again.out)
    assert again.err.splitlines()[0] == (
        f"{recipe} is followed but for what is given here: formats ('keras',)."
    )
    assert second == first | {
        "seconds": second["seconds"],
        "files": [str(tmp_path / "again" / "model.keras")],
    }
    weights = [weights_of(folder) for folder in (trained[0], tmp_path / "again")]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert tfxfer.Recipe.from_toml(tmp_path / "again" / "recipe.toml") == tfxfer.Recipe.from_toml(
        recipe
    ).with_settings(formats=("keras",))
    manifest = json.loads((trained[0] / "manifest.json").read_text())
    assert "recipe.toml" in manifest["files"]


def weights_of(bundle):
    return keras.saving.load_model(bundle / "model.keras").get_weights()


def test_train_s_progress_is_all_that_reaches_standard_error(trained):
    _, done = trained
    line = (
        r"(head|top)    ?epoch \d+/\d+  loss .*|features: off, since the frozen part has .*"
        r"|features: \d+ views by LiteRT in .*|guard: the model is .*"
    )
    strangers = [text for text in done.stderr.splitlines() if not re.fullmatch(line, text.rstrip())]
    assert strangers == [
        "top_blocks: 1, since a fifth of the backbone's 4 suits 42 training pictures.",
        "balance: none, since the largest class has 1.0 times the training pictures of the smallest "
        "(14 and 14); that is even enough.",
    ]


def test_train_tells_people_what_came_of_it_and_what_it_left_out(capfd, tmp_path):
    pictures = write_pictures(tmp_path / "pictures")
    (pictures / "red" / "00.png").write_text("no picture")
    options = ("--augment", "light", "--mix", "cutmix", *SHORT, "--formats", "tflite", "--strategy", "none")
    options += ("--precision", "mixed_bfloat16", "--csv", tmp_path / "log.csv")
    command = ["train", pictures, "--to", tmp_path / "model", *options]
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in (*command, "--max-bad", "1%")])
    assert left.value.code == 1
    assert capfd.readouterr().err.startswith(
        "tfxfer: 1 of 36 pictures (2.8%) cannot be read, and at most 1.0% may be bad; "
    )
    captured = run(capfd, *command, "--balance", "auto")
    assert "\nbalance: none, since the largest class has 1.1 times" in captured.err
    assert captured.err.startswith("1 of 36 pictures cannot be read and is left out; ")
    assert "\n35 pictures, 1 left out, kept phase " in captured.out
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    settings, training = card["settings"], card["training"]
    assert (settings["augment"]["name"], settings["mix"]) == ("light", "cutmix(alpha=1)")
    assert (settings["strategy"], training["devices"]) == ("none", 1)
    assert training["precision"] == settings["precision"] == "mixed_bfloat16"
    assert not (tmp_path / "model" / "saved_model").exists()
    assert (tmp_path / "log.csv").read_text().count("\n") == 2
    assert captured.out.startswith("accuracy ")
    assert f"Try it: tfxfer predict {tmp_path / 'model'} IMAGE" in captured.out
    assert re.search(r"model\.tflite  \d\.\d\d MB  the same of 100\.0% of 6 pictures, right ", captured.out)


def test_train_takes_a_table_and_a_hub_module(capfd, shared_pictures, hub_module, tmp_path):
    table = tmp_path / "photos.tsv"
    rows = [
        f"{file.relative_to(shared_pictures)}\t{file.parent.name}\t{file.stem[0]}{file.parent.name}\t{part}"
        for file in sorted(shared_pictures.rglob("*.png"))
        for part in ["test" if file.stem >= "10" else "train"]
    ]
    table.write_text("\n".join(["file\tkind\tscene\tpart", *rows]))
    options = ("--path-column", "file", "--label-column", "kind", "--split-column", "part")
    options += ("--group-column", "scene", "--root", shared_pictures, "--json")
    options += ("--backbone", f"hub:{hub_module}", "--pixel-range", "0..1", *SHORT[2:], "--formats", "tflite")
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in ("train", table, "--to", tmp_path / "model", *options)])
    assert left.value.code == 1
    assert capfd.readouterr().err == (
        "tfxfer: class 'blue' has 1 group, too few for a split into train, validation that keeps groups "
        "together; add groups until it has at least 2, or remove the class.\n"
    )
    options = [option for option in options if option not in ("--group-column", "scene")]
    outcome = json.loads(run(capfd, "train", table, "--to", tmp_path / "model", *options).out)
    assert outcome["images"] == 60
    split = json.loads((tmp_path / "model" / "split.json").read_text())
    assert split["given"] == ["train", "test"]
    assert len(split["test"]) == 30
    picture = next((shared_pictures / "red").iterdir())
    (prediction,) = json.loads(run(capfd, "predict", tmp_path / "model", picture, "--json").out)
    assert set(prediction["scores"]) == {"blue", "green", "red"}


@pytest.mark.slow
def test_force_replaces_a_bundle(capfd, trained, shared_pictures, tmp_path):
    target = shutil.copytree(trained[0], tmp_path / "model")
    (target / "stray").touch()
    run(capfd, "train", shared_pictures, "--to", target, *TRAIN, "--force", "--json")
    assert not (target / "stray").exists()


def test_evaluate_leaves_out_what_was_trained_on(capfd, trained, shared_pictures):
    captured = run(capfd, "evaluate", trained[0], shared_pictures, "--json")
    figures = json.loads(captured.out)
    assert {"accuracy", "macro_f1", "per_class", "confusion", "calibration", "intervals"} < set(figures)
    assert figures["accuracy"] == json.loads(trained[1].stdout)["test_accuracy"]
    assert sum(map(sum, figures["confusion"])) == 9
    assert captured.err == "51 of 60 pictures left out: the model was trained or chosen on them.\n"


def test_evaluate_counts_everything_when_asked(capfd, trained, shared_pictures):
    captured = run(capfd, "evaluate", trained[0], shared_pictures, "--all")
    assert " on 60 pictures" in captured.out
    assert captured.err == ""


def test_evaluate_on_nothing_but_training_pictures_says_so(capfd, trained, shared_pictures, tmp_path):
    seen = tfxfer.load(trained[0]).seen_in_training()
    assert len(seen) == 51
    photos = tfxfer.from_folder(shared_pictures)
    for file in photos.paths("train"):
        home = tmp_path / "seen" / file.parent.name
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, home)
    with pytest.raises(SystemExit) as left:
        main(["evaluate", str(trained[0]), str(tmp_path / "seen")])
    assert left.value.code == 1
    assert capfd.readouterr().err == (
        f"tfxfer: the model was trained on every picture in {tmp_path / 'seen'}; give pictures it has "
        "not seen, or --all to count these.\n"
    )


def test_evaluate_takes_a_table(capfd, trained, shared_pictures, tmp_path):
    table = tmp_path / "photos.csv"
    rows = [
        f"{file.relative_to(shared_pictures)},{file.parent.name},{'test' if file.stem >= '05' else 'train'}"
        for file in sorted(shared_pictures.rglob("*.png"))
    ]
    table.write_text("\n".join(["file,kind,part", *rows]))
    options = ("--path-column", "file", "--label-column", "kind", "--root", shared_pictures, "--json")
    captured = run(capfd, "evaluate", trained[0], table, *options)
    of_folder = run(capfd, "evaluate", trained[0], shared_pictures, "--json")
    assert json.loads(captured.out) == json.loads(of_folder.out)
    assert captured.err == of_folder.err
    captured = run(capfd, "evaluate", trained[0], table, *options, "--split-column", "part", "--all")
    assert sum(map(sum, json.loads(captured.out)["confusion"])) == 45


def test_evaluate_takes_groups_a_top_k_and_views(capfd, trained, shared_pictures, tmp_path):
    files = sorted(shared_pictures.rglob("*.png"))
    rows = [f"{file},{file.parent.name},{'old' if file.stem < '07' else 'new'}" for file in files]
    (tmp_path / "photos.csv").write_text("\n".join(["path,label,camera", *rows]))
    options = ("--root", shared_pictures, "--group-column", "camera", "--top-k", "2", "--tta", "flip,crops")
    command = ("evaluate", trained[0], tmp_path / "photos.csv", *options, "--all")
    figures = json.loads(run(capfd, *command, "--json").out)
    assert [(group["name"], group["images"]) for group in figures["subgroups"]] == [("new", 39), ("old", 21)]
    assert (figures["top_k"], figures["tta"]["views"]) == (2, ["flip", "crops"])
    assert figures["top_k_accuracy"] >= figures["accuracy"] == figures["tta"]["value"]
    output = run(capfd, *command).out
    assert f", top-2 {figures['top_k_accuracy']:.1%}, " in output
    assert "\ntest-time augmentation by flip and crops, 12 views a picture: accuracy " in output


@pytest.fixture(scope="module")
def of_other_tasks(of_task):
    """A bundle of several labels and one of numbers, each with its photos."""
    return {task: (folder, photos) for task, (photos, _, _, folder, _) in of_task.items()}


def rows_of(photos, *, listed):
    """Write what all pictures show as rows of a table, with several labels in a cell or a column each."""
    rows = []
    for part in ("train", "validation", "test"):
        for path, row in zip(photos.paths(part), photos.targets(part).tolist(), strict=True):
            names = [name for name, shown in zip(photos.classes, row, strict=True) if shown]
            cells = ["|".join(names)] if listed else [f"{cell:g}" for cell in row]
            rows.append(",".join([str(path), *cells]))
    return rows


@pytest.mark.parametrize(
    ("task", "heading", "options"),
    [
        ("multi_label", "path,blue,green,red,round", ()),
        ("multi_label", "path,label", ("--label-separator", "|")),
        ("multi_label", "path,tags", ("--label-separator", "|", "--label-column", "tags")),
        ("regression", "path,red,blue", ()),
        ("regression", "path,r,b", ("--label-column", "r", "--label-column", "b")),
    ],
    ids=["columns", "listed", "named", "numbers", "named numbers"],
)
def test_evaluate_judges_each_task_by_a_table(
    capfd, of_other_tasks, shared_pictures, tmp_path, task, heading, options
):
    bundle, photos = of_other_tasks[task]
    table = tmp_path / "photos.csv"
    table.write_text("\n".join([heading, *rows_of(photos, listed="--label-separator" in options)]))
    captured = run(capfd, "evaluate", bundle, table, "--root", shared_pictures, "--json", *options)
    figures = json.loads(captured.out)
    expected = json.loads((bundle / "card.json").read_text())["test"]
    headline = "r2" if task == "regression" else "mean_average_precision"
    assert figures[headline] == pytest.approx(expected[headline], abs=1e-3)
    test, everything = len(photos.split.test), len(photos)
    assert captured.err == (
        f"{everything - test} of {everything} pictures left out: the model was trained or chosen on them.\n"
    )


@pytest.mark.parametrize("task", ["multi_label", "regression"])
def test_evaluate_needs_a_table_for_the_other_tasks(capfd, of_other_tasks, shared_pictures, task):
    with pytest.raises(SystemExit) as left:
        main(["evaluate", str(of_other_tasks[task][0]), str(shared_pictures)])
    assert left.value.code == 2
    assert capfd.readouterr().err == (
        f"tfxfer: {shared_pictures} is not a table, and folders have one label a picture; for {task}, give a "
        ".csv, .tsv, .jsonl, .ndjson file.\n"
    )
