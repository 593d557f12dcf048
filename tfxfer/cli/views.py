"""``--tta``: which views of a picture predictions are averaged over."""

from __future__ import annotations

import click

from tfxfer.cli.outputs import forms

__all__ = ["tta_option"]

tta_option = click.option(
    "--tta",
    metavar="VIEWS",
    type=forms,
    default="",
    help="Test-time augmentation: the mean over a picture and its views, flip (mirrored; not for digits and "
    "text), crops, or flip,crops.",
)
