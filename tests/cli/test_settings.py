"""Each setting of a recipe has an option, in training and in searching, and its default."""

import pytest

from tfxfer import Recipe
from tfxfer.cli.commands import train
from tfxfer.cli.searching import search
from tfxfer.transferring import Settings, TrialSettings


@pytest.mark.parametrize(
    ("command", "without"),
    [(train, set()), (search, Settings.__annotations__.keys() - TrialSettings.__annotations__.keys())],
    ids=["train", "search"],
)
def test_options_are_the_recipe_s_with_its_defaults(command, without):
    options = {each.name: each for each in command.params}
    settings = Recipe().settings
    # Columns have an option each, the source is FOLDER, and distill is a command.
    assert settings.keys() - options.keys() == {"columns", "source", "distillation"} | without
    context = command.make_context("it", ["pictures", "--to", "model"])
    defaults = {name: context.params[name] for name in settings.keys() & options.keys()}
    assert defaults == {name: settings[name] for name in defaults}
