"""``tfxfer augment``: what a policy makes of somebody's pictures, before anything is trained on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import tfxfer
from tfxfer.cli.options import FOLDER, POLICY_NAMES, resize_option

__all__ = ["augment"]

_POLICIES_TOLD = "\b\n" + "\n".join(f"{policy.name:<11}{policy.summary}" for policy in tfxfer.POLICIES)


@click.command(epilog=_POLICIES_TOLD)
@click.argument("folder", type=FOLDER)
@click.option("--policy", required=True, type=click.Choice(POLICY_NAMES), help="What is done; see below.")
@click.option("--to", required=True, metavar="FILE", type=FOLDER, help="The sheet: a .png, .jpg or .webp.")
@click.option("--pictures", type=click.IntRange(min=1), default=6, show_default=True, help="Rows at most.")
@click.option(
    "--views", type=click.IntRange(min=1), default=6, show_default=True, help="Changed copies each."
)
@click.option(
    "--image-size", type=click.IntRange(min=1), default=224, show_default=True, help="Side in pixels."
)
@resize_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the changes.")
def augment(folder: Path, policy: str, **settings: Any) -> None:
    """Draw what a policy makes of the pictures in FOLDER, or of one picture.

    The sheet has a row a picture: first as it is, then its views.
    """
    sheet = tfxfer.preview(folder, policy, **settings)
    click.echo(f"Sheet written to {sheet}.")
