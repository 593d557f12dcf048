"""All that a report says, as plain values: what ``report.json`` holds, and every page is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfxfer.backbones import BACKBONES
from tfxfer.contracts import PARTS
from tfxfer.data import Photos
from tfxfer.evaluation import Judgement, confident_errors, largest_errors, worst_mistakes
from tfxfer.exports import FORMATS
from tfxfer.reporting.choosing import to_explain
from tfxfer.reporting.findings import audit_facts
from tfxfer.reporting.summary import summarise
from tfxfer.runtime import read_json

__all__ = ["FORM", "gather", "with_files"]

FORM = 1
"""The number of this form of ``report.json``; it changes when a key changes its meaning or goes."""

_CONFUSIONS = 20
_MISTAKES = 24


def gather(
    folder: Path,
    report: Judgement,
    photos: Photos,
    *,
    parity: Mapping[str, Any],
    versions: Mapping[str, str],
    label_errors: Mapping[str, Any],
) -> dict[str, Any]:
    """Put together what there is to say of a bundle.

    Args:
        folder: The bundle, with its card and split.
        report: How good its model is on the test part.
        photos: The pictures.
        parity: Form -> how it does beside the model, as the manifest has it.
        versions: What it was made with.
        label_errors: From ``label_error_facts``.

    Returns:
        ``form`` (of this document, 1); ``task``; ``classes`` (or the names of numbers); ``headline`` (name,
        value, interval); ``summary`` (sentences); ``model`` (backbone, weights, licence, parameters, input);
        ``data`` (pictures by part and class, split, left out); ``audit`` (what is the matter with the others:
        counts and samples); ``test`` (the report's own ``to_dict()``); ``confusions`` (the likeliest pairs of
        classes); ``mistakes`` (the surest) and ``worst_mistakes`` (those that cost most; of numbers, the
        furthest off); ``label_errors``; ``explanations`` (which test pictures are explained);
        ``calibration``, ``rejection`` and ``training`` as the card has them, or None; ``files`` (what each
        form loses); ``settings``; ``versions``. In a bundle there is ``model_card_sha256`` beside.
    """
    card, said = read_json(folder / "card.json"), replace(report.predictions, files=_names(photos))
    name, value = report.headline
    test = report.to_dict()
    surest = [] if said.task == "regression" else confident_errors(said, most=_MISTAKES)
    worst = (largest_errors if said.task == "regression" else worst_mistakes)(said, most=_MISTAKES)
    facts = {
        "form": FORM,
        "task": said.task,
        "classes": list(said.classes),
        "headline": {"name": name, "value": value, "interval": test["intervals"].get(name)},
        "model": _model(card),
        "data": _data(folder, said.classes),
        "audit": audit_facts(photos),
        "test": test,
        "confusions": _confusions(test, said.classes),
        "mistakes": [each.to_dict() for each in surest],
        "worst_mistakes": [each.to_dict() for each in worst],
        "label_errors": dict(label_errors),
        "explanations": to_explain(said),
        "calibration": card.get("calibration"),
        "rejection": card.get("rejection"),
        "training": card.get("training"),
        "settings": card["settings"],
    }
    return with_files(facts, folder, parity=parity, versions=versions)


def with_files(
    facts: Mapping[str, Any], folder: Path, *, parity: Mapping[str, Any], versions: Mapping[str, str]
) -> dict[str, Any]:
    """Say of a bundle which forms it has now, all else being as it was.

    Args:
        facts: From ``gather``.
        folder: The bundle.
        parity: As there.
        versions: As there.
    """
    told = {**facts, "files": _files(folder, parity), "versions": dict(versions)}
    return {**told, "summary": summarise(told)}


def _names(photos: Photos) -> tuple[str, ...]:
    return tuple(photos.records[index].path for index in photos.split.test)


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
