"""Options that commands share: what they make of what people write."""

import ast

import click
import pytest
from click.testing import CliRunner

from tfxfer.cli.options import PIXEL_RANGES, columns_of, source_options


@click.command()
@source_options
def read(**settings):
    click.echo(repr((columns_of(settings), sorted(settings))))


@pytest.mark.parametrize(
    ("arguments", "columns"),
    [
        ([], {}),
        (["--label-column", "kind", "--path-column", "file"], {"path": "file", "label": "kind"}),
        (["--label-column", "red", "--label-column", "blue"], {"label": ["red", "blue"]}),
        (["--group-column", "patient", "--split-column", "part"], {"split": "part", "group": "patient"}),
    ],
)
def test_columns_are_those_that_are_named(arguments, columns):
    outcome = CliRunner().invoke(read, arguments)
    found, others = ast.literal_eval(outcome.output)
    assert found == columns
    assert others == ["data_dir", "download", "root", "separator", "task"]


def test_pixel_ranges_are_what_they_are_called():
    for name, (low, high) in PIXEL_RANGES.items():
        assert name == f"{low}..{high}"
