"""The door to presets of KerasHub: from raw RGB to their features, as a functional model."""

from __future__ import annotations

import importlib
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
from keras import KerasTensor

from tfxfer.backbones.graph import model_name, settled
from tfxfer.backbones.kerashub.fetch import keras_hub_package, preset_source
from tfxfer.backbones.origin import Origin, with_origin
from tfxfer.backbones.preprocess import PixelRange, checked_range, in_range, rescaled
from tfxfer.errors import SettingError, WeightsError
from tfxfer.runtime import file_sha256

__all__ = ["build_keras_hub"]


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of the backbones of one class of KerasHub.

    Attributes:
        features: What it gives: a ``map``; a ``token`` of the class before those of patches; a ``mean`` to
            be taken over patches; or ``maps`` by stage, the last of which counts.
        sized: The argument that sets its picture size; None where its weights are for one size.
        whole: Whether it stays one layer. Some layers are saved so that they load again as parts of
            their backbone alone (checked on KerasHub 0.32: their ``get_config`` is not what ``__init__``
            takes, or their name grows), so there the backbone is the layer, as in KerasHub's classifiers.
    """

    features: Literal["map", "maps", "token", "mean"] = "map"
    sized: str | None = "image_shape"
    whole: bool = False


FAMILIES = {
    "CSPNet": Family(),
    "DeiT": Family("token", sized=None, whole=True),
    "DenseNet": Family(),
    "DINOV3": Family("token"),
    "EfficientNet": Family(sized="input_shape"),
    "HGNetV2": Family("maps"),
    "MiT": Family(whole=True),
    "MobileNet": Family(whole=True),
    "MobileNetV5": Family(),
    "ResNet": Family(),
    "SwinTransformer": Family("mean", sized=None, whole=True),
    "VGG": Family(),
    "ViT": Family("token", sized=None, whole=True),
    "Xception": Family(),
}
"""Backbones of KerasHub that make features of one picture, pooled as its classifiers pool them."""

ASKED = (
    "pass pixel_range=(0, 1) (--pixel-range 0..1), (-1, 1) or (0, 255), as its pictures had when it learnt."
)

LOAD_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
    ImportError,
    UserWarning,
)
"""What KerasHub raises on presets that are damaged, not there, or not open."""


def build_keras_hub(
    handle: str,
    *,
    image_size: tuple[int, int] | None = None,
    pixel_range: PixelRange | None = None,
    weights: str | Path | None = "pretrained",
    sha256: str | None = None,
) -> keras.Model:
    """Build a functional model from raw RGB to the features of a preset's backbone.

    Args:
        handle: What ``keras_hub.models.Backbone.from_preset`` takes: the name of a preset, ``kaggle://…``,
            ``hf://…``, or a folder that ``save_to_preset`` wrote; without ``kerashub:``.
        image_size: (height, width) of the pictures; None takes the preset's own. Transformers whose
            positions are learnt take no other.
        pixel_range: The values that it takes black and white as, for a preset without an image converter.
        weights: ``"pretrained"``, or None for random ones.
        sha256: What the file of its weights must have; None takes any.

    Returns:
        A model from ``image``, shape (batch, height, width, 3), RGB in 0..255, to features, shape
        (batch, channels) or (batch, rows, columns, channels). A layer ``preprocess_rescaling`` in front
        does what the preset's image converter does to pixels. The backbone's layers are the model's, or,
        where KerasHub cannot save them one by one, the backbone is one layer, ``backbone``.

    Raises:
        MissingExtra: KerasHub is not installed.
        SettingError: There is no such preset, it takes no pictures, or the size or the range must be
            chosen or does not fit.
        WeightsError: It cannot be had, or its files are damaged.
    """
    if weights not in ("pretrained", None):
        raise SettingError(
            f"kerashub:{handle} comes with its weights, so weights must be 'pretrained' or None, got "
            f"{str(weights)!r}; files of weights are for backbones that `tfxfer backbones` lists."
        )
    hub = keras_hub_package()
    source = preset_source(handle, _presets(hub, handle))
    kind, family = _family(handle, source)
    converter = _converter(hub, handle, source)
    size = image_size or (converter and converter.image_size)
    backbone = _loaded(
        handle,
        source,
        kind,
        shape={family.sized: (*size, 3)} if family.sized and size else {},
        weights=weights,
    )
    height, width = _size(handle, backbone, image_size)
    image = keras.Input((height, width, 3), dtype="float32", name="image")
    pixels = _scaled(image, converter, pixel_range, label=f"kerashub:{handle}")
    model = keras.Model(image, _features(backbone, pixels, family))
    features = model.output if family.whole else settled(model, image).output
    model = keras.Model(image, features, name=model_name("kerashub", _called(handle)))
    origin = _origin(handle, source) if weights else Origin("random")
    origin.hold(sha256)
    return with_origin(model, origin)


def _presets(hub: Any, handle: str) -> dict[str, dict[str, Any]]:
    """Return KerasHub's own presets that take pictures, by name.

    Raises:
        SettingError: The handle is one of its others.
    """
    known: dict[str, dict[str, Any]] = {}
    for name in FAMILIES:
        known |= getattr(hub.models, f"{name}Backbone").presets
    if handle in hub.models.Backbone.presets and handle not in known:
        kinds = (kind for name, kind in vars(hub.models).items() if name.endswith("Backbone"))
        kind = next(kind for kind in kinds if kind is not hub.models.Backbone and handle in kind.presets)
        raise _no_pictures(handle, kind)
    return known


def _family(handle: str, source: str) -> tuple[Any, Family]:
    """Find the class of a preset's backbone before its weights are fetched."""
    utils = importlib.import_module("keras_hub.src.utils.preset_utils")  # from_preset goes this way too
    try:
        kind = utils.get_preset_loader(source).check_backbone_class()
    except LOAD_ERRORS as error:
        raise _not_loaded(handle, source, error) from error
    name = kind.__name__.removesuffix("Backbone")
    if name not in FAMILIES:
        raise _no_pictures(handle, kind)
    return kind, FAMILIES[name]


def _no_pictures(handle: str, kind: Any) -> SettingError:
    return SettingError(
        f"kerashub:{handle} is of the class {kind.__name__}, which is no backbone for pictures alone; take a "
        f"preset of {', '.join(FAMILIES)}."
    )


def _converter(hub: Any, handle: str, source: str) -> Any:
    """Load what a preset does to pixels, or None where it does not say."""
    try:
        return hub.layers.ImageConverter.from_preset(source)
    except FileNotFoundError:
        return None
    except LOAD_ERRORS as error:
        raise _not_loaded(handle, source, error) from error


def _loaded(
    handle: str, source: str, kind: Any, *, shape: dict[str, tuple[int, ...]], weights: str | Path | None
) -> Any:
    """Build a preset's backbone, and fill it unless random weights are asked for."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Skipping nested container")  # what it skips would stay random
            return kind.from_preset(source, load_weights=weights is not None, name="backbone", **shape)
    except LOAD_ERRORS as error:
        if shape and _builds(kind, source):
            ((height, width, _),) = shape.values()
            raise SettingError(
                f"kerashub:{handle} takes no pictures of {height} x {width} pixels ({_reason(error)}); pass "
                "another image_size, or none for its own."
            ) from error
        raise _not_loaded(handle, source, error) from error


def _builds(kind: Any, source: str) -> bool:
    """Say whether a preset is sound but for the size of pictures that was asked of it."""
    try:
        kind.from_preset(source)
    except LOAD_ERRORS:
        return False
    return True


def _not_loaded(handle: str, source: str, error: Exception) -> WeightsError:
    """Tell why KerasHub does not load a preset."""
    reason = _reason(error)
    if Path(source).is_dir():
        return WeightsError(
            f"kerashub:{handle} is no whole preset ({reason}); write the folder again with save_to_preset, "
            "or fetch it again."
        )
    return WeightsError(
        f"kerashub:{handle} cannot be had from {source} ({reason}); check the name, and where it is asked "
        "for, accept its terms there and sign in (KAGGLE_API_TOKEN or HF_TOKEN)."
    )


def _reason(error: Exception) -> str:
    """Return the first line of what KerasHub says."""
    return str(error).strip().split("\n")[0].rstrip(".:")


def _size(handle: str, backbone: Any, asked: tuple[int, int] | None) -> tuple[int, int]:
    """Return (height, width) of the pictures that a built backbone takes."""
    _, height, width, _ = backbone.inputs[0].shape
    if height is None or width is None:
        raise SettingError(
            f"kerashub:{handle} takes pictures of any size and names none as its own; pass image_size."
        )
    if asked not in (None, (height, width)):
        raise SettingError(
            f"kerashub:{handle} takes no pictures of {asked[0]} x {asked[1]} pixels: its weights are for "
            f"{height} x {width}; leave image_size out."
        )
    return height, width


def _scaled(image: KerasTensor, converter: Any, asked: PixelRange | None, *, label: str) -> KerasTensor:
    """Bring pixels to what the preset takes, as its own converter does."""
    if converter is None:
        return in_range(image, checked_range(asked, label=label, advice=ASKED))
    if asked is not None:
        raise SettingError(
            f"{label} says itself which values it takes, so leave pixel_range out, got {asked}."
        )
    return rescaled(image, scale=converter.scale, offset=converter.offset)


def _features(backbone: Any, pixels: KerasTensor, family: Family) -> KerasTensor:
    """Put a backbone behind pixels, and pool its tokens."""
    inputs = dict.fromkeys(backbone.input, pixels) if isinstance(backbone.input, dict) else pixels
    # Keras gives no other way to a functional model's layers on a new input; checked on 3.15.1.
    outputs = backbone(inputs) if family.whole else backbone.call(inputs)
    if family.features == "maps":
        return outputs[backbone.stage_names[-1]]
    if family.features == "map":
        return outputs
    if family.features == "token" and getattr(backbone, "use_class_token", True):
        patches = keras.layers.Cropping1D((0, outputs.shape[1] - 1), name="body_token")(outputs)
        return keras.layers.Flatten(name="body_features")(patches)
    return keras.layers.GlobalAveragePooling1D(name="body_features")(outputs)


def _called(handle: str) -> str:
    """Return what people call a preset: the name of its folder, or the last word without a version."""
    path = Path(handle).expanduser()
    return path.absolute().name if path.is_dir() else re.sub(r"/\d+$", "", handle).rpartition("/")[2]


def _origin(handle: str, source: str) -> Origin:
    """Tell which weights were loaded, with the digest of their file where they are in one."""
    # Where a folder lay on this machine is nobody's affair.
    label = f"kerashub:{_called(handle) if Path(handle).expanduser().is_dir() else handle}"
    utils = importlib.import_module("keras_hub.src.utils.preset_utils")
    try:
        file = Path(utils.get_file(source, utils.MODEL_WEIGHTS_FILE))
    except LOAD_ERRORS:
        return Origin("kerashub", label)
    return Origin("kerashub", label, file_sha256(file))
