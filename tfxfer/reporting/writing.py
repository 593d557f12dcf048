"""A report is written into a bundle: while the bundle is made, or anew into one that is there."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from tfxfer.backbones.weights_file import load_safely
from tfxfer.data import DataFrame, Photos
from tfxfer.errors import BundleError, SettingError, TfxferWarning
from tfxfer.evaluation import Judgement, LabelError, check_label_errors, evaluate, likely_label_errors
from tfxfer.exports import FORMATS, Artifact, made_with, parity_of, trained_on, write_manifest
from tfxfer.models import build
from tfxfer.reporting.facts import gather, with_files
from tfxfer.reporting.findings import label_error_facts
from tfxfer.reporting.pages import REPORT_FILES, card_page, html_page, short_page
from tfxfer.reporting.pictures import explained, samples, small
from tfxfer.runtime import (
    OWN_MARK,
    check_bundle,
    check_digest,
    check_rest,
    check_target,
    file_sha256,
    read_checked,
    read_json,
    whole_folder,
)

__all__ = ["add_report", "refresh_report", "write_report"]

_START = ("backbone", "weights", "weights_sha256", "image_size", "pixel_range", "seed")
"""The settings that say what a run started from."""

_OF_CARD = "model_card_sha256"
"""What ``report.json`` has the digest of the model card by, as it was written last."""

_NOBODY_LOOKED = "nobody looked for them; tfxfer report DIR --label-errors does"


def add_report(
    model: keras.Model,
    photos: Photos,
    report: Judgement,
    folder: Path,
    artifacts: Sequence[Artifact],
    *,
    label_errors: Sequence[LabelError] | None = None,
) -> None:
    """Write the report into the folder of a bundle to be, as ``export`` calls what is written beside.

    Args:
        model: The model.
        photos: The pictures it was trained on.
        report: How good it is on their test part.
        folder: The folder, with card, split and forms.
        artifacts: The forms.
        label_errors: From ``likely_label_errors``; None where nobody looked.
    """
    parity = {each.format: parity_of(each) for each in artifacts}
    doubted = label_error_facts(photos, _NOBODY_LOOKED if label_errors is None else label_errors)
    facts = gather(folder, report, photos, parity=parity, versions=made_with(), label_errors=doubted)
    _write(folder, model, photos, facts)


def refresh_report(model: keras.Model, photos: Photos, folder: Path, *, parity: Mapping[str, Any]) -> None:
    """Have the report of a bundle tell of the forms that are there now; where it has none, it gets none.

    What else it says stays, and is not computed again; a model card that was filled in stays whole.

    Args:
        model: The model.
        photos: The pictures it was trained on.
        folder: The bundle to be.
        parity: Form -> how it does beside the model, as the manifest will have it.

    Warns:
        TfxferWarning: The model card was filled in, so that it does not tell of the forms.
    """
    if not any((folder / name).is_file() for name in REPORT_FILES):
        return
    about: dict[str, Any] = {"parity": parity, "versions": made_with()}
    earlier = _earlier(folder)
    if earlier:
        facts = with_files(earlier, folder, **about)
    else:
        doubted = label_error_facts(photos, _NOBODY_LOOKED)
        facts = gather(folder, evaluate(model, photos), photos, label_errors=doubted, **about)
    _write(folder, model, photos, facts, earlier=earlier)


def write_report(
    bundle: str | Path,
    *,
    photos: Photos | str | Path | DataFrame | None = None,
    label_errors: bool = False,
) -> tuple[Path, ...]:
    """Judge a bundle's model again on its test pictures, and write its report anew.

    ``report.html`` is one page for people, with everything in it; ``report.json`` the same as data;
    ``report.md`` in short; ``MODEL_CARD.md`` what the model is for, as far as that can be told from data. The
    page holds small pictures of the data set. A model card that was filled in stays whole. The bundle is
    replaced in one step, or stays as it was.

    Args:
        bundle: What ``tfxfer.export`` or ``tfxfer train`` wrote, ``"keras"`` among its forms.
        photos: The pictures it was trained on, or where they are; None looks where they were then.
        label_errors: Whether to look for labels that are likely wrong, as ``likely_label_errors`` does, by
            the backbone as it was before training; else those that the report had stay.

    Returns:
        The four files.

    Raises:
        BundleError: The folder is no bundle, was exported without ``"keras"``, or is damaged.
        WeightsError: ``model.keras`` does not open in Keras's safe mode; or the backbone's weights cannot be
            had again.
        MissingExtra: Label errors are wanted, and cleanlab is not installed.
        SettingError: Pictures of other classes; or none are given, and it is not known where they were. Label
            errors are wanted of pictures that do not show one class each, or it is not known which backbone
            was trained.
        DataError: The pictures are not where they were, or are others; or a class has too few for label
            errors.

    Warns:
        TfxferWarning: The model card was filled in, and is not written anew; or some of the pictures are
            missing.
    """
    folder = check_bundle(bundle)
    file = FORMATS["keras"].filename
    check_digest(folder, file)
    check_target(folder, force=True)
    check_rest(folder, but=REPORT_FILES)
    known = trained_on(folder, photos)
    before, earlier = read_json(folder / OWN_MARK), _earlier(folder)
    if label_errors:
        doubted = label_error_facts(known, likely_label_errors(_untrained(folder, known), known))
    else:
        doubted = earlier["label_errors"] if earlier else label_error_facts(known, _NOBODY_LOOKED)
    model = load_safely(folder / file, advice="export the model again.")
    about: dict[str, Any] = {
        "parity": before["parity"],
        "versions": before["versions"],
        "label_errors": doubted,
    }
    facts = gather(folder, evaluate(model, known), known, **about)
    with whole_folder(folder, force=True) as draft:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
        _write(draft, model, known, facts, earlier=earlier)
        write_manifest(draft, (), before=before)
    return tuple(folder / name for name in REPORT_FILES)


def _untrained(folder: Path, photos: Photos) -> keras.Model:
    """Build the model of a bundle anew, as it was before it learnt."""
    check_label_errors(photos)
    settings = read_checked(folder, "card.json")["settings"]
    if "backbone" not in settings:
        raise SettingError(
            f"{folder} does not say which backbone was trained, and label errors are found by what that "
            "sees; call likely_label_errors with a model from build."
        )
    start = {name: settings[name] for name in _START if settings.get(name) is not None}
    if "pixel_range" in start:
        start["pixel_range"] = tuple(start["pixel_range"])
    return build(photos, **{"weights": None, **start})


def _earlier(folder: Path) -> dict[str, Any] | None:
    """Read what the report of a bundle says; None where there is none that is as it was written."""
    try:
        return read_checked(folder, "report.json")
    except BundleError:
        return None


def _filled_in(folder: Path, earlier: Mapping[str, Any] | None) -> bool:
    """Say whether somebody has written into the model card."""
    card = folder / "MODEL_CARD.md"
    if earlier is None or not card.is_file():
        return card.is_file()
    if _OF_CARD in earlier:  # the manifest has the digest of one that was filled in, once it was kept
        return bool(file_sha256(card) != earlier[_OF_CARD])
    return card.read_text(encoding="utf-8") != card_page(earlier)


def _write(
    folder: Path,
    model: keras.Model,
    photos: Photos,
    facts: Mapping[str, Any],
    *,
    earlier: Mapping[str, Any] | None = None,
) -> None:
    shown = samples(photos)
    named = [shown, *(facts[name] for name in ("audit", "mistakes", "worst_mistakes", "label_errors"))]
    pictures = {
        "samples": shown,
        "small": small(photos, named),
        "explained": explained(model, photos, facts["explanations"]),
    }
    card, digest = folder / "MODEL_CARD.md", (earlier or {}).get(_OF_CARD)
    if _filled_in(folder, earlier):
        warnings.warn(
            "MODEL_CARD.md was filled in, and stays as it is; take from report.md what has changed, or "
            "delete it and run tfxfer report for a new one.",
            TfxferWarning,
            stacklevel=4,
        )
    else:
        card.write_text(card_page(facts), encoding="utf-8")
        digest = file_sha256(card)
    facts = {**facts, _OF_CARD: digest} if digest else facts
    pages = {
        "report.html": html_page(facts, pictures),
        "report.json": json.dumps(facts, indent=2, allow_nan=False) + "\n",
        "report.md": short_page(facts),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
