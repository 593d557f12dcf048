"""One option for each setting of a recipe, as far as training and searching share them."""

from __future__ import annotations

import click

from tfxfer.cli.options import (
    AUGMENTATIONS,
    MIX_NAMES,
    PIXEL_RANGES,
    at_least_1,
    cleaning_options,
    resize_option,
    source_options,
    together,
    weights_option,
    weights_sha256_option,
)
from tfxfer.cli.outputs import bundle_options
from tfxfer.cli.shares import share
from tfxfer.config import BATCH_NORMS
from tfxfer.contracts import BALANCES, FEATURE_USES, PLANS, PRECISIONS

__all__ = ["setting_options"]

_OPTIONS = (
    click.option(
        "--backbone",
        default="mobilenet_v2",
        show_default=True,
        help="See tfxfer backbones; or hub: and a module of TensorFlow Hub: folder, .tar.gz, address; or "
        "kerashub: and a preset of KerasHub: name, folder, kaggle://..., hf://...; or file: and a folder "
        "that tfxfer wrote, or a .keras file.",
    ),
    weights_option,
    weights_sha256_option,
    click.option("--image-size", type=at_least_1, help="Side in pixels; the backbone's own if not given."),
    click.option(
        "--pixel-range",
        type=click.Choice(list(PIXEL_RANGES)),
        help="What a backbone from outside the catalogue that does not say it takes black and white as.",
    ),
    click.option(
        "--dropout",
        type=click.FloatRange(0, 1, max_open=True),
        default=0.2,
        show_default=True,
        help="Share of features switched off in training in front of the last layer.",
    ),
    click.option(
        "--drop-path",
        type=click.FloatRange(0, 1, max_open=True),
        help="How often the last block is left out in training; if not given, 0.2 of an EfficientNet, and 0 "
        "of a ConvNeXt.",
    ),
    click.option("--batch-size", type=at_least_1, default=32, show_default=True, help="Pictures a step."),
    click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default="auto",
        show_default=True,
        help="Numbers to train in: by the GPU, if there is one; what is written is float32.",
    ),
    resize_option,
    click.option(
        "--balance",
        type=click.Choice(BALANCES),
        help="How rare classes are made to count; auto chooses. If not given, pictures are repeated where "
        "one class has more than ten times those of another.",
    ),
    click.option(
        "--features",
        type=click.Choice(FEATURE_USES),
        default="auto",
        show_default=True,
        help="Keep what the frozen part makes of pictures, and train on it: where it pays, always, never.",
    ),
    click.option(
        "--views", type=at_least_1, help="Views of each training picture to keep; 4 if augmented, 9 by frofa."
    ),
    cleaning_options,
    click.option(
        "--augment",
        type=click.Choice(AUGMENTATIONS),
        default="none",
        show_default=True,
        help="What training pictures go through; see tfxfer augment. frofa: what the head gets of them does.",
    ),
    click.option(
        "--mix", type=click.Choice(MIX_NAMES), help="Mix training pictures, labels and all, two by two."
    ),
    click.option(
        "--plan",
        type=click.Choice(PLANS),
        help="What learns: the head, then the top blocks (two-phase, if not given), or nothing, or one block "
        "after the other, or everything.",
    ),
    click.option(
        "--label-smoothing",
        type=click.FloatRange(0, 1, max_open=True),
        default=0.0,
        show_default=True,
        help="Share of each training label that goes to all classes alike.",
    ),
    click.option("--head-epochs", type=at_least_1, help="Epochs of the head alone; solved if not given."),
    click.option(
        "--top-epochs",
        type=click.IntRange(min=0),
        help="Epochs after that, 0 for none; by the plan likewise.",
    ),
    click.option("--top-blocks", type=at_least_1, help="Blocks to unfreeze; by the plan likewise."),
    click.option(
        "--batch-norm",
        type=click.Choice(BATCH_NORMS),
        help="What the backbone's BatchNorm layers do in each phase: keep the pretraining's statistics (if "
        "not given), learn, or take those of the training pictures when it begins.",
    ),
    click.option(
        "--soup",
        type=click.IntRange(min=2),
        metavar="EPOCHS",
        help="Average the weights of so many best epochs of each phase, as far as validation bears it.",
    ),
    click.option(
        "--calibrate/--no-calibrate",
        default=True,
        show_default=True,
        help="Make probabilities as sure as they are right, on validation.",
    ),
    click.option(
        "--reject", type=share, help="Share of good pictures it may call none of these: 5% or 0.05."
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**32 - 1),
        default=0,
        show_default=True,
        help="Of split, weights, shuffling.",
    ),
    source_options,
    bundle_options,
)

setting_options = together(*reversed(_OPTIONS))
"""The options that tell a run, or each trial of a search, what to do."""
