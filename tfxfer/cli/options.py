"""Options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer import data
from tfxfer.cli.shares import share
from tfxfer.contracts import FEATURE_AUGMENTATIONS, NEAR_DUPLICATES, RESIZES, TASKS

__all__ = [
    "AUGMENTATIONS",
    "FOLDER",
    "MIX_NAMES",
    "PIXEL_RANGES",
    "POLICY_NAMES",
    "at_least_1",
    "cleaning_options",
    "columns_of",
    "data_dir_option",
    "force_option",
    "json_option",
    "resize_option",
    "source_options",
    "table_options",
    "together",
    "truth_options",
    "weights_option",
    "weights_sha256_option",
]


def together(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make one decorator of several options, the last of which comes first in the help."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in options:
            command = option(command)
        return command

    return decorate


FOLDER = click.Path(path_type=Path)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on standard output."
)
force_option = click.option("--force", is_flag=True, help="Replace DIR if it is there already.")
data_dir_option = click.option(
    "--data-dir", metavar="DIR", type=FOLDER, help="Where tfds: data sets are prepared."
)
weights_option = click.option(
    "--weights",
    default="pretrained",
    show_default=True,
    help="pretrained, imagenet, none (from scratch), or a file.",
)
weights_sha256_option = click.option(
    "--weights-sha256", metavar="HEX", help="The SHA-256 that the weights must have."
)
resize_option = click.option(
    "--resize",
    type=click.Choice(RESIZES),
    default="crop",
    show_default=True,
    help="Keep a picture's middle, or its edges and distort.",
)
at_least_1 = click.IntRange(min=1)
MIX_NAMES = ("mixup", "cutmix")
POLICY_NAMES = [policy.name for policy in tfxfer.POLICIES]
AUGMENTATIONS = [*POLICY_NAMES, *FEATURE_AUGMENTATIONS]

PIXEL_RANGES: dict[str, tuple[float, float]] = {"0..1": (0, 1), "-1..1": (-1, 1), "0..255": (0, 255)}


truth_options = together(
    click.option("--root", metavar="DIR", type=FOLDER, help="Where a table's paths start; its folder."),
    click.option("--split-column", metavar="NAME", help="Its column of train, validation, test."),
    click.option("--label-separator", "separator", metavar="TEXT", help="Between labels in one cell; ;."),
    click.option(
        "--label-column",
        metavar="NAME",
        multiple=True,
        help="Its column of labels, label if not given; once for each class or number that has its own.",
    ),
    click.option("--path-column", metavar="NAME", help="A table's column of paths; path if not given."),
)
"""The options that say how a table is read, to learn from it or to judge by it."""
table_options = together(
    click.option("--group-column", metavar="NAME", help="Its column of what stays in one part."),
    click.option("--task", type=click.Choice(TASKS), help="One class a picture, several, or numbers."),
    truth_options,
)
"""The options that say how a table is read, to learn from it."""
source_options = together(
    click.option("--download", is_flag=True, help="Have tfds: data sets downloaded and prepared."),
    data_dir_option,
    table_options,
)
"""The options that say how pictures are read: a table, and TensorFlow Datasets."""
cleaning_options = together(
    click.option(
        "--near-duplicates",
        type=click.Choice(NEAR_DUPLICATES),
        default="together",
        show_default=True,
        help="Keep pictures that look alike in one part of the split, or not.",
    ),
    click.option(
        "--max-bad",
        type=share,
        default="5%",
        show_default=True,
        help="Largest share of pictures that cannot be read, and are left out: 5% or 0.05.",
    ),
)
"""The options that say what is left out, and what stays together."""


def columns_of(settings: dict[str, Any]) -> dict[str, str | list[str]]:
    """Take the options of a table's columns out of a command's settings."""
    columns = {role: settings.pop(f"{role}_column", None) for role in data.COLUMN_ROLES}
    labels = list(columns["label"] or ())
    columns["label"] = labels[0] if len(labels) == 1 else labels
    return {role: column for role, column in columns.items() if column}
