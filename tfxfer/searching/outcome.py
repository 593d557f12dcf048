"""What a search found, as values and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tfxfer.searching.objective import JudgedBy
from tfxfer.searching.ranges import Value
from tfxfer.workflow import Run

__all__ = ["Search", "Trial", "ranked", "shown"]

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of settings, tried.

    Attributes:
        number: Which, counted from 0.
        state: ``"complete"``; ``"pruned"``, ended before its time since it fell behind; or ``"diverged"``.
        settings: What varied, and what it was set to.
        value: What it is judged by: of a pruned one as far as it came; None where it diverged.
        figures: Of a complete one, its loss and metric on the validation part.
        epochs: How many it ran, over all phases.
        seconds: Wall time.
        note: Why it diverged; else empty.
    """

    number: int
    state: Literal["complete", "pruned", "diverged"]
    settings: Mapping[str, Value]
    value: float | None
    figures: Mapping[str, float]
    epochs: int
    seconds: float
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return {
            "number": self.number,
            "state": self.state,
            "value": self.value,
            **{f"validation_{name}": value for name, value in self.figures.items()},
            "settings": dict(self.settings),
            "epochs": self.epochs,
            "seconds": round(self.seconds, 2),
            **({"note": self.note} if self.note else {}),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """All that ``search`` found; printed, it is a table of the best trials.

    Attributes:
        trials: All that came to an end, in order, those of earlier calls among them.
        judge: What they are judged by on the validation part.
        importances: Setting -> its share in how the results of complete trials differ, largest first, by
            fANOVA; empty with fewer than four of them.
        run: The best, trained again and judged on the test part.
        folder: Where ``study.db``, ``study.json``, ``study.png`` and the bundle ``best`` lie.
        seconds: Wall time of this call.

    Source:
        Hutter, Hoos & Leyton-Brown 2014, https://proceedings.mlr.press/v32/hutter14.html
    """

    trials: tuple[Trial, ...]
    judge: JudgedBy
    importances: Mapping[str, float]
    run: Run
    folder: Path
    seconds: float

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """Complete trials, the best first; of equals, the first tried."""
        return ranked(self.trials, self.judge)

    @property
    def best(self) -> Trial:
        """The trial whose settings the run has."""
        return self.ranked[0]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return {
            "judged_by": f"validation_{self.judge.name}",
            "best": self.best.to_dict(),
            "importances": dict(self.importances),
            "run": self.run.to_dict(),
            "trials": [trial.to_dict() for trial in self.trials],
            "seconds": round(self.seconds, 2),
        }

    def __str__(self) -> str:
        names, figures = list(self.best.settings), list(self.best.figures)
        heads = ["trial", *(figure.replace("_", " ") for figure in figures), "epochs", "seconds", *names]
        rows = [heads, *(self._row(trial, figures, names) for trial in self.ranked[:_SHOWN])]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.rjust, row, widths)) for row in rows]
        if self.importances:
            shares = ", ".join(f"{name} {share:.0%}" for name, share in self.importances.items())
            lines += ["", f"What made the difference: {shares}."]
        test = self.run.report.headline
        lines += [
            "",
            f"{self._counts()}, by {self.judge.name.replace('_', ' ')} on "
            f"{len(self.run.photos.split.validation)} validation pictures.",
            f"Trial {self.best.number} again: {test.name.replace('_', ' ')} {test.value:.3f} on "
            f"{len(self.run.photos.split.test)} test pictures, in {self.folder / 'best'}.",
        ]
        return "\n".join(lines)

    def _row(self, trial: Trial, figures: list[str], names: list[str]) -> list[str]:
        return [
            str(trial.number),
            *(f"{trial.figures[figure]:.3f}" for figure in figures),
            str(trial.epochs),
            f"{trial.seconds:.1f}",
            *(shown(trial.settings[name]) for name in names),
        ]

    def _counts(self) -> str:
        states = [trial.state for trial in self.trials]
        others = [f"{states.count(state)} {state}" for state in ("pruned", "diverged") if state in states]
        noun = "trial" if len(states) == 1 else "trials"
        return f"{len(states)} {noun}" + (f" ({', '.join(others)})" if others else "")


def ranked(trials: Sequence[Trial], judge: JudgedBy) -> tuple[Trial, ...]:
    """Return complete trials, the best first; of equals, the first tried."""
    complete = [trial for trial in trials if trial.state == "complete"]
    sign = -1 if judge.higher else 1
    return tuple(sorted(complete, key=lambda trial: sign * (trial.value or 0.0)))


def shown(value: Value) -> str:
    """Write a value as a cell of a table.

    >>> shown(0.00123456), shown(None), shown(3)
    ('0.00123', 'none', '3')
    """
    return "none" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
