"""The facts of a report as pages: HTML with its pictures, and the same in short as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup, escape

from tfxfer.data import AUDIT_TITLES
from tfxfer.reporting.charts import confusion_chart, curve_charts, reliability_chart, training_charts

__all__ = ["REPORT_FILES", "card_page", "html_page", "short_page"]

REPORT_FILES = ("report.html", "report.json", "report.md", "MODEL_CARD.md")
"""What a report is made of, in the folder of its bundle."""

_FIGURES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "micro_f1": "Micro F1",
    "weighted_f1": "Weighted F1",
    "subset_accuracy": "Every label right",
    "hamming_loss": "Hamming loss",
    "cohen_kappa": "Cohen's kappa",
    "roc_auc": "ROC AUC, mean of the classes",
    "mean_average_precision": "Mean average precision",
    "top_k_accuracy": "Top-{} accuracy",
    "r2": "R², mean of the numbers",
}
_RELIABILITY = {
    "expected_calibration_error": "Expected calibration error (ECE)",
    "brier_score": "Brier score",
    "log_loss": "Log loss",
}
_SHARES = {"accuracy", "balanced_accuracy", "subset_accuracy", "top_k_accuracy"}


def html_page(facts: Mapping[str, Any], pictures: Mapping[str, Any]) -> str:
    """Write the page.

    Args:
        facts: From ``gather``.
        pictures: ``samples``, ``small`` and ``explained``, from the room's ``pictures``.
    """
    drawn = {
        "training": training_charts(facts["training"]),
        "reliability": reliability_chart(facts["test"].get("calibration")),
        "curves": curve_charts(facts["test"]),
        "confusion": confusion_chart(facts["test"], facts["classes"]),
    }
    settings = json.dumps(facts["settings"], indent=2, ensure_ascii=False)
    shown: dict[str, Any] = {"pictures": pictures, "charts": drawn, "settings_text": settings}
    return _filled("report.html", facts, autoescape=True, **shown)


def short_page(facts: Mapping[str, Any]) -> str:
    """Write the same in short, as Markdown."""
    return _filled("report.md", facts, autoescape=False)


def card_page(facts: Mapping[str, Any]) -> str:
    """Write a model card, as Markdown; what only people know is left open.

    Source:
        Mitchell et al. 2019, https://arxiv.org/abs/1810.03993, section 4.
    """
    return _filled("MODEL_CARD.md", facts, autoescape=False)


def _filled(name: str, facts: Mapping[str, Any], *, autoescape: bool, **more: Any) -> str:
    environment = jinja2.Environment(
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(percent=_percent, number=_number, plain=_plain, figure=_figure, cell=_cell)
    template = resources.files("tfxfer.reporting").joinpath("templates", name).read_text(encoding="utf-8")
    # Among five classes or fewer, nobody asks for the five likeliest.
    there = {key for key in facts["test"] if key != "top_k_accuracy" or facts["test"][key] is not None}
    figures = [_row(facts["test"], key, title) for key, title in _FIGURES.items() if key in there]
    figures.sort(key=lambda row: row["key"] != facts["headline"]["name"])
    found = facts["test"].get("calibration", {})
    means = [_row({**facts["test"], **found}, key, title) for key, title in _RELIABILITY.items() if found]
    shown = {"figures": figures, "reliability": means, "kinds": AUDIT_TITLES}
    return environment.from_string(template).render(facts=facts, **shown, **more)


def _row(test: Mapping[str, Any], key: str, title: str) -> dict[str, Any]:
    interval = test["intervals"].get(key)
    form = "percent" if key in _SHARES else "number"
    titled = title.format(test.get("top_k"))
    return {"key": key, "title": titled, "value": test[key], "interval": interval, "form": form}


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}" if abs(value) >= 10 else f"{value:.3f}"


def _plain(value: float | None, form: str) -> str:
    """Write a figure as it is read: ``"percent"``, ``"count"``, ``"number"``, or ``"quantity"`` in a unit."""
    if form == "count":
        return f"{value:,}"
    if form == "quantity":
        return f"{value:.4g}"
    return _percent(value) if form == "percent" else _number(value)


def _figure(value: float | None, form: str = "number") -> Markup:
    """Write a figure as it is read, and with it as it is."""
    if value is None:
        return Markup("-")
    text = _plain(value, form)
    return Markup('<data value="{}">{}</data>').format(repr(value), text)


def _cell(text: object) -> str:
    """Have a text stand in a Markdown table, or in a line, as it is."""
    plain = re.sub(r"\s+", " ", str(text))
    return str(
        re.sub(r"([\\`*_\[\]|#~])", r"\\\1", str(escape(plain)).replace("&#34;", '"').replace("&#39;", "'"))
    )
