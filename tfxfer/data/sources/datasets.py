"""Somebody's own tf.data data set becomes a data set of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from tfxfer import runtime
from tfxfer.contracts import Part, Resize, Task
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import Seen
from tfxfer.data.pixels.streaming import Stream
from tfxfer.data.sources.assembly import assembled, class_names, named_parts
from tfxfer.data.sources.row_text import number_text, numbers_in
from tfxfer.data.sources.rows import check_task, from_rows
from tfxfer.errors import DataError, SettingError

__all__ = ["from_dataset"]

_NAME = "the data set"
_REMEDY = (
    "its order must be the same each time: drop its shuffle(…), or give that reshuffle_each_iteration=False; "
    "the training part is shuffled here."
)


def from_dataset(
    dataset: tf.data.Dataset | Mapping[str, tf.data.Dataset],
    *,
    classes: Sequence[str] | None = None,
    task: Task = "single_label",
    seed: int = 0,
    resize: Resize = "crop",
) -> Photos:
    """Take a ``tf.data.Dataset`` of pictures and labels as records, classes and a split.

    It is gone through once now, and again whenever pictures are needed, so its order must be the same each
    time. A picture is called by its part and position, such as ``train/000012``, or ``000012`` where no
    parts are given.

    Args:
        dataset: Pairs (image, label), batched or not. An image is encoded (JPEG, PNG, GIF, BMP, WebP or DICOM
            bytes), or pixels in 0..255, uint8 or floating, of shape (height, width, 1, 3 or 4); a label an
            integer or text, of several 1 for each class that is shown and 0 for the others, of shape
            (classes,), for regression a number, or of shape (numbers,). Or a dictionary from part (train,
            validation or val, test) to such a data set: two parts alone are training and test, training
            alone is cut into all three.
        classes: Class names, of which integer labels are indices; None takes the labels as names. Where
            there are several columns or numbers, their names; None counts them.
        task: What is learnt: ``"single_label"``, ``"multi_label"`` or ``"regression"``.
        seed: Seed of the cut.
        resize: How pictures are brought to a model's size, as in ``from_folder``.

    Returns:
        The data set.

    Raises:
        DataError: It never ends, its elements or pixels are of another kind, a label is none of the
            classes, or there are too few pictures of a class.
        SettingError: It is no ``tf.data.Dataset``, parts are called otherwise, there is no such task, or
            ``resize`` is neither way.

    >>> pairs = tf.data.Dataset.from_tensor_slices((tf.zeros((40, 8, 8, 3), tf.uint8), [0, 1] * 20))
    >>> print(from_dataset(pairs.batch(8), classes=["cat", "dog"]))
    class       train  validation        test
    cat            14           3           3
    dog            14           3           3
    """
    check_task(task)
    divided = isinstance(dataset, Mapping)
    given: dict[Part, Any] = named_parts(_NAME, dataset) if divided else {"train": dataset}
    pairs: dict[Part, tf.data.Dataset] = {}
    for part, each in given.items():
        pairs[part] = _one_by_one(f"{_NAME} of {part}" if divided else _NAME, each, task)
    kinds = {each.element_spec[1].dtype.is_integer for each in pairs.values()}
    seen = {part: _pass(part if divided else "", each) for part, each in pairs.items()}
    sections = {part: partial(_section, each, f"{part}/" if divided else "") for part, each in pairs.items()}
    stream = Stream(_NAME, sections, seen, _REMEDY)
    labels = [each.label for pictures in seen.values() for each in pictures]
    if task != "single_label":
        rows = list(map(numbers_in, labels))
        return from_rows(stream, seen, rows, classes=classes, task=task, seed=seed, resize=resize)
    meanings = class_names(_NAME, labels, classes, numbers=kinds == {True})
    return assembled(stream, seen, meanings=meanings, seed=seed, resize=resize)


def _one_by_one(name: str, dataset: Any, task: Task) -> tf.data.Dataset:
    """Take batches apart, after a look at what the elements are."""
    if not isinstance(dataset, tf.data.Dataset):
        raise SettingError(
            f"{name} must be a tf.data.Dataset, got {type(dataset).__name__}; from_arrays takes arrays, "
            "from_folder folders."
        )
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise DataError(f"{name} never ends; drop its repeat(): epochs are counted here.")
    spec = dataset.element_spec
    if (
        not isinstance(spec, tuple)
        or len(spec) != 2
        or not all(isinstance(each, tf.TensorSpec) for each in spec)
    ):
        raise DataError(f"{name} must give pairs (image, label), got {spec}; map(…) brings it to them.")
    image, label = spec
    if image.shape.rank is None or label.shape.rank is None:
        raise DataError(f"{name} gives images or labels of unknown rank; tf.ensure_shape(…) says what it is.")
    single = 0 if image.dtype == tf.string else 3
    batched = image.shape.rank - single
    if batched not in (0, 1) or not (image.dtype in (tf.string, tf.uint8) or image.dtype.is_floating):
        raise DataError(
            f"{name} gives images of shape {image.shape} and {image.dtype.name}; an image is a string of "
            "encoded bytes, or pixels of shape (height, width, channels), uint8 or floating, in 0..255."
        )
    _check_label(name, label, label.shape.rank - batched, task)
    pairs = dataset.unbatch() if batched else dataset
    if task == "single_label":
        return pairs
    return pairs.map(runtime.as_is(lambda image, row: (image, number_text(row))))


def _check_label(name: str, label: tf.TensorSpec, rank: int, task: Task) -> None:
    """Refuse labels of another kind than the task's, or of another rank each."""
    came = f"{name} gives labels of shape {label.shape} and {label.dtype.name}"
    number = label.dtype.is_integer or label.dtype.is_floating or label.dtype.is_bool
    if task == "multi_label" and not (number and rank == 1):
        raise DataError(
            f"{came}; for multi_label, a picture has 1 for each class that it shows and 0 for the others, of "
            "shape (classes,)."
        )
    if task == "regression" and not (number and rank in (0, 1)):
        raise DataError(f"{came}; for regression, a picture has one number, or several of shape (numbers,).")
    if task == "single_label" and (rank or not (label.dtype.is_integer or label.dtype == tf.string)):
        hint = ""
        if rank == 1:
            hint = (
                "; tf.argmax(label, -1) makes indices of one-hot rows, task='multi_label' takes several "
                "labels, task='regression' numbers"
            )
        elif label.dtype.is_floating and not rank:
            hint = "; task='regression' takes numbers"
        raise DataError(f"{came}; a label is one integer or text{hint}.")


def _section(pairs: tf.data.Dataset, prefix: str, *, contents: bool, seed: int | None) -> tf.data.Dataset:
    """Read one part as ``Section`` says; its order is its own, whatever the seed."""
    del contents, seed
    return _named(pairs.map(runtime.as_is(lambda image, label: (_pixels(image), label))), prefix)


def _named(pairs: tf.data.Dataset, prefix: str) -> tf.data.Dataset:
    def example(number: tf.Tensor, pair: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        content, label = pair
        text = label if label.dtype == tf.string else tf.strings.as_string(label)
        key = tf.strings.join([prefix, tf.strings.as_string(number, width=6, fill="0")])
        return {"key": key, "label": text, "content": content}

    return pairs.enumerate().map(runtime.as_is(example))


def _pixels(image: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.round(image), tf.uint8) if image.dtype.is_floating else image


def _pass(part: str, pairs: tf.data.Dataset) -> list[Seen]:
    """Go through it once for names and labels, and see that pixels are what they must be."""
    prefix = f"{part}/" if part else ""
    facts = _named(pairs.map(runtime.as_is(lambda image, label: (_facts(image), label))), prefix)
    seen: list[Seen] = []
    brightest = 0.0
    for each in runtime.untuned(facts).as_numpy_iterator():
        key = each["key"].decode()
        channels, low, high = each["content"]
        if channels not in (1, 3, 4):
            raise DataError(
                f"{_NAME}: {key} has {channels:.0f} channels; a picture has 1, 3 or 4, at the end."
            )
        # Written so that what is not a number, which compares with nothing, is refused.
        if not (low >= 0 and high <= 255):
            raise DataError(
                f"{_NAME}: {key} has pixels from {low:g} to {high:g}; they must be in 0..255, before "
                "any scaling that a backbone wants: that is in the model."
            )
        brightest = max(brightest, high)
        seen.append(Seen(key, _written(key, each["label"])))
    if seen and brightest <= 1 and pairs.element_spec[0].dtype.is_floating:
        raise DataError(
            f"{_NAME} has no pixel above 1, so they seem to be in 0..1; multiply them by 255, since pixels "
            "are in 0..255."
        )
    return seen


def _written(key: str, label: bytes) -> str:
    """Return a label as text that can stand in a file, on one line."""
    try:
        text = label.decode()
    except UnicodeDecodeError:
        text = ""
    if not text.strip() or not text.isprintable():
        raise DataError(
            f"{_NAME}: {key} has label {label!r}, which cannot be written down; give it another name."
        )
    return text


def _facts(image: tf.Tensor) -> tf.Tensor:
    """Return the number of channels, the darkest and the brightest value; bytes are looked at later."""
    if image.dtype == tf.string:
        return tf.constant([3, 0, 255], tf.float64)
    pixels = tf.cast(image, tf.float64)
    finite = tf.reduce_all(tf.math.is_finite(pixels))
    low = tf.where(finite, tf.reduce_min(pixels), tf.constant(float("nan"), tf.float64))
    return tf.stack([tf.cast(tf.shape(image)[-1], tf.float64), low, tf.reduce_max(pixels)])
