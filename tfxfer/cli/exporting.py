"""``tfxfer export``: further forms of a bundle's model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import tfxfer
from tfxfer.cli.options import FOLDER, json_option
from tfxfer.cli.outputs import forms
from tfxfer.cli.streams import print_json, quiet
from tfxfer.runtime import ModelFacts, read_card

if TYPE_CHECKING:
    from tfxfer.contracts import Task
    from tfxfer.exports.artifact import Comparison

__all__ = ["export", "forms_table"]


@click.command()
@click.argument("bundle", metavar="DIR", type=FOLDER)
@click.option(
    "--formats",
    type=forms,
    required=True,
    metavar="A,B,…",
    help="keras, saved-model, tflite, tflite-float16, tflite-dynamic, tflite-int8, tflite-int16x8, onnx.",
)
@click.option(
    "--photos",
    metavar="FOLDER",
    help="The pictures it was trained on, whatever tfxfer train took; where they were then if not given.",
)
@click.option("--accept", is_flag=True, help="Hand out forms that lose more than they may.")
@json_option
def export(bundle: Path, formats: tuple[str, ...], photos: str | None, accept: bool, as_json: bool) -> int:
    """Write further forms of the model in DIR, and check each on the pictures it was trained on.

    Each file is loaded again by LiteRT, TensorFlow, Keras or ONNX Runtime, and held beside the model on the
    test pictures. One that loses more than it may is not handed out, and the exit status is 1.
    """
    with quiet():
        artifacts = tfxfer.convert(bundle, formats=formats, photos=photos, accept=accept)
    if as_json:
        print_json({each.format: each.to_dict() for each in artifacts})
    else:
        click.echo(forms_table(artifacts, ModelFacts.of_card(read_card(bundle)).task))
    return int(any(artifact.refused for artifact in artifacts))


def forms_table(artifacts: Sequence[tfxfer.Artifact], task: Task) -> str:
    """Write one line a form: its size, and how it does beside the model; below it, what else was tried."""
    lines = []
    for each in artifacts:
        found = each.comparison
        ranges = f", ranges of {each.ranges_from} training pictures" if each.ranges_from else ""
        made = f"  ({each.made}{ranges})" if each.made else ""
        told = f"{each.path.name}, refused" if each.refused else f"{each.path}"
        told += ", past its bounds" if each.accepted else ""
        does = each.refused if found is None else _beside(found, task)
        lines.append(f"{told}  {each.size / 1e6:.2f} MB  {does}{made}")
        lines += _trials(each.tried, task) if each.tried[1:] else ()
    return "\n".join(lines)


def _trials(tried: Sequence[Mapping[str, Any]], task: Task) -> Iterator[str]:
    """Write what came of each way, by validation pictures, from the smallest on."""
    for each in sorted(tried, key=lambda trial: int(trial["bytes"])):
        taken = "taken" if each is tried[-1] else "tried"
        does = (
            "does not run"
            if each["accuracy"] is None
            else (
                f"{each['milliseconds']:.2f} ms a picture  {_right(each['accuracy'], task)}  "
                f"mean difference {each['mean_difference']:.1e}"
            )
        )
        yield f"    {taken}  {each['bytes'] / 1e6:.2f} MB  {does}  {each['made']}"


def _beside(found: Comparison, task: Task) -> str:
    moved = found.calibration_error_change
    calibration = "" if moved is None else f", calibration error {100 * moved:+z.1f}"
    return (
        f"the same of {found.agreement:.1%} of {found.images} pictures, {_merit(found, task)}, mean "
        f"difference {found.mean_difference:.1e}{calibration}"
    )


def _merit(found: Comparison, task: Task) -> str:
    """Say how right a form is, or how far off its numbers are, and what it changes of the model's."""
    low, high = found.interval
    if task == "regression":
        changed = f"{-found.merit_change:+z.3f}, 95 % {-high:+z.3f} to {-low:+z.3f}"
    else:
        changed = f"{100 * found.merit_change:+z.1f}, 95 % {100 * low:+z.1f} to {100 * high:+z.1f}"
    return f"{_right(found.merit, task)} ({changed})"


def _right(merit: float, task: Task) -> str:
    return f"off by {-merit:.3f} standard deviations" if task == "regression" else f"right {merit:.1%}"
