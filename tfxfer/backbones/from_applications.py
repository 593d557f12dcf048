"""Backbones that keras.applications builds."""

from __future__ import annotations

import http.client
import re
import urllib.error
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
from keras import KerasTensor

from tfxfer.backbones.graph import needs_settling, settled
from tfxfer.backbones.origin import Origin
from tfxfer.backbones.spec import BackboneSpec
from tfxfer.backbones.weights_file import fill_from_file, is_legacy, is_readable
from tfxfer.errors import WeightsError

__all__ = ["build_application", "called", "keras_cache"]

FETCH_ERRORS = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def build_application(
    spec: BackboneSpec,
    pixels: KerasTensor,
    *,
    image: KerasTensor,
    weights: Path | str | None,
    sha256: str | None = None,
) -> tuple[keras.Model, Origin | None]:
    """Build a backbone by its function in keras.applications.

    Args:
        spec: A backbone whose builder is ``keras.applications:...``.
        pixels: Scaled pictures, shape (batch, height, width, 3).
        image: The model's input, from which ``pixels`` come.
        weights: ``"imagenet"``, a file, or None for random ones.
        sha256: What the file that Keras fetches must have; None takes any.

    Returns:
        A flat functional model from ``image`` to the last feature map, and which weights Keras fetched.

    Raises:
        WeightsError: The weights cannot be had, have another digest, or do not fit.
    """
    with _noted(sha256) as fetched:
        model = called(spec, pixels, weights="imagenet" if weights == "imagenet" else None)
    file = weights if isinstance(weights, Path) else None
    if file and is_legacy(file):
        fill_from_file(model, file, spec.name)
    model = keras.Model(image, model.output)
    if needs_settling(model):
        model = settled(model, image, standardise="EfficientNetB" in spec.builder)
    if file and not is_legacy(file):
        fill_from_file(model, file, spec.name)
    return model, fetched[0] if fetched else None


@contextmanager
def _noted(sha256: str | None) -> Iterator[list[Origin]]:
    """Note the file that Keras fetches, and hold it against a digest before it is read."""
    fetched: list[Origin] = []
    files = keras.src.utils.file_utils
    fetch = files.get_file

    def noting(*arguments: object, **options: object) -> str:
        path: str = fetch(*arguments, **options)
        fetched.append(Origin.of_file("imagenet", Path(path)))
        fetched[-1].hold(sha256)
        return path

    # Which file its applications fetch, Keras tells nobody; checked on 3.15.1.
    files.get_file = noting
    try:
        yield fetched
    finally:
        files.get_file = fetch


def keras_cache() -> Path:
    """Return the folder in which Keras looks for downloaded weights."""
    # The accessor is private to Keras; checked on 3.15.1.
    return Path(keras.src.backend.config.keras_home()).expanduser() / "models"


def called(spec: BackboneSpec, pixels: KerasTensor, *, weights: str | None, top: bool = False) -> keras.Model:
    """Call a backbone's function in keras.applications, with its failures to fetch weights made plain.

    Args:
        spec: A backbone whose builder is ``keras.applications:...``.
        pixels: Scaled pictures, shape (batch, height, width, 3).
        weights: ``"imagenet"``, or None for random ones.
        top: Whether it ends in the logits of its own classes, not in its last map.

    Raises:
        WeightsError: The weights cannot be had.
    """
    function = getattr(keras.applications, spec.builder.partition(":")[2])
    ending = {"classifier_activation": None} if top else {}
    try:
        with warnings.catch_warnings():
            # MobileNets say so when they take the weights of 224 x 224 at another size: meant.
            warnings.filterwarnings("ignore", r"`input_shape` is undefined", UserWarning)
            return function(
                include_top=top,
                weights=weights,
                input_tensor=pixels,
                input_shape=tuple(pixels.shape[1:]),
                **ending,
                **dict(spec.options),
            )
    except Exception as error:
        if weights is None:
            raise
        if _is_fetch_failure(error):
            raise WeightsError(_cannot_fetch(spec.name, error, top=top)) from error
        if _is_damage(error):
            raise WeightsError(_damaged(spec.name)) from error
        raise


def _is_fetch_failure(error: Exception) -> bool:
    """Say whether Keras could not get a file from the network."""
    # keras.utils.get_file raises a bare Exception for whatever urllib reports.
    return isinstance(error, FETCH_ERRORS) or str(error).startswith("URL fetch failure on ")


def _is_damage(error: Exception) -> bool:
    """Say whether a file arrived, but not whole: its digest differs, or HDF5 cannot open it."""
    if isinstance(error, ValueError):
        return str(error).startswith("Incomplete or corrupted file detected.")
    return isinstance(error, OSError) and "open file" in str(error)


def _cannot_fetch(backbone: str, error: Exception, *, top: bool) -> str:
    """Word the message for weights that are not here and cannot be fetched."""
    found = re.match(r"URL fetch failure on (\S+/)(\S+): ", str(error))
    wanted, origin = (found[2], found[1]) if found else (f"the file of {backbone}", "the network")
    what = f"ImageNet weights for {backbone}"
    way_out = (
        "pass a weights file (`--weights FILE`), or take the backbone that comes with tfxfer "
        "(`--backbone micro`)."
    )
    if top:
        what, way_out = f"{what} with its classification layer", "or leave co_tuning out."
    return (
        f"no {what}: {wanted} is not in {keras_cache()} and cannot be fetched from {origin}; connect and try "
        f"again, put the file into that folder (KERAS_HOME moves it), {way_out}"
    )


def _damaged(backbone: str) -> str:
    """Word the message for weights that are here but not whole."""
    cache = keras_cache()
    broken = ", ".join(file.name for file in sorted(cache.glob("*.h5")) if not is_readable(file))
    return (
        f"the ImageNet weights of {backbone} in {cache} are damaged, perhaps by a broken download; "
        f"delete {broken or 'its file'} there and try again."
    )
