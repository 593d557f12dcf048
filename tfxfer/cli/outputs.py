"""What training leaves beside its report: which forms of the model, and where logs of its epochs go."""

from __future__ import annotations

from pathlib import Path

import click

from tfxfer.cli.options import together

__all__ = ["bundle_options", "forms", "log_options"]


def forms(text: str) -> tuple[str, ...]:
    """Read names with commas between them; whether there are such forms is not asked here.

    >>> forms("keras, tflite")
    ('keras', 'tflite')
    """
    return tuple(name for part in text.split(",") if (name := part.strip()))


bundle_options = together(
    click.option(
        "--report/--no-report",
        default=True,
        show_default=True,
        help="Write report.html, report.json, report.md and MODEL_CARD.md too.",
    ),
    click.option(
        "--formats",
        type=forms,
        default="keras,saved-model,tflite",
        show_default=True,
        help="Forms of the model to write, with commas between them.",
    ),
)
"""The options that say what of a model is written."""
log_options = together(
    click.option(
        "--label-errors",
        is_flag=True,
        help="Have the report name labels that are likely wrong; needs tfxfer[labels].",
    ),
    click.option(
        "--tensorboard",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Folder to write each epoch's figures to, for TensorBoard.",
    ),
    click.option(
        "--csv",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="File to write each epoch's figures to, a row an epoch.",
    ),
)
"""The options that say what else is written, and where."""
