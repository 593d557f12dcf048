"""``tfxfer distill``: a bundle's model teaches a smaller one."""

from __future__ import annotations

from pathlib import Path

import click

import tfxfer
from tfxfer.cli.options import FOLDER, force_option, json_option
from tfxfer.cli.streams import print_json, quiet

__all__ = ["distill"]


@click.command()
@click.argument("bundle", metavar="DIR", type=FOLDER)
@click.option("--to", required=True, metavar="DIR", type=FOLDER, help="Folder to write the student to.")
@click.option(
    "--backbone",
    default="mobilenet_v2_035",
    show_default=True,
    help="What the student is built on; as tfxfer train takes it.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0, min_open=True),
    default=4.0,
    show_default=True,
    help="What logits of both are divided by: the higher, the more wrong classes count.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.1,
    show_default=True,
    help="What labels count beside the teacher.",
)
@click.option(
    "--photos",
    metavar="FOLDER",
    help="The pictures it was trained on, whatever tfxfer train took; where they were then if not given.",
)
@click.option(
    "--recipe",
    metavar="FILE",
    type=FOLDER,
    help="What the student is told, as a TOML file; recipe.toml of the bundle if not given.",
)
@force_option
@click.option("--resume", is_flag=True, help="Go on with a run that was interrupted, with the same options.")
@json_option
def distill(
    bundle: Path,
    to: Path,
    backbone: str,
    temperature: float,
    alpha: float,
    photos: str | None,
    recipe: Path | None,
    force: bool,
    resume: bool,
    as_json: bool,
) -> None:
    """Have the model in DIR teach one on a smaller backbone, and write that as a checked model.

    The student learns from the same pictures as its teacher did, from their labels and from the teacher's
    answers. Both are compared on the test pictures.
    """
    with quiet():
        done = tfxfer.distill(
            bundle,
            photos,
            to=to,
            backbone=backbone,
            temperature=temperature,
            alpha=alpha,
            recipe=recipe,
            force=force,
            resume=resume,
        )
    if as_json:
        print_json(done.to_dict())
        return
    click.echo(f"{done.run.report}\n\n{done}")
    click.echo(f"Try it: tfxfer predict {to} IMAGE")
