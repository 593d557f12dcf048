"""What is said against what is true, one class a picture, under many weightings of the pictures at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

__all__ = ["Values", "Weights", "decision_figures", "f1_of", "mean_of_shown", "ratio"]

Weights = npt.NDArray[np.float32]
"""How much each picture counts, shape (pictures, weightings)."""

Values = npt.NDArray[np.float64]
"""One value a weighting, NaN where the figure is undefined."""


def decision_figures(
    truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64], weights: Weights, *, classes: int
) -> dict[str, Values]:
    """Return the figures that a confusion matrix tells, by name.

    Args:
        truth: True classes, shape (pictures,).
        said: Classes that are said, shape (pictures,).
        weights: How much each picture counts, shape (pictures, weightings).
        classes: How many classes there are.

    Returns:
        Shape (weightings,) each: ``accuracy``; ``balanced_accuracy`` and ``macro_f1``, of the classes that
        have weight; ``weighted_f1``; and ``cohen_kappa``, which is undefined where one class is all there is
        and all that is said.

    >>> ones = np.ones((4, 1), np.float32)
    >>> figures = decision_figures(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), ones, classes=2)
    >>> {name: round(float(value[0]), 3) for name, value in figures.items()}
    {'accuracy': 0.75, 'balanced_accuracy': 0.833, 'macro_f1': 0.733, 'weighted_f1': 0.767,
     'cohen_kappa': 0.5}
    """
    right = truth == said
    shown, given = (_by_class(labels, weights, classes) for labels in (truth, said))
    hits = _by_class(truth[right], weights[right], classes)
    total = weights.sum(axis=0, dtype=np.float64)
    f1 = f1_of(hits, shown=shown, given=given)
    agreed, by_chance = hits.sum(axis=0) / total, (shown * given).sum(axis=0) / total**2
    return {
        "accuracy": agreed,
        "balanced_accuracy": mean_of_shown(ratio(hits, shown), shown),
        "macro_f1": mean_of_shown(f1, shown),
        "weighted_f1": (shown * f1).sum(axis=0) / total,
        "cohen_kappa": ratio(agreed - by_chance, 1 - by_chance, empty=np.nan),
    }


def f1_of(hits: Values, *, shown: Values, given: Values) -> Values:
    """Return F1 of what is shown, given and both; 0 where nothing is shown or given."""
    return ratio(2 * hits, shown + given)


def mean_of_shown(values: Values, shown: Values) -> Values:
    """Average over classes, the first axis, those that have weight; NaN where none has."""
    present = shown > 0
    return ratio(np.where(present, values, 0).sum(axis=0), present.sum(axis=0), empty=np.nan)


def ratio(numerator: Values, denominator: npt.NDArray[np.number], *, empty: float = 0.0) -> Values:
    """Divide, and say ``empty`` where there is nothing to divide by."""
    found = np.full(numerator.shape, empty)
    np.divide(numerator, denominator, out=found, where=denominator != 0)
    return found


def _by_class(labels: npt.NDArray[np.int64], weights: Weights, classes: int) -> Values:
    """Sum weights by class, shape (classes, weightings)."""
    pictures = np.arange(len(labels))
    indicator = scipy.sparse.csr_array(
        (np.ones(len(labels), np.float32), (labels, pictures)), shape=(classes, len(labels))
    )
    return np.asarray(indicator @ weights, np.float64)
