"""``tfxfer backbones``: what can be built on, within somebody's limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer import backbones as room
from tfxfer.backbones import BackboneSpec
from tfxfer.backbones.counts import write_count
from tfxfer.backbones.selection import ORDERS, Order
from tfxfer.cli.options import json_option

__all__ = ["backbones"]


@click.command()
@click.option("--max-parameters", metavar="COUNT", help="At most so many parameters, e.g. 5M.")
@click.option("--max-macs", metavar="COUNT", help="At most so many multiply-adds a picture, e.g. 400M.")
@click.option("--min-top1", metavar="PERCENT", type=float, help="At least this ImageNet top-1, e.g. 75.")
@click.option(
    "--sort",
    type=click.Choice(ORDERS),
    help="By name; top1, best first; parameters, macs or size of the input, smallest first.",
)
@click.option(
    "--picture",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Draw accuracy against multiply-adds to a .png, .svg or .pdf, anew if it is there. "
    "Needs tfxfer[plot].",
)
@json_option
def backbones(
    max_parameters: str | None,
    max_macs: str | None,
    min_top1: float | None,
    sort: Order | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """List the backbones that can be built on.

    Parameters and multiply-adds are without the classification top, at the input's size shown;
    top-1 is the ImageNet accuracy as published.
    """
    found = tfxfer.find_backbones(
        max_parameters=max_parameters, max_macs=max_macs, min_top1=min_top1, sort=sort
    )
    if picture and found:
        room.draw_backbones(found, picture)
    if as_json:
        click.echo(json.dumps([_facts(spec) for spec in found], indent=2))
    elif found:
        click.echo(_table(found))
    if not found:
        click.echo(
            f"None of the {len(tfxfer.BACKBONES)} backbones is within these limits; loosen one.", err=True
        )
    elif picture:
        click.echo(f"Drawn to {picture}.", err=True)


def _table(specs: tuple[BackboneSpec, ...]) -> str:
    width = max(len(spec.name) for spec in specs)
    lines = [
        f"{'name':<{width}}  {'input':>7}  top-1  {'parameters':>10}  {'MACs':>5}  features  stages  "
        f"{'weights':<8}  licence"
    ]
    for spec in specs:
        size = f"{spec.input.height}x{spec.input.width}"
        top1 = "-" if spec.top1 is None else f"{spec.top1:.1f}"
        lines.append(
            f"{spec.name:<{width}}  {size:>7}  {top1:>5}  {write_count(spec.parameters):>10}  "
            f"{write_count(spec.macs):>5}  {spec.features:>8}  {len(spec.stages):>6}  "
            f"{spec.weights:<8}  {spec.licence}"
        )
    return "\n".join(lines)


def _facts(spec: BackboneSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "height": spec.input.height,
        "width": spec.input.width,
        "minimum": spec.minimum,
        "scaling": spec.scaling,
        "parameters": spec.parameters,
        "macs": spec.macs,
        "features": spec.features,
        "stages": list(spec.stage_names),
        "top1": spec.top1,
        "top1_source": spec.top1_source,
        "weights": spec.weights,
        "licence": spec.licence,
        "licence_source": spec.licence_source,
        "source": spec.source,
    }
