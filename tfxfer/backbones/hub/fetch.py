"""A handle of TensorFlow Hub becomes a folder on this machine: fetched once, cached, never trusted."""

from __future__ import annotations

import http.client
import importlib
import re
import tempfile
import urllib.error
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tfxfer.backbones.hub.archive import unpack
from tfxfer.errors import WeightsError

__all__ = ["address_of", "module_folder"]

KAGGLE = re.compile(r"[\w.-]+/[\w.-]+/[Tt]ensor[Ff]low[12]/[\w.-]+(/\d+)?")
"""A model of Kaggle: owner/model/framework/variation, perhaps /version."""

TIMEOUT = 4.0
"""Seconds without a byte before a server is given up; TensorFlow Hub itself would wait for ever."""

FETCH_ERRORS = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


@contextmanager
def module_folder(handle: str) -> Iterator[Path]:
    """Yield the folder that a handle stands for; it may be gone afterwards.

    What lies on this machine is used from there. The rest goes through ``tensorflow_hub.resolve``,
    which caches by address in ``TFHUB_CACHE_DIR`` and is imported only then.

    Args:
        handle: A folder with a ``saved_model.pb``; a ``.tar.gz`` file; the http(s) address of one, or
            of a module's page; or a model of Kaggle, ``owner/model/tensorFlow2/variation/version``.

    Yields:
        The folder of the SavedModel.

    Raises:
        WeightsError: Nothing is there, it cannot be fetched, or the archive is damaged or refused.
    """
    path = Path(handle).expanduser()
    address = address_of(handle)
    if path.is_dir():
        yield _inner(path)
    elif path.is_file():
        with tempfile.TemporaryDirectory(prefix="tfxfer-archive-") as scratch:
            with path.open("rb") as file:
                unpack(file, Path(scratch), label=f"hub:{handle}")
            yield _inner(Path(scratch))
    elif address:
        yield _inner(_fetched(address, f"hub:{handle}"))
    else:
        raise WeightsError(
            f"hub:{handle} is neither a folder or archive on this machine nor an address; give a folder with "
            "a saved_model.pb, a .tar.gz file, an https:// address, or a model of Kaggle "
            "(owner/model/tensorFlow2/variation/version)."
        )


def address_of(handle: str) -> str | None:
    """Return the address that a handle is fetched from, or None where it is none.

    >>> address_of("google/mobilenet-v2/tensorFlow2/035-224-feature-vector/2")
    'https://www.kaggle.com/models/google/mobilenet-v2/tensorFlow2/035-224-feature-vector/2'
    >>> address_of("modules/mine")
    """
    if handle.startswith(("https://", "http://")):
        return handle
    return f"https://www.kaggle.com/models/{handle}" if KAGGLE.fullmatch(handle) else None


def _inner(folder: Path) -> Path:
    """Step into the one folder that holds a SavedModel, where the archive nested it."""
    if (folder / "saved_model.pb").is_file():
        return folder
    nested = [child for child in folder.iterdir() if (child / "saved_model.pb").is_file()]
    return nested[0] if len(nested) == 1 else folder


def _fetched(address: str, label: str) -> Path:
    """Have TensorFlow Hub look into its cache, or fetch."""
    try:
        resolver = importlib.import_module("tfxfer.backbones.hub.resolver")
    except ImportError as error:
        raise WeightsError(
            f"TensorFlow Hub does not load ({error}), so nothing can be fetched; install tensorflow-hub and "
            "setuptools below 82, or give a folder or .tar.gz file on this machine."
        ) from error
    try:
        return Path(resolver.resolved(address, label=label, timeout=TIMEOUT))
    except FETCH_ERRORS as error:
        raise WeightsError(_cannot_fetch(address, label, error)) from error


def _cannot_fetch(address: str, label: str, error: Exception) -> str:
    host = urllib.parse.urlsplit(address).netloc
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        reason = f"no answer within {TIMEOUT:g} seconds"
    return (
        f"{label} is not in the cache and cannot be fetched from {host} ({reason}); check the address and "
        "the network, set TFHUB_CACHE_DIR to a cache that has it, or give a folder or .tar.gz file on this "
        "machine."
    )
