"""The door to models in files: a bundle, or anybody's ``.keras`` file, as a backbone to build on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import keras

from tfxfer.backbones.catalog import BACKBONES
from tfxfer.backbones.door import build_backbone
from tfxfer.backbones.files.foreign import build_foreign
from tfxfer.backbones.graph import model_name, replayed
from tfxfer.backbones.hub.layer import HubLayer
from tfxfer.backbones.origin import Origin, with_origin
from tfxfer.backbones.preprocess import PixelRange
from tfxfer.backbones.top import PretrainedTop
from tfxfer.backbones.weights_file import fill_from_model, load_safely
from tfxfer.errors import SettingError, WeightsError
from tfxfer.runtime import OWN_MARK, file_sha256

__all__ = ["build_file"]

MODEL = "model.keras"
HEAD = ("head_dropout", "head_logits", "head_scores")
"""What a head by tfxfer ends with; another's layers may begin with ``head_`` too."""

TAKEN = "file: takes a folder that tfxfer wrote, or a .keras file"


def build_file(
    handle: str,
    *,
    image_size: tuple[int, int] | None = None,
    pixel_range: PixelRange | None = None,
    weights: str | Path | None = "pretrained",
    sha256: str | None = None,
) -> keras.Model:
    """Build a functional model from raw RGB to the features of a model in a file.

    The file is loaded in Keras's safe mode. Where tfxfer made it, its head goes, and its backbone stays as
    it is; where that is of the catalogue, it is built again with the file's weights, for any size.
    Another's loses its classification top, as ``build_foreign`` tells.

    Args:
        handle: A folder that tfxfer wrote, or a ``.keras`` file; without ``file:``.
        image_size: (height, width) of the pictures; None takes what the model takes.
        pixel_range: The values that another's model takes black and white as, where it does not scale
            pixels itself.
        weights: ``"pretrained"``, its own, or None for random ones.
        sha256: What the ``.keras`` file must have; None takes any, but for that of a bundle.

    Returns:
        A flat model from ``image``, shape (batch, height, width, 3), RGB in 0..255, to features, shape
        (batch, channels) or (batch, rows, columns, channels). What tfxfer made keeps its backbone's name;
        another's is called ``file_`` and the file's name.

    Raises:
        SettingError: No such kind of file, the size or the range must be chosen or does not fit, or the
            model takes no pictures.
        WeightsError: The file is missing, damaged, not the one that was written, or needs code.
    """
    path = Path(handle).expanduser()
    if weights not in ("pretrained", None):
        raise SettingError(
            f"a model in a file comes with its weights, so weights must be 'pretrained' (its own) or None "
            f"(random ones), got {str(weights)!r}."
        )
    file, fresh = _model_file(path), weights is None
    origin = Origin.of_file("file", file, name=file.name if file == path else f"{path.name}/{file.name}")
    origin.hold(sha256)
    saved = load_safely(file, advice="give one that is whole and made of Keras's own layers.")
    name = model_name("file", path.absolute().name.removesuffix(".keras"))
    top = None
    if body := _without_head(saved):
        if pixel_range is not None:
            raise SettingError(
                f"{path} was made by tfxfer and scales pixels by itself, so pixel_range must be left out, "
                f"got {pixel_range}."
            )
        name = name if body.name in BACKBONES else body.name
        model = _rebuilt(body, file, image_size, fresh=fresh) or _kept(
            body, path, image_size, name=name, fresh=fresh
        )
        top = _top(saved, model)
    else:
        model = build_foreign(
            saved, label=str(path), name=name, image_size=image_size, pixel_range=pixel_range, fresh=fresh
        )
    return with_origin(model, Origin("random") if fresh else replace(origin, top=top))


def _model_file(path: Path) -> Path:
    """Find the ``.keras`` file that is meant, and hold that of a bundle to its manifest."""
    if not path.exists():
        raise WeightsError(f"there is no {path}; {TAKEN}.")
    if (path / OWN_MARK).is_file():
        return _bundled_file(path)
    if (path / "saved_model.pb").is_file():
        raise SettingError(f"{path} is a SavedModel, and {TAKEN}; write hub:{path} to build on it.")
    if path.is_dir():
        raise SettingError(f"{path} is a folder that tfxfer did not write (it has no {OWN_MARK}); {TAKEN}.")
    if path.suffix == ".h5":
        raise SettingError(
            f"{path} is an HDF5 file, of which tfxfer takes weights alone; name the backbone that it was "
            f"saved from, and pass it as weights={str(path)!r} (--weights {path}), or save its model as a "
            ".keras file."
        )
    if path.suffix != ".keras":
        raise SettingError(f"{path} is no model by its name; {TAKEN}.")
    return path


def _bundled_file(folder: Path) -> Path:
    """Return a bundle's ``model.keras`` once it is known to be the one that was written."""
    file = folder / MODEL
    try:
        files = json.loads((folder / OWN_MARK).read_text(encoding="utf-8"))["files"]
        known = files[MODEL]["sha256"] if MODEL in files else None
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{folder / OWN_MARK} is damaged, so {MODEL} cannot be held against it; export the model again."
        ) from error
    if known is None:
        raise WeightsError(
            f"{folder} was exported without {MODEL}, which is needed to build on it; export the model again, "
            "with 'keras' among the formats."
        )
    if not file.is_file():
        raise WeightsError(f"{folder} has lost its {MODEL}; export the model again.")
    if (found := file_sha256(file)) != known:
        raise WeightsError(
            f"{file} is not the file that was exported: its SHA-256 is {found[:12]}..., the manifest says "
            f"{str(known)[:12]}...; take an undamaged copy, or export the model again."
        )
    return file


def _without_head(saved: keras.Model) -> keras.Model | None:
    """Cut a model that tfxfer made before its head; None where it is another's."""
    operations = getattr(saved, "operations", [])
    first = next((place for place, each in enumerate(operations) if each.name.startswith("head_")), 0)
    tail = [each.name for each in operations[first:] if each.name != "head_pool"]
    inputs = [tensor.name for tensor in getattr(saved, "inputs", None) or []]
    if not first or inputs != ["image"] or len(saved.outputs) != 1 or tail != list(HEAD):
        return None
    image, features = saved.inputs[0], operations[first].input
    fixed = len(image.shape) == 4 and None not in image.shape[1:] and image.shape[3] == 3
    if not fixed or not isinstance(features, keras.KerasTensor) or len(features.shape) not in (2, 4):
        return None
    return keras.Model(image, features, name=saved.name)


def _top(saved: keras.Model, model: keras.Model) -> PretrainedTop | None:
    """Take the head along, where it told one class a picture."""
    logits, scores = (saved.get_layer(name) for name in HEAD[1:])
    if not isinstance(scores, keras.layers.Softmax):
        return None
    features = keras.Input(model.output_shape[1:])
    pooled = saved.get_layer("head_pool")(features) if len(features.shape) == 4 else features
    layers = keras.Model(features, logits(pooled), name="pretrained_top")
    return PretrainedTop(model.operations[-1].name, layers)


def _rebuilt(
    body: keras.Model, file: Path, image_size: tuple[int, int] | None, *, fresh: bool
) -> keras.Model | None:
    """Build a backbone of the catalogue anew; None where name, layers or parameters are not its own."""
    if body.name not in BACKBONES:
        return None
    spec = BACKBONES[body.name]
    names = [operation.name for operation in body.operations]
    ours = names[-1] == spec.stages[-1].output and {stage.output for stage in spec.stages} <= set(names)
    if not ours or body.count_params() != spec.parameters:
        return None
    size = image_size or body.input_shape[1:3]
    model = build_backbone(spec, input_shape=(*size, 3), weights=None)
    if not fresh:
        fill_from_model(model, body, file, spec.name)
    return model


def _kept(
    body: keras.Model, path: Path, image_size: tuple[int, int] | None, *, name: str, fresh: bool
) -> keras.Model:
    """Take a backbone that is not the catalogue's as it is, or replay it for a size or random weights."""
    height, width = body.input_shape[1:3]
    size = image_size or (height, width)
    if size == (height, width) and not fresh:
        return keras.Model(body.inputs[0], body.outputs[0], name=name)
    if any(isinstance(layer, HubLayer) for layer in body.layers):
        if fresh:
            raise SettingError(
                f"{path} is on a hub module, which comes with its weights, so weights must be 'pretrained', "
                "got None."
            )
        raise SettingError(
            f"{path} is on a hub module that was bound to {height} x {width} pixels, so it takes none of "
            f"{size[0]} x {size[1]}; leave image_size out, or build on the module itself (hub:...)."
        )
    image = keras.Input((*size, 3), dtype="float32", name="image")
    try:
        return keras.Model(image, replayed(body, image, fresh=fresh), name=name)
    except ValueError as error:
        raise SettingError(
            f"{path} takes no pictures of {size[0]} x {size[1]} pixels: its layers are bound to {height} x "
            f"{width}; leave image_size out."
        ) from error
