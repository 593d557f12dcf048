"""How far an exported file may be from its model in what it knows and what is none of the classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfxfer.errors import BundleError
from tfxfer.evaluation import Rejection
from tfxfer.exports.artifact import KnownComparison
from tfxfer.exports.parity import PARITY_BOUND, Bounds
from tfxfer.runtime import check_digest

__all__ = ["REJECTION_NAME", "KnownYardstick", "read_rejection", "write_rejection"]

REJECTION_NAME = "rejection.npz"


@dataclass(frozen=True, slots=True, eq=False)
class KnownYardstick:
    """What a model says of pictures, from 0 on that they show one of its classes.

    Attributes:
        expected: The model's own, shape (pictures,), float32.
        spread: What a difference is measured in: the standard deviation over validation pictures.
    """

    expected: npt.NDArray[np.float32]
    spread: float

    def compare(self, said: npt.NDArray[np.float32]) -> KnownComparison:
        """Hold what a file says of the same pictures against the model.

        Args:
            said: Shape (pictures,), float32.
        """
        scale = self.spread or 1.0
        differences = np.abs(said.astype(np.float64) - self.expected) / scale
        other = (said >= 0) != (self.expected >= 0)
        return KnownComparison(
            images=len(said),
            disagreements=int(np.sum(other & (np.abs(self.expected) / scale > PARITY_BOUND))),
            agreement=float(np.mean(~other)),
            largest_difference=float(differences.max()),
            mean_difference=float(differences.mean()),
            turned_away=int(np.sum(said < 0)),
        )

    def complaint(self, found: KnownComparison, bounds: Bounds) -> str:
        """Say what of a form is past its bounds; nothing where it is within them."""
        # Written so that NaN, which compares with nothing, is refused.
        if bounds.exact:
            if not found.disagreements and found.largest_difference <= PARITY_BOUND:
                return ""
            return (
                f"disagrees with the model on whether {found.disagreements} of {found.images} pictures show "
                f"any of the classes (largest difference {found.largest_difference:.2g} standard deviations, "
                f"bound {PARITY_BOUND:g})"
            )
        others = (1 - found.agreement) * found.images
        few = others <= max((1 - bounds.agreement) * found.images, 1) + 1e-6
        if few and found.mean_difference <= bounds.known:
            return ""
        return (
            f"says the same as the model of {found.agreement:.1%} of {found.images} pictures on whether they "
            f"show any of the classes (bound {bounds.agreement:.1%}), {found.mean_difference:.2g} standard "
            f"deviations off in the mean (bound {bounds.known:g})"
        )


def write_rejection(folder: Path, rejection: Rejection) -> None:
    """Keep in a bundle to be what tells pictures of none of the classes, for further forms."""
    arrays = {"origin": rejection.origin, "basis": rejection.basis}
    # As the files have it; whole, it would take twice the room.
    kept: dict[str, Any] = {name: array.astype(np.float32) for name, array in arrays.items()}
    for name in ("share", "threshold", "images", "spread", "alpha"):
        kept[name] = getattr(rejection, name)
    np.savez(folder / REJECTION_NAME, **kept)


def read_rejection(folder: Path) -> Rejection:
    """Return what ``write_rejection`` kept.

    Raises:
        BundleError: It is not there, since the bundle is of a version that did not keep it, or is damaged.
    """
    file = folder / REJECTION_NAME
    if not file.exists():
        raise BundleError(
            f"{folder} tells what is none of its classes, and has no {REJECTION_NAME} that says how: it is "
            "of an earlier version; train it again."
        )
    check_digest(folder, REJECTION_NAME)
    with np.load(file, allow_pickle=False) as kept:
        return Rejection(
            share=float(kept["share"]),
            threshold=float(kept["threshold"]),
            images=int(kept["images"]),
            spread=float(kept["spread"]),
            origin=kept["origin"].astype(np.float64),
            basis=kept["basis"].astype(np.float64),
            alpha=float(kept["alpha"]),
        )
