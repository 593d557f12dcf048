"""What the guard of a fit found: how fine-tuning did against what is had for less, on the same pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Guard", "GuardMeasure", "Kept", "Lead"]

GuardMeasure = Literal["accuracy", "binary_accuracy", "mean_absolute_error"]
"""Of one label the share of pictures that are right, of several that of labels, of numbers the error."""

Kept = Literal["fine-tuned", "probe"]

_WORDS: dict[GuardMeasure, tuple[float, str]] = {
    "accuracy": (100.0, "points"),
    "binary_accuracy": (100.0, "points"),
    "mean_absolute_error": (1.0, "standard deviations"),
}


@dataclass(frozen=True, slots=True)
class Lead:
    """By how much one thing is better than another, and the 95 % bootstrap interval of that.

    Attributes:
        value: The difference of the means over pictures; above 0 where it is better.
        low: The interval's lower end.
        high: Its upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Guard:
    """How a fine-tuned model did on validation pictures against what is had for less.

    Attributes:
        measure: What is measured; numbers' errors are in standard deviations of the training pictures.
        fitted: What the fine-tuned model reaches.
        probe: What a logistic (of numbers, ridge) regression on features of the backbone as it began reaches.
        colours: What one on histograms of colours reaches, which says whether pretraining is of any use.
        over_probe: By how much fine-tuning is better than the probe.
        over_colours: By how much it is better than colours.
        kept: ``"probe"`` where the probe is better by more than chance, or no phase after it was better, and
            the model has its weights.
        pictures: How many validation pictures it is told by.
        seconds: Wall time.
    """

    measure: GuardMeasure
    fitted: float
    probe: float
    colours: float
    over_probe: Lead
    over_colours: Lead
    kept: Kept
    pictures: int
    seconds: float

    def __str__(self) -> str:
        factor, unit = _WORDS[self.measure]
        lead = self.over_probe
        chance = ", which may be chance" if lead.low <= 0 <= lead.high else ""
        told = f"{_told(lead, factor, unit)} than a linear probe of the frozen features{chance}"
        doubt = ", which may be chance" if self.over_colours.low <= 0 else ""
        colours = f"{_told(self.over_colours, factor, unit)} than colours alone{doubt}"
        if self.kept == "probe" and not lead.value:
            return f"a linear probe of the frozen features is kept, {colours}."
        if self.kept == "probe":
            return f"the model is {told}, and the probe is kept."
        if lead.high < 0:
            return f"the model is {told}, and is kept nevertheless, since its head cannot take the probe."
        return f"the model is {told}, and {colours}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON, and as a sentence."""
        return {**asdict(self), "sentence": str(self)}


def _told(lead: Lead, factor: float, unit: str) -> str:
    places = 1 if unit == "points" else 3
    sign = 1 if lead.value >= 0 else -1
    low, high = sorted(sign * factor * end for end in (lead.low, lead.high))
    how = "better" if sign > 0 else "worse"
    size = f"{sign * factor * lead.value:.{places}f} {unit}"
    return f"{size} {how} (95 % {low:z.{places}f} to {high:z.{places}f})"
