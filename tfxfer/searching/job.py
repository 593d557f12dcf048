"""What one search does, trial after trial, and once more at its end: settings in, figures or a bundle out."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Self, cast

from rich.console import Console

from tfxfer.backbones import catalogued, is_outside
from tfxfer.config import Recipe
from tfxfer.contracts import PARTS, FeatureUse, Plan
from tfxfer.data import Photos, content_sha256
from tfxfer.errors import DivergedError, SettingError
from tfxfer.exports import export
from tfxfer.keeping import kept_recipe, write_recipe
from tfxfer.models import Anatomy, build
from tfxfer.reporting import add_report
from tfxfer.searching.objective import JudgedBy, Reporter, trained
from tfxfer.searching.outcome import Trial, ranked, shown
from tfxfer.searching.ranges import Value
from tfxfer.searching.recipes import Space, check_space, default_space, phases_of, recipe
from tfxfer.searching.settings import SETTINGS
from tfxfer.searching.study import suggested
from tfxfer.training import SOLVING
from tfxfer.workflow import BUILDING, LEARNING, Run, for_card, judged

__all__ = ["BUNDLE", "Job", "check_early", "teller"]

START = ("weights", "weights_sha256", "pixel_range")
BUNDLE = "best"
"""What the bundle of the best is called within the study's folder."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What all trials of a search share.

    Attributes:
        photos: The data set, cleaned.
        space: What varies.
        fixed: What does not.
        base: What each trial is told beside.
        judge: What trials are judged by.
        stages_of: Tells the number of stages of a backbone.
    """

    photos: Photos
    space: Space
    fixed: Mapping[str, Value]
    base: Recipe
    judge: JudgedBy
    stages_of: Callable[[str], int]

    @classmethod
    def of(
        cls,
        photos: Photos,
        space: Space | None,
        fixed: Mapping[str, Value],
        *,
        base: Recipe,
        judge: JudgedBy,
    ) -> Self:
        """Make a job, of the default space where none is given.

        Raises:
            SettingError: What varies does not go together, or nothing is left to vary.
        """
        scratch, start = base.model.weights is None, base.pick(*START, "seed")

        @cache
        def stages_of(backbone: str) -> int:
            if not is_outside(backbone):
                return len(catalogued(backbone).stages)
            size: dict[str, Any] = {name: fixed[name] for name in ("image_size",) if name in fixed}
            return len(Anatomy.of(build(photos, backbone=backbone, **size, **start)).stages)

        if space is None:
            space = default_space(
                stages=stages_of(str(fixed["backbone"])),
                task=photos.task,
                plan=cast(Plan | None, fixed.get("plan")),
                scratch=scratch,
            )
            general = {name: name.removeprefix("head_").removeprefix("top_") for name in space}
            space = {
                name: varied for name, varied in space.items() if not {name, general[name]} & fixed.keys()
            }
        if not space:
            raise SettingError(
                "nothing varies; name a setting and what it may be, or leave something unfixed."
            )
        use = base.training.features
        check_space(space, fixed, photos=photos, stages_of=stages_of, scratch=scratch, features=use)
        return cls(photos, space, fixed, base, judge, stages_of)

    @property
    def epochs(self) -> int:
        """Epochs of the longest trial that may be, at most."""
        longest = {name: varied.ends[-1] for name, varied in self.space.items() if name.endswith("_epochs")}
        backbone = self.fixed.get("backbone") or self.space["backbone"].ends[0]
        plan = {"plan": self.space["plan"].ends[0]} if "plan" in self.space else {}
        depth = {"head_epochs", "top_epochs", "plan"} & self.fixed.keys()
        chosen = {name: self.fixed[name] for name in depth} | longest | plan
        # A trial that says how its head is trained, or may, does not solve it.
        if any(name.startswith("head_") or name in SOLVING for name in (*self.fixed, *self.space)):
            chosen["head_rate"] = 1.0
        return sum(phase.epochs for phase in phases_of(self._recipe(chosen, str(backbone))))

    def about(self) -> dict[str, Any]:
        """Return all that tells this search from another, as plain values."""
        digests = {index: content_sha256(content) for index, content in self.photos.contents()}
        parts = {
            part: [(digests[index], *map(float, shown)) for index, shown in self._members(part)]
            for part in PARTS
        }
        pictures = hashlib.sha256(json.dumps([list(self.photos.classes), parts]).encode()).hexdigest()
        told = self.base.pick(*BUILDING, *LEARNING, "soup")
        return {
            "pictures": pictures,
            "space": {name: str(varied) for name, varied in self.space.items()},
            "fixed": dict(self.fixed),
            "resize": self.photos.resize,
            **{name: _plain(value) for name, value in told.items() if name not in SETTINGS},
        }

    def _members(self, part: Any) -> list[tuple[int, tuple[float, ...]]]:
        return list(zip(self.photos.split[part], self.photos.shown(part), strict=True))

    def recipe(self, drawn: Mapping[str, Value]) -> Recipe:
        """Return what a trial of some drawn settings does."""
        chosen = {**self.fixed, **drawn}
        return self._recipe(chosen, str(chosen["backbone"]))

    def _recipe(self, chosen: Mapping[str, Value], backbone: str) -> Recipe:
        images = len(self.photos.split.train)
        return recipe(chosen, stages=self.stages_of(backbone), base=self.base, images=images)

    def value(self, trial: Any) -> float:
        """Run one ``optuna.Trial``, and return what it is judged by."""
        chosen = self.recipe(suggested(trial, self.space))
        _, log = trained(self.photos, chosen, callbacks=[Reporter(trial, self.judge)])
        trial.set_user_attr("figures", {"loss": log.validation_loss, **log.validation_metrics})
        return self.judge.of(log)

    def best_run(
        self,
        trials: Sequence[Trial],
        target: Path,
        *,
        progress: bool,
        console: Console | None,
    ) -> Run:
        """Train by the best settings again, judge on the test part, and write the bundle.

        Raises:
            DivergedError: There are none.
        """
        if not (complete := ranked(trials, self.judge)):
            states = [trial.state for trial in trials]
            raise DivergedError(
                f"none of {len(trials)} trials ran to its end: {states.count('pruned')} pruned, "
                f"{states.count('diverged')} diverged; let rates be lower, or give more trials."
            )
        started, best = time.perf_counter(), complete[0]
        chosen = self.recipe(best.settings)
        watching: dict[str, Any] = {"progress": progress, "console": console}
        model, log = trained(self.photos, chosen, **watching)
        done = judged(model, self.photos, **chosen.pick("calibrate", "reject", "batch_size"))
        settings = for_card(chosen, self.photos, phases_of(chosen))
        settings["search"] = {"trial": best.number, "trials": len(trials), "settings": dict(best.settings)}
        report = partial(add_report, model, self.photos, done["report"])
        then = report if chosen.bundle.report else None
        beside = partial(write_recipe, kept_recipe(chosen, **watching), then=then)
        told: dict[str, Any] = {"log": log, **done}
        about: dict[str, Any] = {**chosen.pick("formats"), "settings": settings, "beside": beside}
        files = export(model, target, self.photos, force=True, **about, **told)
        return Run(model, self.photos, files=files, seconds=time.perf_counter() - started, **told)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def check_early(
    space: Space | None, fixed: Mapping[str, Value], *, scratch: bool, features: FeatureUse
) -> None:
    """Refuse what can be refused before pictures are looked at.

    Args:
        space: What varies, or None for the default.
        fixed: What does not, the backbone among it where it does not vary.
        scratch: Whether there are no pretrained weights.
        features: As in ``fit``.

    Raises:
        SettingError: As ``check_space``, or nothing varies.
    """
    if space is not None and not space:
        raise SettingError("nothing varies; name a setting and what it may be, or leave it to the default.")
    settings: dict[str, Any] = {"scratch": scratch, "features": features}
    check_space(space or {}, fixed, **settings)
    backbones = space["backbone"].ends if space and "backbone" in space else (fixed["backbone"],)
    if not any(is_outside(str(name)) for name in backbones):
        check_space(space or {}, fixed, stages_of=lambda name: len(catalogued(name).stages), **settings)


def teller(judge: JudgedBy, console: Console | None) -> Callable[[Trial], None]:
    """Return what writes one line a trial on standard error, or on a console."""
    console = console or Console(stderr=True)

    def tell(trial: Trial) -> None:
        chosen = ", ".join(f"{name} {shown(value)}" for name, value in trial.settings.items())
        figures = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in trial.figures.items())
        if trial.state == "pruned":
            figures = f"pruned at {judge.name.replace('_', ' ')} {trial.value:.3f}"
        ended = figures or f"diverged: {trial.note}"
        line = f"trial {trial.number}: {ended}; {trial.epochs} epochs, {trial.seconds:.1f} s; {chosen}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    return tell
