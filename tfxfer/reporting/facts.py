"""All that a report says, as plain values: what ``report.json`` holds, and every page is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfxfer.backbones import BACKBONES
from tfxfer.contracts import PARTS
from tfxfer.evaluation import Judgement, confident_errors
from tfxfer.exports import FORMATS
from tfxfer.reporting.summary import summarise
from tfxfer.runtime import read_json

__all__ = ["FORM", "gather"]

FORM = 1
"""The number of this form of ``report.json``; it changes when a key changes its meaning or goes."""

_CONFUSIONS = 20
_MISTAKES = 24


def gather(
    folder: Path,
    report: Judgement,
    *,
    files: Sequence[str],
    parity: Mapping[str, Any],
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """Put together what there is to say of a bundle.

    Args:
        folder: The bundle, with its card and split.
        report: How good its model is on the test part.
        files: What the pictures of the test part are called, in the report's order.
        parity: Form -> how it does beside the model, as the manifest has it.
        versions: What it was made with.

    Returns:
        ``form`` (of this document, 1); ``task``; ``classes`` (or the names of numbers); ``headline`` (name,
        value, interval); ``summary`` (sentences); ``model`` (backbone, weights, licence, parameters, input);
        ``data`` (pictures by part and class, split, left out); ``test`` (the report's own ``to_dict()``);
        ``confusions`` (the likeliest pairs of classes); ``mistakes`` (the surest); ``calibration``,
        ``rejection`` and ``training`` as the card has them, or None; ``files`` (what each form loses);
        ``settings``; ``versions``.
    """
    card, said = read_json(folder / "card.json"), replace(report.predictions, files=tuple(files))
    several = said.task != "regression"
    name, value = report.headline
    test = report.to_dict()
    facts = {
        "form": FORM,
        "task": said.task,
        "classes": list(said.classes),
        "headline": {"name": name, "value": value, "interval": test["intervals"].get(name)},
        "model": _model(card),
        "data": _data(folder, said.classes),
        "test": test,
        "confusions": _confusions(test, said.classes),
        "mistakes": [each.to_dict() for each in confident_errors(said, most=_MISTAKES)] if several else [],
        "calibration": card.get("calibration"),
        "rejection": card.get("rejection"),
        "training": card.get("training"),
        "files": _files(folder, parity),
        "settings": card["settings"],
        "versions": dict(versions),
    }
    return {**facts, "summary": summarise(facts)}


def _model(card: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: card[name] for name in ("backbone", "weights", "parameters", "input")}
    asked = card["settings"].get("backbone", card["backbone"])
    spec = next((spec for spec in BACKBONES if spec.name == asked), None)
    return {
        **told,
        "licence": spec.licence if spec else "",
        "licence_source": spec.licence_source if spec else "",
    }


def _data(folder: Path, classes: Sequence[str]) -> dict[str, Any]:
    split = read_json(folder / "split.json")
    counts = {part: Counter(name for entry in split[part] for name in _shown(entry)) for part in PARTS}
    left_out = folder / "left_out.json"
    rows = [{"name": name, **{part: counts[part][name] for part in PARTS}} for name in classes]
    return {
        "pictures": {part: len(split[part]) for part in PARTS},
        # Numbers have no classes to be counted by.
        "classes": rows if any(counts.values()) else [],
        "seed": split["seed"],
        "given": split["given"],
        "grouped": any("group" in entry for part in PARTS for entry in split[part]),
        "left_out": read_json(left_out)["left_out"] if left_out.is_file() else None,
    }


def _shown(entry: Mapping[str, Any]) -> list[str]:
    return [entry["class"]] if "class" in entry else entry.get("classes", [])


def _confusions(test: Mapping[str, Any], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the pairs of classes that are most often taken for one another, the worst first."""
    pairs = [
        {"shown": classes[row], "said": classes[column], "pictures": count, "of": sum(counts)}
        for row, counts in enumerate(test.get("confusion", ()))
        for column, count in enumerate(counts)
        if count and row != column
    ]
    return sorted(pairs, key=lambda pair: (-pair["pictures"], -pair["pictures"] / pair["of"]))[:_CONFUSIONS]


def _files(folder: Path, parity: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = []
    for form, figures in parity.items():
        path = folder / FORMATS[form].filename
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        size = sum(file.stat().st_size for file in files)
        kept = {name: value for name, value in figures.items() if name != "tried"}
        told.append({"form": form, "file": path.name, "bytes": size, **kept})
    return told
