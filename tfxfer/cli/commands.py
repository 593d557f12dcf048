"""The commands: each reads its options, calls one function, and shows what came back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer.cli.given import given_settings, recipe_option, told
from tfxfer.cli.judging import judge_source
from tfxfer.cli.options import (
    FOLDER,
    MIX_NAMES,
    PIXEL_RANGES,
    POLICY_NAMES,
    at_least_1,
    cleaning_options,
    columns_of,
    data_dir_option,
    device_options,
    force_option,
    json_option,
    resize_option,
    source_options,
    truth_options,
    weights_option,
    weights_sha256_option,
)
from tfxfer.cli.outputs import log_options
from tfxfer.cli.shares import share
from tfxfer.cli.streams import print_json, quiet
from tfxfer.cli.views import tta_option
from tfxfer.contracts import BALANCES, FEATURE_USES, PLANS

__all__ = ["demo", "evaluate", "train"]


@click.command()
@click.argument("folder", type=FOLDER, required=False)
@click.option("--to", required=True, metavar="DIR", type=FOLDER, help="Folder to write to.")
@recipe_option
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
@click.option("--head-epochs", type=at_least_1, help="Epochs of the head alone; solved if not given.")
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
def train(folder: Path | None, to: Path, file: Path | None, as_json: bool, **options: Any) -> None:
    """Train on the pictures in FOLDER and write a checked model to DIR.

    FOLDER holds one folder a class, or train/, validation/ and test/ with class folders inside; or is a
    table (.csv, .tsv, .jsonl) with a row a picture; or shards that tfxfer shards wrote; or tfds: and a data
    set of TensorFlow Datasets. It is the recipe's if not given.
    """
    settings = given_settings(options)
    recipe = told(file, settings, folder) if file else None
    with quiet():
        run = tfxfer.transfer(folder, to=to, recipe=recipe, **settings)
    if as_json:
        print_json(run.to_dict())
        return
    click.echo(f"{run.report}\n")
    click.echo(_files_table(run.files, same="numbers" if run.photos.task == "regression" else "labels"))
    for done in filter(None, (run.calibration, run.rejection)):
        click.echo(f"\n{done}")
    left_out = f", {len(run.photos.left_out)} left out" if run.photos.left_out else ""
    click.echo(f"\n{len(run.photos)} pictures{left_out}, kept phase {run.log.kept!r}, {run.seconds:.0f} s.")
    if (to / "report.html").exists():
        click.echo(f"Look at it: {to / 'report.html'}")
    click.echo(f"Try it: tfxfer predict {to} IMAGE")


@click.command()
@click.argument("bundle", metavar="DIR", type=FOLDER)
@click.argument("source", metavar="FOLDER", type=FOLDER)
@truth_options
@data_dir_option
@click.option(
    "--group-column", metavar="NAME", help="Its column of groups, each of which is judged by itself too."
)
@click.option("--top-k", type=at_least_1, help="Look for the true class among the K likeliest; 5 of more.")
@tta_option
@click.option("--all", "everything", is_flag=True, help="Count pictures seen in training too.")
@json_option
def evaluate(
    bundle: Path,
    source: Path,
    root: Path | None,
    separator: str | None,
    data_dir: Path | None,
    everything: bool,
    top_k: int | None,
    tta: tuple[str, ...],
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
            top_k=top_k,
            tta=tta,
        )
    if as_json:
        print_json(report.to_dict())
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
        print_json(outcome.to_dict())
    else:
        click.echo(str(outcome))


def _files_table(files: tuple[tfxfer.Artifact, ...], *, same: str) -> str:
    return "\n".join(
        f"{artifact.path}  {artifact.size / 1e6:.1f} MB  same {same} on {artifact.comparison.images} of "
        f"{artifact.comparison.images} pictures, largest difference "
        f"{artifact.comparison.largest_difference:.0e}"
        for artifact in files
    )
