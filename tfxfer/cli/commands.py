"""The commands: each reads its options, calls one function, and shows what came back."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer import data, runtime
from tfxfer.cli.judging import judge_source
from tfxfer.cli.outputs import log_options
from tfxfer.cli.shares import share
from tfxfer.contracts import (
    BALANCES,
    FEATURE_USES,
    NEAR_DUPLICATES,
    PLANS,
    PRECISIONS,
    RESIZES,
    STRATEGIES,
    TASKS,
)

__all__ = [
    "FOLDER",
    "PIXEL_RANGES",
    "at_least_1",
    "cleaning_options",
    "columns_of",
    "demo",
    "evaluate",
    "force_option",
    "json_option",
    "predict",
    "quiet",
    "resize_option",
    "source_options",
    "train",
    "weights_option",
    "weights_sha256_option",
]

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

PIXEL_RANGES: dict[str, tuple[float, float]] = {"0..1": (0, 1), "-1..1": (-1, 1), "0..255": (0, 255)}


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how pictures are read: a table, and TensorFlow Datasets."""
    for option in (
        click.option("--download", is_flag=True, help="Have tfds: data sets downloaded and prepared."),
        data_dir_option,
    ):
        command = option(command)
    return table_options(command)


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how a table is read, to learn from it."""
    for option in (
        click.option("--group-column", metavar="NAME", help="Its column of what stays in one part."),
        click.option("--task", type=click.Choice(TASKS), help="One class a picture, several, or numbers."),
    ):
        command = option(command)
    return truth_options(command)


def truth_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how a table is read, to learn from it or to judge by it."""
    for option in (
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
    ):
        command = option(command)
    return command


def device_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say on which devices, and in which numbers, it is trained."""
    for option in (
        click.option(
            "--strategy",
            type=click.Choice(STRATEGIES),
            default="auto",
            show_default=True,
            help="Devices that share each batch: all GPUs if there are several, one, or all.",
        ),
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            default="auto",
            show_default=True,
            help="Numbers to train in: by the GPU, if there is one; what is written is float32.",
        ),
    ):
        command = option(command)
    return command


def cleaning_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is left out, and what stays together."""
    for option in (
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
    ):
        command = option(command)
    return command


def columns_of(settings: dict[str, Any]) -> dict[str, str | list[str]]:
    """Take the options of a table's columns out of a command's settings."""
    columns = {role: settings.pop(f"{role}_column", None) for role in data.COLUMN_ROLES}
    labels = list(columns["label"] or ())
    columns["label"] = labels[0] if len(labels) == 1 else labels
    return {role: column for role, column in columns.items() if column}


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--to", required=True, metavar="DIR", type=FOLDER, help="Folder to write to.")
@click.option(
    "--backbone",
    default="mobilenet_v2",
    show_default=True,
    help="See tfxfer backbones; or hub: and a module of TensorFlow Hub: folder, .tar.gz, address; or "
    "kerashub: and a preset of KerasHub: name, folder, kaggle://..., hf://...; or file: and a folder that "
    "tfxfer wrote, or a .keras file.",
)
@weights_option
@weights_sha256_option
@click.option("--image-size", type=at_least_1, help="Side in pixels; the backbone's own if not given.")
@click.option(
    "--pixel-range",
    type=click.Choice(list(PIXEL_RANGES)),
    help="What a backbone from outside the catalogue that does not say it takes black and white as.",
)
@click.option("--batch-size", type=at_least_1, default=32, show_default=True, help="Pictures a step.")
@device_options
@resize_option
@click.option(
    "--balance",
    type=click.Choice(BALANCES),
    help="How rare classes are made to count; auto chooses. If not given, pictures are repeated where one "
    "class has more than ten times those of another.",
)
@click.option(
    "--features",
    type=click.Choice(FEATURE_USES),
    default="auto",
    show_default=True,
    help="Keep what the frozen part makes of pictures, and train on it: where it pays, always, never.",
)
@click.option("--views", type=at_least_1, help="Views of each training picture to keep; 4 if augmented.")
@cleaning_options
@click.option(
    "--augment",
    type=click.Choice(POLICY_NAMES),
    default="none",
    show_default=True,
    help="What training pictures go through; see tfxfer augment.",
)
@click.option(
    "--mix", type=click.Choice(MIX_NAMES), help="Mix training pictures, labels and all, two by two."
)
@click.option(
    "--plan",
    type=click.Choice(PLANS),
    help="What learns: the head, then the top blocks (two-phase, if not given), or nothing, or one block "
    "after the other, or everything.",
)
@click.option(
    "--label-smoothing",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Share of each training label that goes to all classes alike.",
)
@click.option("--head-epochs", type=at_least_1, help="Epochs of the head alone; by the plan if not given.")
@click.option(
    "--top-epochs", type=click.IntRange(min=0), help="Epochs after that, 0 for none; by the plan likewise."
)
@click.option("--top-blocks", type=at_least_1, help="Blocks to unfreeze; by the plan likewise.")
@click.option("--find-rate", is_flag=True, help="Look for a learning rate when each phase begins.")
@click.option(
    "--soup",
    type=click.IntRange(min=2),
    metavar="EPOCHS",
    help="Average the weights of so many best epochs of each phase, as far as validation bears it.",
)
@click.option(
    "--guard/--no-guard",
    default=True,
    show_default=True,
    help="Hold it against a linear probe of the frozen backbone, and keep that where it is better.",
)
@click.option(
    "--calibrate/--no-calibrate",
    default=True,
    show_default=True,
    help="Make probabilities as sure as they are right, on validation.",
)
@click.option("--reject", type=share, help="Share of good pictures it may call none of these: 5% or 0.05.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of split, weights, shuffling.",
)
@source_options
@log_options
@force_option
@click.option("--resume", is_flag=True, help="Go on with a run that was interrupted, with the same options.")
@json_option
def train(
    folder: Path, to: Path, weights: str, pixel_range: str | None, as_json: bool, **settings: Any
) -> None:
    """Train on the pictures in FOLDER and write a checked model to DIR.

    FOLDER holds one folder a class, or train/, validation/ and test/ with class folders inside; or is a
    table (.csv, .tsv, .jsonl) with a row a picture; or shards that tfxfer shards wrote; or tfds: and a data
    set of TensorFlow Datasets.
    """
    columns = columns_of(settings)
    with quiet():
        run = tfxfer.transfer(
            folder,
            to=to,
            weights=None if weights.lower() == "none" else weights,
            pixel_range=PIXEL_RANGES[pixel_range] if pixel_range else None,
            columns=columns,
            **settings,
        )
    if as_json:
        _print_json(run.to_dict())
        return
    click.echo(f"{run.report}\n")
    click.echo(_files_table(run.files, same="numbers" if run.photos.task == "regression" else "labels"))
    for done in filter(None, (run.calibration, run.rejection)):
        click.echo(f"\n{done}")
    left_out = f", {len(run.photos.left_out)} left out" if run.photos.left_out else ""
    click.echo(f"\n{len(run.photos)} pictures{left_out}, kept phase {run.log.kept!r}, {run.seconds:.0f} s.")
    click.echo(f"Try it: tfxfer predict {to} IMAGE")


@click.command()
@click.argument("bundle", metavar="DIR", type=FOLDER)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=FOLDER)
@json_option
def predict(bundle: Path, images: tuple[Path, ...], as_json: bool) -> None:
    """Say what IMAGEs show, by the model in DIR."""
    with quiet():
        predictions = tfxfer.load(bundle).predict(images)
    if as_json:
        _print_json([prediction.to_dict() for prediction in predictions])
        return
    for prediction in predictions:
        click.echo(str(prediction))


@click.command()
@click.argument("bundle", metavar="DIR", type=FOLDER)
@click.argument("source", metavar="FOLDER", type=FOLDER)
@truth_options
@data_dir_option
@click.option("--all", "everything", is_flag=True, help="Count pictures seen in training too.")
@json_option
def evaluate(
    bundle: Path,
    source: Path,
    root: Path | None,
    separator: str | None,
    data_dir: Path | None,
    everything: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Say how good the model in DIR is on the pictures in FOLDER.

    FOLDER holds class folders, or test/ with class folders inside; or is a table (.csv, .tsv, .jsonl) with a
    row a picture, of which the test rows count where --split-column says which they are; or shards, or tfds:
    and a data set of TensorFlow Datasets, of which the test part counts where there is one. Pictures that the
    model was trained or chosen on are recognised by content and left out.
    """
    columns = columns_of(settings)
    with quiet():
        predictor = tfxfer.load(bundle)
        report = judge_source(
            predictor,
            source,
            columns=columns,
            root=root,
            separator=separator,
            data_dir=data_dir,
            everything=everything,
        )
    if as_json:
        _print_json(report.to_dict())
    else:
        click.echo(str(report))


@click.command()
@click.option("--to", metavar="DIR", type=FOLDER, help="Folder to keep it all in.")
@json_option
def demo(to: Path | None, as_json: bool) -> None:
    """Do the whole job once, without network: 1,797 scanned digits, the embedded backbone."""
    with quiet():
        outcome = tfxfer.demo(to)
    if as_json:
        _print_json(outcome.to_dict())
    else:
        click.echo(str(outcome))


def _files_table(files: tuple[tfxfer.Artifact, ...], *, same: str) -> str:
    return "\n".join(
        f"{artifact.path}  {artifact.size / 1e6:.1f} MB  same {same} on {artifact.comparison.images} of "
        f"{artifact.comparison.images} pictures, largest difference "
        f"{artifact.comparison.largest_difference:.0e}"
        for artifact in files
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep standard output for results, and what TensorFlow writes off both unless a fault is sought."""
    if os.environ.get("TFXFER_DEBUG") == "1":
        with redirect_stdout(sys.stderr):
            yield
        return
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns of many models in one process, which an export needs
    try:
        with runtime.native_chatter_hidden(), redirect_stdout(sys.stderr):
            yield
    finally:
        logger.setLevel(level)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, allow_nan=False))
