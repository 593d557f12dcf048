"""Which distribution this package came in: tfxfer, or tfxfer-runtime, which only predicts."""

from __future__ import annotations

import warnings
from pathlib import Path

from tfxfer.errors import MissingExtra, TfxferWarning

__all__ = ["left_out", "tell_of_two"]

_WHOLE, _RUNTIME = "tfxfer", "tfxfer-runtime"
_HOME = Path(__file__).parents[2]


def left_out(error: ModuleNotFoundError, home: Path = _HOME) -> MissingExtra | None:
    """Say what to install where a package is missing because tfxfer-runtime does not bring it.

    Args:
        error: What was raised for want of the package.
        home: The folder that tfxfer is installed into.

    Returns:
        What to raise in its place, or None where something else is wrong.
    """
    if _installed(home).keys() != {_RUNTIME}:
        return None
    return MissingExtra(
        f"this needs {(error.name or '').partition('.')[0]}, which is not installed: {_RUNTIME}, which is, "
        f"only predicts. For all the rest, pip uninstall {_RUNTIME}, and then pip install {_WHOLE}."
    )


def tell_of_two(home: Path = _HOME) -> None:
    """Warn where both distributions are installed, which pip does not prevent.

    Args:
        home: The folder that tfxfer is installed into.
    """
    found = _installed(home)
    if len(found) == 2:
        warnings.warn(
            f"{_WHOLE} {found[_WHOLE]} and {_RUNTIME} {found[_RUNTIME]} are both installed, and are the same "
            "files: the later one counts, and uninstalling either takes them from the other. "
            f"pip uninstall {_WHOLE} {_RUNTIME}, and then install the one you want.",
            TfxferWarning,
            stacklevel=2,
        )


def _installed(home: Path) -> dict[str, str]:
    """Return the version of each that is installed there; a checkout is neither."""
    found = {}
    for folder in home.glob("tfxfer*.dist-info"):
        name, _, version = folder.stem.partition("-")
        found[name.replace("_", "-")] = version
    return {name: version for name, version in found.items() if name in (_WHOLE, _RUNTIME)}
