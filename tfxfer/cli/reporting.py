"""``tfxfer report`` and ``tfxfer compare``: what came of runs, for people to look at."""

from __future__ import annotations

import json
from pathlib import Path

import click

import tfxfer
from tfxfer.cli.options import FOLDER, json_option
from tfxfer.cli.streams import quiet

__all__ = ["compare", "report"]


@click.command()
@click.argument("bundle", metavar="DIR", type=FOLDER)
@click.option(
    "--photos",
    metavar="FOLDER",
    help="The pictures it was trained on, whatever tfxfer train took; where they were then if not given.",
)
@click.option(
    "--label-errors",
    is_flag=True,
    help="Look for labels that are likely wrong; needs tfxfer[labels]. Else those of the report stay.",
)
@json_option
def report(bundle: Path, photos: str | None, label_errors: bool, as_json: bool) -> None:
    """Judge the model in DIR again on its test pictures, and write its report anew.

    report.html is one page for people, which loads nothing; report.json the same as data; report.md in short;
    MODEL_CARD.md what the model is for, as far as data can tell. The page holds small pictures of the data.
    """
    with quiet():
        files = tfxfer.write_report(bundle, photos=photos, label_errors=label_errors)
    if as_json:
        click.echo((bundle / "report.json").read_text(encoding="utf-8"), nl=False)
        return
    click.echo("\n".join(str(file) for file in files))


@click.command()
@click.argument("bundles", metavar="DIR DIR...", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--photos",
    metavar="SOURCE",
    help="Pictures with labels, as tfxfer evaluate takes them; the common test part if not given.",
)
@json_option
def compare(bundles: tuple[Path, ...], photos: str | None, as_json: bool) -> None:
    """Hold the models in DIRs against the first of them, on the same pictures.

    Accuracy with 95 % intervals, each difference from the first with the interval of the paired bootstrap,
    and McNemar's test: how likely the two are so far apart where they are as good as one another. Pictures
    that one of the models was trained or chosen on are left out.
    """
    with quiet():
        found = tfxfer.compare(bundles, photos=photos)
    click.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False) if as_json else str(found))
