"""The commands: each reads its options, calls one function, and shows what came back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer.cli.exporting import forms_table
from tfxfer.cli.given import given_settings, recipe_option, told
from tfxfer.cli.judging import judge_source
from tfxfer.cli.options import (
    FOLDER,
    at_least_1,
    columns_of,
    data_dir_option,
    force_option,
    json_option,
    truth_options,
)
from tfxfer.cli.outputs import log_options
from tfxfer.cli.settings import setting_options
from tfxfer.cli.streams import print_json, quiet
from tfxfer.cli.views import tta_option
from tfxfer.contracts import STRATEGIES

__all__ = ["demo", "evaluate", "train"]


@click.command()
@click.argument("folder", type=FOLDER, required=False)
@click.option("--to", required=True, metavar="DIR", type=FOLDER, help="Folder to write to.")
@recipe_option
@setting_options
@click.option(
    "--strategy",
    type=click.Choice(STRATEGIES),
    default="auto",
    show_default=True,
    help="Devices that share each batch: all GPUs if there are several, one, or all.",
)
@click.option("--find-rate", is_flag=True, help="Look for a learning rate when each phase begins.")
@click.option(
    "--guard/--no-guard",
    default=True,
    show_default=True,
    help="Hold it against a linear probe of the frozen backbone, and keep that where it is better.",
)
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
    click.echo(forms_table(run.files, run.photos.task))
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
