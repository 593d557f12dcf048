"""Which score tells pictures of classes that were held out: AUROC of each, on pairs of classes held out.

    python -m benchmarks.reject_scores FOLDER [--backbone mobilenet_v2_035] [--pairs 10] [--share 0.1]

FOLDER holds class folders. Of each pair of classes held out, a logistic regression learns the others on
the backbone's pooled features (70 % of the pictures). Fresh pictures of them (the last 15 %) are told from
those of the pair by: the largest probability (msp, the baseline), the energy of the logits, the Mahalanobis
distance to the nearest class, the cosine of the nearest training picture (knn), and ViM, as tfxfer has it.
ViM's threshold is chosen for the share on the 15 % between, and held against the fresh ones.

Prints a Markdown table: mean AUROC, its lowest, and on how many pairs it beats the baseline; then how many
fresh pictures were turned away, and the interval that the share allows.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.special
import scipy.stats
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler, normalize

import tfxfer
from tfxfer.evaluation.rejection import virtual_logit, virtual_space
from tfxfer.features import pooled_features

Numbers = npt.NDArray[np.float64]
STRENGTH = 1e-3


def main() -> None:
    """Read the options, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--backbone", default="mobilenet_v2_035")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--share", type=float, default=0.1)
    options = parser.parse_args()
    photos = tfxfer.from_folder(options.folder)
    model = tfxfer.build(photos, backbone=options.backbone)
    features = pooled_features(model, photos, range(len(photos))).astype(np.float64)
    labels = np.array([record.label for record in photos.records])
    pairs = list(combinations(range(len(photos.classes)), 2))
    chosen = np.random.default_rng(0).choice(len(pairs), min(options.pairs, len(pairs)), replace=False)
    areas: dict[str, list[float]] = {}
    turned_away = fresh = places = known = 0
    for pair in (pairs[index] for index in sorted(chosen)):
        held = np.isin(labels, pair)
        order = np.random.default_rng(1).permutation(np.flatnonzero(~held))
        parts = np.split(order, [int(0.7 * len(order)), int(0.85 * len(order))])
        learnt, choosing, judging = (features[part] for part in parts)
        scores = scorers(learnt, labels[parts[0]])
        for name, score in scores.items():
            said = np.concatenate((score(judging), score(features[held])))
            areas.setdefault(name, []).append(float(roc_auc_score(np.arange(len(said)) < len(judging), said)))
        place = int(options.share * (len(choosing) + 1))
        threshold = np.sort(scores["vim"](choosing))[place - 1]
        turned_away += int(np.sum(scores["vim"](judging) < threshold))
        fresh, places, known = fresh + len(judging), place, len(choosing)
    print(table(areas))
    one = fresh // len(chosen)
    low, high = scipy.stats.betabinom(one, places, known + 1 - places).ppf([0.025, 0.975])
    print(
        f"\nturned away: {turned_away} of {fresh} fresh pictures, {turned_away / len(chosen):.1f} of {one} "
    )
    print(f"a pair on average; of one pair, 95 % of draws are in {low:.0f}..{high:.0f}.")


def scorers(features: Numbers, labels: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return what scores features, higher being more like what was learnt."""
    scale = StandardScaler().fit(features)
    fitted = LogisticRegression(C=STRENGTH, max_iter=1000).fit(scale.transform(features), labels)
    kernel = (fitted.coef_ / scale.scale_).T
    bias = fitted.intercept_ - scale.mean_ @ kernel

    def logits(pictures: Numbers) -> Numbers:
        return pictures @ kernel + bias

    means = np.array([features[labels == label].mean(axis=0) for label in np.unique(labels)])
    nearest = means[np.searchsorted(np.unique(labels), labels)]
    inverse = LedoitWolf(assume_centered=True).fit(features - nearest).get_precision()

    def mahalanobis(pictures: Numbers) -> Numbers:
        gaps = pictures[:, np.newaxis] - means
        return -np.einsum("pcf,fg,pcg->pc", gaps, inverse, gaps, optimize=True).min(axis=1)

    space = virtual_space(features, logits(features), kernel, bias)
    return {
        "msp": lambda pictures: scipy.special.softmax(logits(pictures), axis=1).max(axis=1),
        "energy": lambda pictures: scipy.special.logsumexp(logits(pictures), axis=1),
        "mahalanobis": mahalanobis,
        "knn": lambda pictures: (normalize(pictures) @ normalize(features).T).max(axis=1),
        "vim": lambda pictures: virtual_logit(pictures, logits(pictures), *space),
    }


def table(areas: dict[str, list[float]]) -> str:
    """Return the figures as Markdown."""
    rows = ["| score | AUROC, mean | lowest | better than msp |", "|---|---|---|---|"]
    for name, found in areas.items():
        better = sum(own > base for own, base in zip(found, areas["msp"], strict=True))
        rows.append(f"| {name} | {np.mean(found):.3f} | {min(found):.3f} | {better} of {len(found)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
