"""``tfxfer predict``: what pictures show, wherever they are said to be."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

import tfxfer
from tfxfer import data
from tfxfer.cli.options import FOLDER, json_option
from tfxfer.cli.streams import complain, print_json, quiet
from tfxfer.cli.views import tta_option
from tfxfer.errors import DataError

if TYPE_CHECKING:
    from tfxfer.data.pixels.contents import Content
    from tfxfer.exports.predictor import AnyPrediction

__all__ = ["predict"]


@click.command()
@click.argument("bundle", metavar="DIR", type=FOLDER)
@click.argument("places", metavar="[IMAGE]...", nargs=-1)
@click.option(
    "--files-from",
    "listed",
    metavar="FILE",
    type=click.File(),
    help="IMAGEs, one a line; - for standard input.",
)
@tta_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a row a picture, on standard output.")
@json_option
def predict(
    bundle: Path,
    places: tuple[str, ...],
    listed: TextIO | None,
    tta: tuple[str, ...],
    as_csv: bool,
    as_json: bool,
) -> int:
    """Say what IMAGEs show, by the model in DIR.

    An IMAGE is a file; a folder, of which all pictures count; a pattern in quotes, such as 'in/**/*.jpg'; or
    - for one picture on standard input. What cannot be read is told on standard error and left out, and the
    exit status is then 1.
    """
    if not places and listed is None:
        raise click.UsageError("Missing argument 'IMAGE...', or --files-from.")
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    with quiet():
        predictor = tfxfer.load(bundle)
    bad: list[DataError] = []

    def leave_out(error: DataError) -> None:
        bad.append(error)
        complain(str(error))

    pictures = _pictures(chain(places, _lines(listed)), leave_out)
    said = _predictions(predictor, pictures, leave_out, tta)
    if as_json:
        print_json([prediction.to_dict() for prediction in said])
    elif as_csv:
        _print_csv(prediction.to_dict() for prediction in said)
    else:
        for prediction in said:
            click.echo(str(prediction))
    return int(bool(bad))


def _lines(listed: TextIO | None) -> Iterator[str]:
    return filter(None, (line.rstrip("\r\n") for line in listed or ()))


def _pictures(places: Iterable[str], leave_out: Callable[[DataError], None]) -> Iterator[tuple[str, Content]]:
    for place in places:
        if place == "-":
            yield place, sys.stdin.buffer.read()
            continue
        try:
            yield from ((str(file), file) for file in data.pictures_at(place))
        except DataError as error:
            leave_out(error)


def _predictions(
    predictor: tfxfer.Predictor,
    pictures: Iterable[tuple[str, Content]],
    leave_out: Callable[[DataError], None],
    tta: tuple[str, ...],
) -> Iterator[AnyPrediction]:
    for said in predictor.predict_each(pictures, tta=tta):
        if isinstance(said, DataError):
            leave_out(said)
        else:
            yield said


def _print_csv(rows: Iterable[dict[str, Any]]) -> None:
    """Print what ``pandas.json_normalize`` would make of the JSON: a column for each number of a mapping."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        flat: dict[str, Any] = {}
        for name, value in row.items():
            cells = value.items() if isinstance(value, dict) else [(None, value)]
            flat |= {name if inner is None else f"{name}.{inner}": _cell(cell) for inner, cell in cells}
        if not number:
            writer.writerow(flat)
        writer.writerow(flat.values())


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return ";".join(value) if isinstance(value, list) else value
