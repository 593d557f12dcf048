"""Augmentation on the host: albumentations, one picture at a time, from as many threads as there are."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
import os
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tfxfer.augment.policies import POLICIES
from tfxfer.augment.steps import Policy, Step
from tfxfer.errors import SettingError

# When it is imported it asks PyPI for a newer self, unless it is told not to.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
import albumentations as A

__all__ = ["Augmentation", "Moved", "Source", "augmentation"]

Pixels: TypeAlias = npt.NDArray[np.uint8]
Source: TypeAlias = "str | Policy | Augmentation | A.BasicTransform | A.BaseCompose | Callable[..., Any]"
"""All that an augmentation is made of."""

SIZED = frozenset({"RandomResizedCrop"})
"""Steps that must be told the size of the picture they give."""

SIZES_KEPT = 8
"""For how many sizes of pictures pipelines are kept; then they are built anew."""

TRIALS = 16
"""A transform with p=0.2 stays out of all these trials about three times in a hundred."""


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A changed picture, with what is marked on it.

    Attributes:
        pixels: RGB, shape (height, width, 3), uint8 in 0..255.
        mask: A class a pixel, or None where there was no mask.
        boxes: Left, top, right and bottom edges in pixels, shape (boxes, 4), float32, or None.
        kept: Which of the boxes given these are, as indices, or None.
    """

    pixels: Pixels
    mask: npt.NDArray[Any] | None
    boxes: npt.NDArray[np.float32] | None
    kept: npt.NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class Augmentation:
    """A change by chance of training pictures; the same seed gives the same change, in any thread.

    Attributes:
        name: What a card and a log call it.
        digest: SHA-256 of all that decides what it does, albumentations' version included, or None for a
            function, whose doings nobody can tell.
    """

    name: str
    digest: str | None
    _change: Callable[[Pixels, int], Any] = field(repr=False, compare=False)
    _move: Callable[..., Mapping[str, Any]] | None = field(repr=False, compare=False, default=None)

    def __str__(self) -> str:
        return self.name

    def __call__(self, pixels: Pixels, seed: int) -> Pixels:
        """Change one picture.

        Args:
            pixels: RGB, shape (height, width, 3), uint8 in 0..255; left as it is.
            seed: What chance is drawn from, at least 0.

        Returns:
            The changed picture, of the same shape and type.

        Raises:
            SettingError: It came out with another shape or type.
        """
        # A copy: within tf.data these bytes are the cache's own.
        return self._checked(self._change(pixels.copy(), int(seed)), pixels)

    def move(
        self,
        pixels: Pixels,
        seed: int,
        *,
        mask: npt.NDArray[Any] | None = None,
        boxes: npt.NDArray[Any] | None = None,
    ) -> Moved:
        """Change one picture, and have what is marked on it move with it.

        Args:
            pixels: As in a call; for the same seed they come out the same.
            seed: As in a call.
            mask: A class a pixel, shape (height, width), an integer type; what comes in from outside is 0.
            boxes: Left, top, right and bottom edges in pixels, shape (boxes, 4).

        Returns:
            The picture, mask and boxes; boxes that left the picture are gone.

        Raises:
            SettingError: The augmentation is a function, of which nobody knows where it moves things; or as
                in a call.
        """
        if self._move is None:
            raise SettingError(
                f"augmentation {self.name} is a function of pixels, and moves neither masks nor boxes; give "
                "a policy or something of albumentations."
            )
        targets: dict[str, Any] = {"image": pixels.copy()}
        if mask is not None:
            targets["mask"] = mask.copy()
        if boxes is not None:
            targets |= {"bboxes": np.asarray(boxes, np.float32), "places": np.arange(len(boxes))}
        found = self._move(int(seed), boxed=boxes is not None, **targets)
        return Moved(
            self._checked(found["image"], pixels),
            found.get("mask"),
            None if boxes is None else np.asarray(found["bboxes"], np.float32).reshape(-1, 4),
            None if boxes is None else np.asarray(found["places"], np.int64),
        )

    def _checked(self, result: Any, pixels: Pixels) -> Pixels:
        changed = np.asarray(result)
        if changed.dtype != np.uint8 or changed.shape != pixels.shape:
            raise SettingError(
                f"augmentation {self.name} made {changed.dtype} of shape {changed.shape} of uint8 of shape "
                f"{pixels.shape}; leave out what resizes or normalizes: both are done elsewhere."
            )
        return changed

    def check(self, *, height: int, width: int) -> None:
        """Try it on a few pictures of a size, so that a fault shows before training.

        Args:
            height: Rows, in pixels.
            width: Columns, in pixels.

        Raises:
            SettingError: It fails, or gives another shape or type.
        """
        for seed in range(TRIALS):
            pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
            try:
                self(pixels, seed)
            except SettingError:
                raise
            except Exception as error:
                raise SettingError(
                    f"augmentation {self.name} fails on pictures of {height} x {width} "
                    f"({type(error).__name__}: {error})."
                ) from error


def augmentation(source: Source) -> Augmentation:
    """Make an augmentation of a policy's name, of anything of albumentations, or of a function.

    Args:
        source: A name in ``POLICIES`` or a ``Policy``; an ``A.Compose``, or another transform of
            albumentations, taken as it is; or a function of pixels, or of pixels and a seed. One of pixels
            alone repeats only if it does so by itself.

    Returns:
        What ``fit`` and ``Photos.batches`` take as ``augment``: called with pixels of shape
        (height, width, 3), uint8 in 0..255, and a seed, it gives the same shape and type.

    Raises:
        SettingError: No such policy, or nothing that can change a picture.

    >>> pixels = np.zeros((8, 8, 3), np.uint8)
    >>> augmentation("light")(pixels, seed=7).shape
    (8, 8, 3)
    >>> str(augmentation(A.Compose([A.HorizontalFlip(), A.RandomGamma()])))
    'Compose(HorizontalFlip, RandomGamma)'
    """
    if isinstance(source, Augmentation):
        return source
    if isinstance(source, str | Policy):
        return _of_policy(POLICIES[source] if isinstance(source, str) else source)
    if isinstance(source, A.BasicTransform | A.BaseCompose):
        return _of_albumentations(source)
    if callable(source):
        return _of_function(source)
    raise SettingError(
        "augment must be the name of a policy, something of albumentations, or a function of pixels; got "
        f"{type(source).__name__} {source!r}."
    )


def _of_policy(policy: Policy) -> Augmentation:
    digest = _digest({"policy": [asdict(step) for step in policy.steps]})

    def make(height: int, width: int, boxed: bool) -> A.Compose:
        transforms = [_transform(step, height, width) for step in policy.steps]
        return _boxed(transforms) if boxed else A.Compose(transforms)

    return _piped(policy.name, digest, _Pipelines(make))


def _of_albumentations(transform: A.BasicTransform | A.BaseCompose) -> Augmentation:
    # Copied now, for what becomes of the original later is not this one's business.
    pattern = copy.deepcopy(transform if isinstance(transform, A.Compose) else A.Compose([transform]))

    def make(_height: int, _width: int, boxed: bool) -> A.Compose:
        if not boxed and not pattern.processors:
            return copy.deepcopy(pattern)
        # One that is made for boxes runs on nothing without, and one that is not drops them.
        transforms = copy.deepcopy(pattern.transforms)
        return _boxed(transforms, p=pattern.p) if boxed else A.Compose(transforms, p=pattern.p)

    try:
        digest = _digest(pattern.to_dict())
    except (NotImplementedError, TypeError, ValueError):
        digest = None  # it holds a function, or values without a form in JSON: nobody can tell it again
    return _piped(_name_of(transform), digest, _Pipelines(make))


def _of_function(function: Callable[..., Any]) -> Augmentation:
    name = getattr(function, "__qualname__", type(function).__qualname__)
    if _takes_seed(function):
        return Augmentation(name, None, function)
    return Augmentation(name, None, lambda pixels, _: function(pixels))


class _Pipelines:
    """Pipelines for any number of threads, each lent to one call at a time.

    A thread's own would be built anew in every call: Python forgets what is local to a thread of TensorFlow's
    as soon as that leaves it.
    """

    def __init__(self, make: Callable[[int, int, bool], A.Compose]) -> None:
        self._make = make
        self._idle: dict[tuple[int, int, bool], deque[A.Compose]] = {}

    def run(self, seed: int, *, boxed: bool = False, **targets: Any) -> Mapping[str, Any]:
        """Run a pipeline on chance of its own.

        ``set_random_seed`` of albumentations 2.0.8 gives each transform the same seed anew: two flips with
        p=0.5 would always fall alike. One generator for all of them makes them independent, and is cheaper
        (30 against 160 microseconds).
        """
        height, width, _ = targets["image"].shape
        if (height, width, boxed) not in self._idle and len(self._idle) >= SIZES_KEPT:
            self._idle.clear()
        idle = self._idle.setdefault((height, width, boxed), deque())
        try:
            compose = idle.pop()
        except IndexError:
            compose = self._make(height, width, boxed)
        compose.set_random_state(np.random.default_rng(seed), random.Random(seed))
        found: Mapping[str, Any] = compose(**targets)
        idle.append(compose)
        return found


def _piped(name: str, digest: str | None, pipelines: _Pipelines) -> Augmentation:
    return Augmentation(
        name, digest, lambda pixels, seed: pipelines.run(seed, image=pixels)["image"], pipelines.run
    )


def _boxed(transforms: Sequence[Any], p: float = 1.0) -> A.Compose:
    """Make a pipeline that takes boxes, even where none of its transforms moves any."""
    # NoOp takes boxes; in the last place, so that the lot it draws is nobody else's.
    params = A.BboxParams(format="pascal_voc", label_fields=["places"])
    return A.Compose([*transforms, A.NoOp()], p=p, bbox_params=params)


def _transform(step: Step, height: int, width: int) -> A.BasicTransform | A.BaseCompose:
    if step.name == "D4" and height != width:  # a quarter turn would swap the sides
        return A.Sequential([A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)], p=step.p)
    kind: Any = getattr(A, step.name)
    if step.steps:
        return kind([_transform(inner, height, width) for inner in step.steps], p=step.p)
    size = {"size": (height, width)} if step.name in SIZED else {}
    return kind(**step.settings, **size, p=step.p)


def _takes_seed(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some of those written in C do not tell
        return False
    needed = [each for each in parameters if each.default is each.empty and each.kind in _POSITIONAL]
    return len(needed) > 1 or any(each.name == "seed" for each in parameters)


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _name_of(transform: A.BasicTransform | A.BaseCompose) -> str:
    name = type(transform).__name__
    inner: Sequence[Any] = getattr(transform, "transforms", ())
    return f"{name}({', '.join(map(_name_of, inner))})" if inner else name


def _digest(value: Mapping[str, Any]) -> str:
    text = json.dumps({"albumentations": A.__version__, **value}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
