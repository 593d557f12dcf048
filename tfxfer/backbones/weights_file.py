"""Weights that lie in a file, put into a backbone without running code from the file."""

from __future__ import annotations

import importlib
import importlib.resources
import warnings
import zipfile
import zlib
from pathlib import Path

import h5py
import keras

from tfxfer.backbones.graph import copy_variables, flat_operations, steady_names
from tfxfer.backbones.weights_difference import SavedLayers, file_layers, misfit, model_layout
from tfxfer.errors import MissingExtra, WeightsError

__all__ = [
    "embedded_file",
    "fill_from_file",
    "fill_from_model",
    "is_legacy",
    "is_readable",
    "load_safely",
    "require_weights_file",
]

LOAD_ERRORS = (
    AttributeError,
    ImportError,
    KeyError,
    OSError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What Keras lets through of a file that is damaged or strange."""

SUFFIXES = (".weights.h5", ".h5", ".keras")


def embedded_file(name: str) -> Path:
    """Find the weights file of an embedded backbone.

    Args:
        name: The backbone's name.

    Returns:
        The file within the installed package, or else within the repository it is run from.

    Raises:
        WeightsError: It is in neither place.
    """
    package = Path(str(importlib.resources.files("tfxfer")))
    file = Path("saved_models", name, f"{name}.weights.h5")
    for root in (package, package.parent):
        if (root / file).is_file():
            return root / file
    raise WeightsError(
        f"the weights of {name} are missing: {file.as_posix()} is neither in {package} nor in "
        f"{package.parent}; install tfxfer again, or pass weights=None for random ones."
    )


def require_weights_file(file: Path, backbone: str) -> None:
    """Refuse what is certainly no weights file, before anything is built.

    Raises:
        WeightsError: No such file, another suffix, or not whole.
    """
    if not file.name.endswith(SUFFIXES):
        raise WeightsError(
            f"{file} is no weights file by its name; pass a .weights.h5, .h5 or .keras file of {backbone}."
        )
    if not file.is_file():
        raise WeightsError(
            f"there is no weights file {file}; pass a .weights.h5, .h5 or .keras file of {backbone}."
        )
    if file.suffix == ".h5" and not is_readable(file):
        raise WeightsError(
            f"{file} is not a readable HDF5 file; it may be cut short: get it again, or pass another weights "
            f"file of {backbone}."
        )


def is_readable(file: Path) -> bool:
    """Say whether HDF5 can open a file, which it cannot where the end is missing."""
    try:
        h5py.File(file, "r").close()
    except OSError:
        return False
    return True


def is_legacy(file: Path) -> bool:
    """Say whether a file is of Keras 2's kind, which counts layers as keras.applications builds them."""
    return file.suffix == ".h5" and not file.name.endswith(".weights.h5")


def fill_from_file(model: keras.Model, file: Path, backbone: str) -> None:
    """Give a backbone the weights of a file.

    Of a whole model, only weights are taken: an ``.h5`` file's architecture is not read, a ``.keras``
    file's is built in Keras's safe mode, so that no code of theirs runs.

    Args:
        model: The backbone, built.
        file: What ``require_weights_file`` let pass.
        backbone: The backbone's name, for messages.

    Raises:
        WeightsError: The file is of another model, or damaged.
    """
    if file.suffix == ".keras":
        saved = load_safely(file, advice=f"pass a .weights.h5 file of {backbone} instead.")
        fill_from_model(model, saved, file, backbone)
        return
    try:
        _fill_by_position(model, file)
    except (ValueError, KeyError, OSError, UserWarning) as error:
        raise WeightsError(_misfit_of_file(model, file, backbone)) from error


def fill_from_model(model: keras.Model, saved: keras.Model, file: Path, backbone: str) -> None:
    """Give a backbone the weights of a model that was loaded from a file, layer by layer.

    Args:
        model: The backbone, built.
        saved: A model that holds the backbone's layers by name, and may hold more, such as a head.
        file: Where it came from, for messages.
        backbone: The backbone's name, for messages.

    Raises:
        WeightsError: The layers are others.
    """
    operations = list(flat_operations(saved))
    names = steady_names(operations)
    theirs = {names[operation.name]: operation for operation in operations}
    try:
        for layer in model.layers:
            if layer.weights:
                copy_variables(theirs[layer.name], layer)
    except (ValueError, KeyError) as error:
        layers = SavedLayers(model_layout(saved))
        raise WeightsError(misfit(layers, model, file=file, backbone=backbone)) from error


def load_safely(file: Path, *, advice: str) -> keras.Model:
    """Load a ``.keras`` file in safe mode, without its optimizer.

    Args:
        file: The file.
        advice: What to do where it does not load, as the end of a sentence.

    Raises:
        WeightsError: It is damaged, or needs code from elsewhere.
        MissingExtra: It needs KerasHub, which is not installed.
    """
    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except WeightsError:
        raise
    except LOAD_ERRORS as error:
        if _lacks_keras_hub(file):
            raise MissingExtra(
                f"{file} is on a backbone of KerasHub, which is not installed; pip install "
                "'tfxfer[kerashub]'."
            ) from error
        raise WeightsError(
            f"{file} does not open in Keras's safe mode: it is damaged, or it needs code from "
            f"elsewhere; {advice}"
        ) from error


def _lacks_keras_hub(file: Path) -> bool:
    """Say whether a ``.keras`` file needs KerasHub, which is not there."""
    try:
        with zipfile.ZipFile(file) as opened:
            needs = b"keras_hub" in opened.read("config.json")
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error):
        return False
    try:
        importlib.import_module("keras_hub")
    except ImportError:
        return needs
    return False


def _fill_by_position(model: keras.Model, file: Path) -> None:
    """Load weights in the order of layers; a layer that the file lacks is an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Skipping nested container", UserWarning)
        model.load_weights(file)


def _misfit_of_file(model: keras.Model, file: Path, backbone: str) -> str:
    """Say why an HDF5 file does not fit."""
    try:
        layers = file_layers(file)
    except (OSError, KeyError, ValueError):
        return (
            f"{file} cannot be read as weights of Keras; it may be damaged: get it again, or pass another "
            f"weights file of {backbone}."
        )
    return misfit(layers, model, file=file, backbone=backbone)
