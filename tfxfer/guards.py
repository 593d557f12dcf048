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
        kept: ``"probe"`` where the probe is better by more than chance, and the model has its weights.
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
        gain, colours = (
            Lead(*(factor * each for each in (lead.value, lead.low, lead.high)))
            for lead in (self.over_probe, self.over_colours)
        )
        places = 1 if unit == "points" else 3

        def interval(low: float, high: float) -> str:
            return f"(95 % {low:.{places}f} to {high:.{places}f})"

        if gain.high < 0:
            done = (
                "the frozen backbone with a linear probe is kept"
                if self.kept == "probe"
                else "it is kept nevertheless, since a linear probe cannot be put into a head like this"
            )
            worse = f"{-gain.value:.{places}f} {unit} {interval(-gain.high, -gain.low)}"
            return f"fine-tuning made it worse by {worse} than the frozen features; {done}."
        verb, over = ("gained", "over") if gain.value >= 0 else ("lost", "against")
        chance = ", which may be chance" if colours.low <= 0 else ""
        return (
            f"fine-tuning {verb} {abs(gain.value):.{places}f} {unit} {over} the frozen features "
            f"{interval(gain.low, gain.high)}; it is {colours.value:.{places}f} above colours alone{chance}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON, and as a sentence."""
        return {**asdict(self), "sentence": str(self)}
