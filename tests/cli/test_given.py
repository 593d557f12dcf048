"""What a line gives goes before a recipe, and is said; what it leaves to defaults does not."""

import ast

import click
import pytest
from click.testing import CliRunner

from tfxfer import Recipe
from tfxfer.cli.commands import train
from tfxfer.cli.given import given_settings, recipe_option, told
from tfxfer.cli.main import main
from tfxfer.cli.options import PIXEL_RANGES, cleaning_options, source_options, weights_option


@click.command()
@recipe_option
@click.option("--pixel-range", type=click.Choice(list(PIXEL_RANGES)))
@weights_option
@cleaning_options
@source_options
def read(file, **options):
    settings = given_settings(options)
    recipe = told(file, settings, None) if file else None
    click.echo(repr((settings, recipe and recipe.pictures.columns)))


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ([], {}),
        (["--weights", "None", "--max-bad", "5%"], {"weights": None, "max_bad": 0.05}),
        (["--weights", "own.h5", "--pixel-range", "0..1"], {"weights": "own.h5", "pixel_range": (0, 1)}),
        (
            ["--label-column", "kind", "--task", "multi_label"],
            {"columns": {"label": "kind"}, "task": "multi_label"},
        ),
    ],
    ids=str,
)
def test_only_what_is_given_counts(arguments, settings):
    outcome = CliRunner().invoke(read, arguments)
    assert ast.literal_eval(outcome.stdout) == (settings, None)
    assert outcome.stderr == ""


def test_what_goes_before_a_recipe_is_said(tmp_path):
    columns = {"label": "kind", "path": "file"}
    file = Recipe().with_settings(columns=columns, seed=3).to_toml(tmp_path / "recipe.toml")
    arguments = ["--recipe", str(file), "--label-column", "other", "--weights", "none"]
    outcome = CliRunner().invoke(read, arguments)
    beside = {"label": "other", "path": "file"}
    assert ast.literal_eval(outcome.stdout) == ({"weights": None, "columns": beside}, columns)
    assert (
        outcome.stderr == f"{file} is followed but for what is given here: columns {beside}, weights None.\n"
    )
    assert CliRunner().invoke(read, ["--recipe", str(file)]).stderr == ""


def test_options_of_train_are_the_recipe_s_with_its_defaults():
    options = {each.name: each for each in train.params}
    settings = Recipe().settings
    # Columns have an option each, the source is FOLDER, distill is a command; others are for a recipe.
    left = {"columns", "source", "distillation", "drop_path", "dropout"}
    assert settings.keys() - options.keys() == left
    context = train.make_context("train", ["--to", "model"])
    defaults = {name: context.params[name] for name in settings.keys() & options.keys()}
    assert defaults == {name: settings[name] for name in defaults}


def test_a_recipe_with_a_mistake_is_refused(capfd, tmp_path):
    file = tmp_path / "recipe.toml"
    file.write_text("[model]\nbakbone = 'micro'")
    with pytest.raises(SystemExit) as left:
        main(["train", "--recipe", str(file), "--to", str(tmp_path / "model")])
    assert left.value.code == 2
    assert capfd.readouterr().err == (
        f"tfxfer: {file}: no setting 'bakbone' in [model]; did you mean 'backbone'? There are backbone, "
        "weights, weights_sha256, image_size, pixel_range, dropout, drop_path.\n"
    )
