"""How well scores put pictures that show a class before the others, under many weightings at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse

from tfxfer.evaluation.weighted.decisions import Values, Weights, mean_of_shown, ratio

__all__ = ["Ordering", "mean_orderings", "ordering"]


class Ordering(NamedTuple):
    """How well scores tell pictures that show a class from those that do not; one value a weighting.

    Attributes:
        roc_auc: Area under the ROC curve; NaN where all pictures show the class or none does.
        average_precision: Precision over all thresholds, weighted by the recall each adds; NaN where no
            picture shows the class.
    """

    roc_auc: Values
    average_precision: Values


def ordering(shows: npt.NDArray[np.bool_], scores: npt.NDArray[np.float32], weights: Weights) -> Ordering:
    """Judge how scores order pictures.

    Args:
        shows: Which pictures show the class, shape (pictures,).
        scores: How sure it is that they do, shape (pictures,).
        weights: How much each picture counts, shape (pictures, weightings).

    Returns:
        The areas; of equal scores, half of the pairs count as ordered rightly.

    >>> ones = np.ones((4, 1), np.float32)
    >>> area, precision = ordering(np.array([True, False, True, False]), np.float32([4, 3, 2, 1]), ones)
    >>> round(float(area[0]), 3), round(float(precision[0]), 3)  # (1/1 + 2/3) / 2
    (0.75, 0.833)
    """
    # Every sum over what scores above a picture changes only where one that shows the class comes: between
    # these, pictures are summed up at once, which is what makes a hundred classes a matter of seconds.
    order = np.argsort(-scores, kind="stable")
    ranked, positive = scores[order], shows[order]
    levels = np.unique(-ranked[positive])  # descending scores
    starts = np.searchsorted(-ranked, levels, side="left")
    ends = np.searchsorted(-ranked, levels, side="right")
    bounds = np.unique(np.concatenate(([0], starts, ends, [len(scores)])))
    sums = _summed(order, bounds, weights).cumsum(axis=0)
    above = np.concatenate((np.zeros((1, weights.shape[1])), sums))
    at_least, higher = above[np.searchsorted(bounds, ends)], above[np.searchsorted(bounds, starts)]
    mine = order[positive]
    own = _summed(mine, np.searchsorted(-ranked[positive], np.append(levels, np.inf)), weights)
    found = own.cumsum(axis=0)
    shown = own.sum(axis=0)
    others = above[-1] - shown
    beaten = others - (at_least - found) + 0.5 * (at_least - higher - own)
    return Ordering(
        roc_auc=ratio((own * beaten).sum(axis=0), shown * others, empty=np.nan),
        average_precision=ratio((own * ratio(found, at_least)).sum(axis=0), shown, empty=np.nan),
    )


def mean_orderings(
    truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.float32], weights: Weights
) -> dict[str, Values]:
    """Average over the classes for which each area is defined.

    Args:
        truth: Which classes pictures show, shape (pictures, classes).
        scores: Shape (pictures, classes).
        weights: Shape (pictures, weightings).

    Returns:
        ``roc_auc`` and ``mean_average_precision``, shape (weightings,) each; NaN where no class has any.
    """
    areas = [ordering(truth[:, label], scores[:, label], weights) for label in range(scores.shape[1])]
    return {
        "roc_auc": _mean_of_defined(np.array([area.roc_auc for area in areas])),
        "mean_average_precision": _mean_of_defined(np.array([area.average_precision for area in areas])),
    }


def _mean_of_defined(values: Values) -> Values:
    return mean_of_shown(values, np.isfinite(values).astype(np.float64))


def _summed(pictures: npt.NDArray[np.intp], bounds: npt.NDArray[np.intp], weights: Weights) -> Values:
    """Sum the weights of pictures between bounds, shape (bounds - 1, weightings)."""
    ones = np.ones(len(pictures), np.float32)
    between = scipy.sparse.csr_array((ones, pictures, bounds), shape=(len(bounds) - 1, len(weights)))
    return np.asarray(between @ weights, np.float64)
