"""Search for the settings that suit somebody's pictures, and train by the best."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from rich.console import Console

from tfxfer import runtime
from tfxfer.config import Recipe
from tfxfer.data import DataFrame, Photos, check_apart, clean, read_photos
from tfxfer.errors import SettingError, did_you_mean
from tfxfer.searching.job import BUNDLE, Job, check_early, teller
from tfxfer.searching.objective import judge_of
from tfxfer.searching.outcome import Search
from tfxfer.searching.ranges import Value
from tfxfer.searching.recipes import Space
from tfxfer.searching.settings import SETTINGS
from tfxfer.searching.study import check_folder, importances, needed, opened, run_trials, trials_of
from tfxfer.searching.study_picture import draw_search
from tfxfer.searching.ways import Judge, Pruner, Sampler, check_ways
from tfxfer.transferring import TrialSettings, spelled_out
from tfxfer.workflow import CLEANING, READING, Means

__all__ = ["search"]


@spelled_out(TrialSettings)
def search(
    folder: str | Path | DataFrame | Photos,
    *,
    to: str | Path,
    trials: int = 20,
    timeout: float | None = None,
    space: Space | None = None,
    fixed: Mapping[str, Value] | None = None,
    sampler: Sampler = "tpe",
    pruner: Pruner = "median",
    by: Judge = "loss",
    progress: bool = True,
    console: Console | None = None,
    **settings: Unpack[TrialSettings],
) -> Search:
    """Try settings, each on the validation part, and write a bundle of the best as ``transfer`` does.

    All trials have the same seed, split and pictures, and what the frozen part makes of these is kept
    between them. The test part judges once, at the end, the best alone: the best of many trials looks better
    on the validation part than it is.

    The study is kept in ``study.db``, a database of Optuna's, after each epoch. The same call again, with as
    many trials or more, goes on with it; what was cut off is drawn again.

    Args:
        folder: Pictures, as ``transfer`` takes them, or ``Photos``.
        to: Folder for the study: ``study.db``, ``study.json``, ``study.png``, and the bundle ``best``.
        trials: How many there shall be, those of earlier calls among them. One that was pruned or diverged
            counts.
        timeout: Seconds after which no further trial begins; one that runs goes on to its end.
        space: Setting -> what it may be, as ``FloatRange``, ``IntRange`` or ``Choice``; None takes
            ``tfxfer.searching.default_space``, without what is fixed. ``tfxfer.searching.SETTINGS`` has all
            settings: arguments of ``build`` and ``fit``, and those of a ``Phase``, with ``head_`` in front
            for the first phase, with ``top_`` for those after it.
        fixed: Setting -> value, for what of these does not vary and is not as ``build`` and ``fit`` have it.
        sampler: What draws settings: ``"tpe"``, ``"random"`` or ``"grid"``.
        pruner: What ends trials that fall behind: ``"median"``, ``"hyperband"`` or ``"none"``.
        by: What judges: ``"loss"`` or ``"metric"`` on the validation part.
        progress: Whether to tell of each trial on standard error.
        console: Where; None is standard error.
        **settings: What else all trials are told, as ``transfer`` takes it; but ``features="auto"`` keeps
            what the frozen part makes of pictures wherever that can be, and ``seed`` is of what is drawn
            too. What may vary can be given here as well as in ``fixed``.

    Returns:
        The trials, and the best of them trained again.

    Raises:
        MissingExtra: The extra ``search`` is not installed.
        SettingError: A setting is not known or out of its range, two do not go together, or the folder holds
            another study or other things. Nothing has run then.
        DivergedError: All trials diverged.
        TfxferError: A picture, the weights or an exported file is wrong; what was tried is kept.
    """
    started = time.perf_counter()
    needed()
    check_ways(sampler=sampler, pruner=pruner, by=by, trials=trials, timeout=timeout)
    base, fixed = _told({**settings}, fixed or {}, space or {})
    runtime.set_seed(base.seed)
    target = Path(os.path.abspath(to))  # noqa: PTH100 as check_target does
    check_folder(target)
    base = base.with_settings(source=folder)
    means = Means.of(base)
    check_early(space, fixed, scratch=base.model.weights is None, features=base.training.features)
    watching: dict[str, Any] = {"progress": progress, "console": console}
    if not isinstance(folder, Photos):
        check_apart(target, folder, **base.pick("root", "data_dir"))
        folder = read_photos(folder, **base.pick(*READING, "seed"))
    means.check(base, folder)
    photos = folder if folder.left_out is not None else clean(folder, **base.pick(*CLEANING), **watching)
    job = Job.of(photos, space, fixed, base=base, judge=judge_of(photos.task, by))
    about = job.about() | {"sampler": sampler, "pruner": pruner, "by": by}
    with opened(target, about, higher=job.judge.higher, pruner=pruner, epochs=job.epochs) as study:
        asked: dict[str, Any] = {"trials": trials, "timeout": timeout, "sampler": sampler, "seed": base.seed}
        tell = teller(job.judge, console) if progress else None
        run_trials(study, job.value, job.space, **asked, tell=tell)
        tried, shares = trials_of(study), importances(study, seed=base.seed)
        run = job.best_run(tried, target / BUNDLE, **watching)
        found = Search(tried, job.judge, shares, run, Path(to), time.perf_counter() - started)
        draw_search(found, target / "study.png")
        with runtime.whole_file(target / "study.json") as draft:
            draft.write_text(json.dumps(found.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return found


def _told(given: dict[str, Any], fixed: Mapping[str, Value], space: Space) -> tuple[Recipe, dict[str, Value]]:
    """Tell apart what is given: what all trials are told, and what might vary, the backbone in any case."""
    allowed = TrialSettings.__annotations__
    for name in given:
        if name not in allowed:
            hint = did_you_mean(name, allowed) or "."
            raise SettingError(f"a search takes no {name!r}{hint} It takes {', '.join(allowed)}.")
    beside = {name: given.pop(name) for name in given.keys() & SETTINGS.keys()}
    for name, value in beside.items():
        if fixed.get(name, value) != value:
            raise SettingError(f"{name} is {value!r}, and fixed has {fixed[name]!r}; leave one out.")
    # Figures are of what varies, and the best is to come to the same again: no probe takes its place.
    base = Recipe().with_settings(guard=False, strategy="none", **given)
    if "backbone" not in space:
        beside = {"backbone": base.model.backbone, **fixed, **beside}
    return base, {**fixed, **{name: value for name, value in beside.items() if value is not None}}
