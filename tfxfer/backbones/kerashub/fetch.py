"""The name of a KerasHub preset becomes what KerasHub loads from: known, reachable, or in a cache."""

from __future__ import annotations

import http.client
import importlib
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tfxfer.errors import MissingExtra, SettingError, WeightsError, did_you_mean

__all__ = ["keras_hub_package", "preset_source"]

KAGGLE = re.compile(r"kaggle://([\w.-]+)/([\w.-]+)/([\w.-]+)/([\w.-]+)(?:/(\d+))?")
"""owner/model/framework/variation, perhaps /version."""

HUGGING_FACE = re.compile(r"hf://([\w.-]+/[\w.-]+)")
"""owner/model."""

HOSTS = {"kaggle": "https://api.kaggle.com", "hf": "https://huggingface.co"}

TIMEOUT = 4.0
"""Seconds for a server to answer; Kaggle's client would wait for ever, Hugging Face's for 23 seconds."""

CONFIG = "config.json"
"""The one file that every preset has."""


def keras_hub_package() -> Any:
    """Import KerasHub, which takes a while.

    Raises:
        MissingExtra: It is not installed, or does not load.
    """
    try:
        return importlib.import_module("keras_hub")
    except ImportError as error:
        raise MissingExtra(
            f"a preset of KerasHub needs keras-hub, which does not load ({error}); pip install "
            "'tfxfer[kerashub]'."
        ) from error


def preset_source(handle: str, known: dict[str, dict[str, Any]]) -> str:
    """Return what KerasHub shall load from, without asking a server that does not answer.

    Args:
        handle: The name of a preset, ``kaggle://…``, ``hf://…``, or a folder.
        known: KerasHub's own presets by name, each with its ``kaggle_handle``.

    Returns:
        A folder on this machine, or an address at a server that answers.

    Raises:
        SettingError: It is none of these.
        WeightsError: Its server does not answer, and it is not in the cache.
    """
    if Path(handle).expanduser().is_dir():
        return str(Path(handle).expanduser())
    address = known[handle]["kaggle_handle"] if handle in known else handle
    if found := KAGGLE.fullmatch(address):
        scheme, cache, folder = "kaggle", _kaggle_cache(), _kaggle_folder(found)
    elif found := HUGGING_FACE.fullmatch(address):
        scheme, cache, folder = "hf", _hugging_face_cache(), _hugging_face_folder(found[1])
    else:
        raise SettingError(_unknown(handle, known))
    host = HOSTS[scheme]
    reason = _unreachable(host)
    if not reason:
        return str(address)
    if folder:
        return str(folder)
    variable = {"kaggle": "KAGGLEHUB_CACHE", "hf": "HF_HOME"}[scheme]
    raise WeightsError(
        f"kerashub:{handle} is not in the cache ({cache}), and {host} cannot be reached ({reason}); connect "
        f"to the network, set {variable} to a cache that has it, give a folder that save_to_preset wrote, or "
        "take a backbone that `tfxfer backbones` lists."
    )


def _unknown(handle: str, known: dict[str, dict[str, Any]]) -> str:
    hint = did_you_mean(handle, known) or "."
    return (
        f"KerasHub has no preset {handle!r}, and no such folder is here{hint} Give the name of a preset "
        "(https://keras.io/keras_hub/presets lists them), kaggle://owner/model/keras/variation, "
        "hf://owner/model, or a folder that save_to_preset wrote."
    )


def _unreachable(host: str) -> str:
    """Say why a server does not answer; nothing where it does, with an error of its own too."""
    try:
        with urllib.request.urlopen(urllib.request.Request(host, method="HEAD"), timeout=TIMEOUT):
            return ""
    except urllib.error.HTTPError:
        return ""
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        return f"no answer within {TIMEOUT:g} seconds" if isinstance(reason, TimeoutError) else str(reason)


def _kaggle_cache() -> Path:
    return Path(importlib.import_module("kagglehub.config").get_cache_folder())


def _kaggle_folder(handle: re.Match[str]) -> Path | None:
    """Find the newest version in Kaggle's cache that the handle allows."""
    home = _kaggle_cache().joinpath("models", *handle.groups()[:4])
    versions = (
        [home / handle[5]] if handle[5] else sorted(home.glob("[0-9]*"), key=lambda path: int(path.name))
    )
    held = [version for version in versions if (version / CONFIG).is_file()]
    return held[-1] if held else None


def _hugging_face_cache() -> Path:
    return Path(importlib.import_module("huggingface_hub.constants").HF_HUB_CACHE)


def _hugging_face_folder(repository: str) -> Path | None:
    found = importlib.import_module("huggingface_hub").try_to_load_from_cache(repository, CONFIG)
    return Path(found).parent if isinstance(found, str) else None
