"""The policies' second engine: Keras's own layers, on whole batches, where Keras has such a layer."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np

from tfxfer.augment.policies import POLICIES
from tfxfer.augment.steps import Policy, Step
from tfxfer.errors import SettingError

__all__ = ["Change", "DeviceAugmentation", "device_augmentation"]

FILLS = {0: "constant", 1: "nearest", 4: "reflect"}
"""Keras's names of albumentations' borders."""

Layers = list[tuple[keras.layers.Layer, float]]
"""Layers, each with how often it is applied."""


@dataclass(frozen=True, slots=True, eq=False)
class DeviceAugmentation:
    """A policy in Keras's layers: a change by chance of whole batches.

    ``fit`` maps it over batches in tf.data, which runs on the processor; called on a tensor, or in a
    training step, it runs where the tensor is.

    Attributes:
        policy: The policy.
        left_out: Names of its steps that Keras has no layer for, which are not done.
        digest: SHA-256 of all that decides what it does, Keras's version included.
    """

    policy: Policy
    left_out: tuple[str, ...]
    _builders: tuple[tuple[Step, Callable[[Step, Iterator[int]], Layers]], ...] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.policy.name} on the device"

    @property
    def digest(self) -> str:  # noqa: D102 told above
        steps = [asdict(step) for step in self.policy.steps]
        text = json.dumps({"keras": keras.__version__, "policy": steps}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def check(self, *, height: int, width: int) -> None:
        """Try it on a few pictures of a size, so that a fault shows before training.

        Args:
            height: Rows, in pixels.
            width: Columns, in pixels.

        Raises:
            SettingError: It fails.
        """
        try:
            self.start(0)(np.zeros((4, height, width, 3), np.uint8))
        except Exception as error:
            raise SettingError(
                f"augmentation {self} fails on pictures of {height} x {width} "
                f"({type(error).__name__}: {error})."
            ) from error

    def start(self, seed: int) -> Change:
        """Return the function that changes batches, at the beginning of its chance.

        It keeps a state: map it over a data set without ``num_parallel_calls``, and the same seed gives the
        same batches. In front of a model it is a step of training, and never a part of what is saved.

        Args:
            seed: What chance is drawn from, at least 0.

        Returns:
            A function of RGB in 0..255, shape (batch, height, width, 3), that gives float32 of that shape.
        """
        # A seed of its own for each: of one seed, two layers would draw the same lots.
        seeds = iter(np.random.SeedSequence(seed).generate_state(100).tolist())
        built = [pair for step, build in self._builders for pair in build(step, seeds)]
        return Change(built, keras.random.SeedGenerator(next(seeds)))


class Change:
    """What changes batches, and what it draws lots from.

    Args:
        layers: In their order, each with how often it is applied.
        chance: What decides whether.
    """

    def __init__(self, layers: Layers, chance: keras.random.SeedGenerator) -> None:
        self._layers, self._chance = layers, chance
        self._states = [chance.state, *(state for layer, _ in layers for state in layer.variables)]

    def __call__(self, images: Any) -> Any:
        """Change a batch."""
        images = keras.ops.cast(images, "float32")
        for layer, often in self._layers:
            changed = keras.ops.clip(layer(images, training=True), 0, 255)
            if often < 1:
                lots = keras.random.uniform((keras.ops.shape(images)[0], 1, 1, 1), seed=self._chance)
                changed = keras.ops.where(lots < often, changed, images)
            images = changed
        return images

    def begin(self, lot: Any, batch: Any) -> None:
        """Go to where chance is for a batch, wherever it was.

        Args:
            lot: The epoch's, an integer of at least 0.
            batch: Its number in the epoch.
        """
        for place, state in enumerate(self._states):
            seed = (lot + 1_000_003 * place) % 2**31
            state.assign(keras.ops.cast(keras.ops.stack([seed, batch * 2**16]), state.dtype))


def device_augmentation(policy: str | Policy) -> DeviceAugmentation:
    """Make a policy of Keras's layers.

    The same ranges, but not the same pixels as on the host: crops are zooms about the middle at one ratio,
    and brightness is added rather than multiplied. What Keras has no layer for is named in ``left_out``.

    Args:
        policy: A name in ``POLICIES``, or a ``Policy``.

    Returns:
        It, to be started with a seed.

    Raises:
        SettingError: No such policy, or one of which Keras has no step at all.

    >>> device_augmentation("medium").left_out
    ()
    >>> device_augmentation("industrial").left_out
    ('Illumination', 'GaussNoise', 'MotionBlur')
    """
    chosen = POLICIES[policy] if isinstance(policy, str) else policy
    known = tuple((step, FORMS[step.name]) for step in chosen.steps if _has_form(step))
    missing = dict.fromkeys(step.name for step in chosen.steps if not _has_form(step))
    if missing and not known:
        raise SettingError(
            f"policy {chosen.name} has no step that Keras has a layer for ({', '.join(missing)}); use it on "
            "the host."
        )
    return DeviceAugmentation(chosen, tuple(missing), known)


def _has_form(step: Step) -> bool:
    if step.name in ("HorizontalFlip", "VerticalFlip"):
        return step.p <= 0.5  # Keras's own flips half of the pictures
    if step.name == "ColorJitter":
        return tuple(step.settings.get("hue", (0, 0))) == (0, 0)  # Keras turns the hue one way only
    if step.name == "Affine":
        return not {"shear"} & set(step.settings)
    return step.name in FORMS


def _flip(mode: str) -> Callable[[Step, Iterator[int]], Layers]:
    def build(step: Step, seeds: Iterator[int]) -> Layers:
        return [(keras.layers.RandomFlip(mode, seed=next(seeds)), 2 * step.p)]

    return build


def _zoom(step: Step, seeds: Iterator[int]) -> Layers:
    nearest = math.sqrt(step.settings["scale"][0]) - 1
    return [(keras.layers.RandomZoom((nearest, 0.0), fill_mode="reflect", seed=next(seeds)), step.p)]


def _affine(step: Step, seeds: Iterator[int]) -> Layers:
    settings: Mapping[str, Any] = step.settings
    fill: dict[str, Any] = {"fill_mode": FILLS[settings.get("border_mode", 0)]}
    layers: Layers = []
    if "rotate" in settings:
        low, high = settings["rotate"]
        layers.append(
            (keras.layers.RandomRotation((low / 360, high / 360), seed=next(seeds), **fill), step.p)
        )
    if "scale" in settings:
        low, high = settings["scale"]
        # Keras counts how much of the scene is shown: 1 / 1.1 of it is a scale of 1.1.
        layers.append(
            (keras.layers.RandomZoom((1 / high - 1, 1 / low - 1), seed=next(seeds), **fill), step.p)
        )
    if "translate_percent" in settings:
        span = tuple(settings["translate_percent"])
        layers.append((keras.layers.RandomTranslation(span, span, seed=next(seeds), **fill), step.p))
    return layers


def _colour(step: Step, seeds: Iterator[int]) -> Layers:
    brightness, contrast, saturation = (
        step.settings[name] for name in ("brightness", "contrast", "saturation")
    )
    layers: Layers = []
    if brightness != (1, 1):
        span = (brightness[0] - 1, brightness[1] - 1)
        layers.append((keras.layers.RandomBrightness(span, seed=next(seeds)), step.p))
    if contrast != (1, 1):
        # One number would only raise it: a pair is how far down and how far up.
        span = (1 - contrast[0], contrast[1] - 1)
        layers.append((keras.layers.RandomContrast(span, seed=next(seeds)), step.p))
    if saturation != (1, 1):
        # Keras multiplies saturation by factor / (1 - factor).
        span = (saturation[0] / (1 + saturation[0]), saturation[1] / (1 + saturation[1]))
        layers.append((keras.layers.RandomSaturation(span, seed=next(seeds)), step.p))
    return layers


def _erasing(step: Step, seeds: Iterator[int]) -> Layers:
    return [
        (keras.layers.RandomErasing((step.p, step.p), scale=step.settings["scale"], seed=next(seeds)), 1.0)
    ]


def _blur(step: Step, seeds: Iterator[int]) -> Layers:
    size, sigma = max(step.settings["blur_limit"]), step.settings["sigma_limit"]
    return [
        (keras.layers.RandomGaussianBlur((1.0, 1.0), kernel_size=size, sigma=sigma, seed=next(seeds)), step.p)
    ]


def _grey(step: Step, seeds: Iterator[int]) -> Layers:
    return [(keras.layers.RandomGrayscale(1.0, seed=next(seeds)), step.p)]


FORMS: dict[str, Callable[[Step, Iterator[int]], Layers]] = {
    "HorizontalFlip": _flip("horizontal"),
    "VerticalFlip": _flip("vertical"),
    "RandomResizedCrop": _zoom,
    "Affine": _affine,
    "ColorJitter": _colour,
    "Erasing": _erasing,
    "GaussianBlur": _blur,
    "ToGray": _grey,
}
"""What makes Keras's layers of a step."""
