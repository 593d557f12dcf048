"""What came of a run, in sentences for people who do not read tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scipy.stats import binomtest

__all__ = ["summarise"]

_NUMBERS = 3
"""So many numbers are told one by one at most."""

_CLOSE = 0.03
_ROUGH = 0.1
"""Probabilities that are off by no more than the first can be read as they are, by the second roughly."""


def summarise(facts: Mapping[str, Any]) -> list[str]:
    """Say it in a few sentences.

    Args:
        facts: What ``gather`` puts together, this excepted.
    """
    tellers = (_headline, _numbers, _kept, _guard, _confidence, _known, _confusion, _data, _files)
    return [sentence for teller in tellers if (sentence := teller(facts))]


def _headline(facts: Mapping[str, Any]) -> str:
    (name, value, interval), images = facts["headline"].values(), facts["data"]["pictures"]["test"]
    seen = f"{_pictures(images)} that it had not seen before"
    if name == "accuracy":
        told = f"It gives {value:.1%} of {seen} the right label."
    elif name == "r2" and value < 0:
        return f"On {seen}, it is further off than always saying the mean of the numbers would be."
    elif name == "r2":
        told = (
            f"On {seen}, it accounts for {value:.1%} of how the numbers vary; always saying their mean "
            "accounts for none of it."
        )
    else:
        told = (
            f"On {seen}, its mean average precision is {value:.1%}: 100 % would be every label ranked right."
        )
    if interval is None:
        return told
    low, high = interval["low"], interval["high"]
    if name == "accuracy" and low == high:
        # Where all are right, or none is, so is every draw of the bootstrap; pictures to come need not be.
        low, high = binomtest(round(value * images), images).proportion_ci()
    return f"{told} With other pictures of the same kind, expect {low:.1%} to {high:.1%}."


def _numbers(facts: Mapping[str, Any]) -> str:
    told = [
        f"{each['mean_absolute_error']:.4g} in “{each['name']}” (always saying its mean: "
        f"{each['baseline_mean_absolute_error']:.4g})"
        for each in facts["test"].get("per_number", ())[:_NUMBERS]
    ]
    return f"On average, it is off by {', '.join(told)}." if told else ""


def _kept(facts: Mapping[str, Any]) -> str:
    training = facts["training"]
    if training is None:
        return ""
    if (training.get("guard") or {}).get("kept") == "probe":
        return ""  # the guard says so
    phase = next(phase for phase in training["phases"] if phase["name"] == training["kept"])
    count = len(phase["history"]["val_loss"])
    of = f"the average of {len(phase['soup'])} epochs" if phase["soup"] else f"epoch {phase['best_epoch']}"
    return (
        f"Of what training tried, {of} of {count} of the phase “{phase['name']}” had the lowest loss on "
        "validation."
    )


def _guard(facts: Mapping[str, Any]) -> str:
    guard = (facts["training"] or {}).get("guard")
    return f"{guard['sentence'][0].upper()}{guard['sentence'][1:]}" if guard else ""


def _confidence(facts: Mapping[str, Any]) -> str:
    found = facts["test"].get("calibration")
    if found is None:
        return ""
    error = found["expected_calibration_error"]
    filled = [each for each in found["bins"] if each["count"]]
    total = sum(each["count"] for each in filled)
    lean = sum(each["count"] * (each["confidence"] - each["accuracy"]) for each in filled) / total
    direction = f", mostly too {'sure' if lean > 0 else 'unsure'}" if abs(lean) > error / 2 > 0 else ""
    off = f"they are off by {100 * error:.1f} points on average{direction}"
    if error <= _CLOSE:
        return f"Its probabilities can be read as they are: {off}."
    if error <= _ROUGH:
        return f"Its probabilities are a rough guide: {off}."
    return f"Do not take its probabilities at their word: {off}."


def _known(facts: Mapping[str, Any]) -> str:
    told = [
        each["known"]
        for each in facts["files"]
        if each.get("known") and not each["known"]["refused"] and "turned_away" in each["known"]
    ]
    if not told:
        return ""
    away, images = told[0]["turned_away"], told[0]["images"]
    return (
        f"Of {_pictures(images)} that each show one of its classes, it turns {away:,} ({away / images:.1%}) "
        f"away as none of them; it was set to turn away up to {facts['rejection']['share']:.1%} on average."
    )


def _confusion(facts: Mapping[str, Any]) -> str:
    if facts["task"] != "single_label":
        return ""
    if not facts["confusions"]:
        return "It took no test picture for another class."
    worst = facts["confusions"][0]
    if worst["pictures"] == 1:
        return "It took no class for the same other one more than once."
    return (
        f"Most often, it took “{worst['shown']}” for “{worst['said']}”: {worst['pictures']} of "
        f"{_pictures(worst['of'])}."
    )


def _data(facts: Mapping[str, Any]) -> str:
    leaks, conflicts = (facts["audit"]["counts"][kind] for kind in ("leaks", "conflicting_labels"))
    told = []
    if leaks:
        told.append(
            f"Pictures that look alike are in several parts of the split ({_groups(leaks)}), so that these "
            "figures may be too good."
        )
    if conflicts:
        told.append(f"Pictures that look alike are labelled differently ({_groups(conflicts)}).")
    return " ".join(told)


def _files(facts: Mapping[str, Any]) -> str:
    files = [each for each in facts["files"] if not each["refused"]]
    refused = [each for each in facts["files"] if each["refused"]]
    if not facts["files"]:
        return ""
    told = _not_there([each["file"] for each in refused if each["images"]], "lost more than allowed")
    told += _not_there([each["file"] for each in refused if not each["images"]], "did not run")
    other = [each for each in files if each["agreement"] < 1]
    if not other and files:
        same = f"All exported files say what the model says, on {_pictures(files[0]['images'])} compared."
        return f"{same}{told}"
    lines = "; ".join(
        f"{each['file']} says the same of {each['agreement']:.1%} of {_pictures(each['images'])}"
        for each in other
    )
    return f"{f'Of the exported files, {lines}.' if other else ''}{told}".strip()


def _not_there(files: Sequence[str], why: str) -> str:
    return f" {', '.join(files)} {why} and {'are' if files[1:] else 'is'} not there." if files else ""


def _groups(count: int) -> str:
    return f"{count:,} group{'' if count == 1 else 's'}"


def _pictures(count: int) -> str:
    return f"{count:,} picture{'' if count == 1 else 's'}"
