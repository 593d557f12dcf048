"""The study on disk: begun, gone on with, and run trial by trial, so that it goes on where it was cut off."""

from __future__ import annotations

import hashlib
import importlib
import itertools
import json
import math
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tfxfer.errors import DivergedError, MissingExtra, SettingError
from tfxfer.runtime import check_target
from tfxfer.searching.outcome import Trial
from tfxfer.searching.ranges import Choice, IntRange, Value
from tfxfer.searching.recipes import Space
from tfxfer.searching.ways import Pruner, Sampler

__all__ = [
    "STUDY_FILE",
    "check_folder",
    "importances",
    "needed",
    "opened",
    "run_trials",
    "suggested",
    "trials_of",
]

STUDY_FILE = "study.db"
_LOCK_FILE = "study.lock"
_ABOUT = "about"
_UNPRUNED = 4
"""Trials that run to their end before the median of them ends others."""
_WARM = 5
"""One in so many of the epochs has passed before the median ends a trial."""
_FEWEST = 4
"""Complete trials that say anything about what made the difference."""


def needed() -> Any:
    """Return Optuna, with which matplotlib is needed for the picture.

    Raises:
        MissingExtra: One of them is not installed.
    """
    for name in ("matplotlib", "optuna"):
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            raise MissingExtra(
                f"a search needs {name}, which is not installed; pip install 'tfxfer[search]'."
            ) from error
    return module


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds something other than a study, before any work is done.

    Raises:
        SettingError: It is a file, cannot be made, or holds other things.
    """
    if not folder.is_dir():
        check_target(folder)
    elif any(folder.iterdir()) and not (folder / STUDY_FILE).is_file():
        raise SettingError(
            f"{folder} holds other things (and no {STUDY_FILE} to go on with); give another folder."
        )


@contextmanager
def opened(
    folder: Path, about: Mapping[str, Any], *, higher: bool, pruner: Pruner, epochs: int
) -> Iterator[Any]:
    """Begin a study in a folder, or go on with the one that is there.

    Trials that were running when somebody's process ended count as failed, and are drawn again.

    Args:
        folder: Where its file lies.
        about: All that tells one study from another, as plain values.
        higher: Whether more is better.
        pruner: What ends trials early.
        epochs: Epochs of a trial, at most.

    Yields:
        An ``optuna.Study``.

    Raises:
        SettingError: Another study is there, or somebody else is at it.
    """
    optuna = needed()
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # what it tells of each trial, the search tells
    with _alone(folder):
        storage = optuna.storages.RDBStorage(f"sqlite:///{folder / STUDY_FILE}")
        try:
            yield _study(optuna, storage, folder, about, higher, _make_pruner(optuna, pruner, epochs))
        finally:
            storage.remove_session()
            storage.engine.dispose()
            optuna.logging.set_verbosity(level)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others off a study; the lock is SQLite's, which goes with the process however it ends."""
    with closing(sqlite3.connect(folder / _LOCK_FILE, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise SettingError(
                f"another search is at work in {folder} ({error}); wait for it, or give another folder."
            ) from error
        yield


def _study(
    optuna: Any, storage: Any, folder: Path, about: Mapping[str, Any], higher: bool, pruner: Any
) -> Any:
    text = json.dumps(about, sort_keys=True)
    name = f"tfxfer {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    for other in optuna.get_all_study_summaries(storage):
        if other.study_name != name:
            before, now = other.user_attrs.get(_ABOUT, {}), json.loads(text)
            differing = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
            raise SettingError(
                f"{folder} holds another study, with other {', '.join(differing)}; give another folder, or "
                "what that one was begun with."
            )
    direction = "maximize" if higher else "minimize"
    study = optuna.create_study(
        storage=storage, study_name=name, direction=direction, pruner=pruner, load_if_exists=True
    )
    study.set_user_attr(_ABOUT, json.loads(text))
    for stale in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(stale.number, state=optuna.trial.TrialState.FAIL)
    return study


def _make_pruner(optuna: Any, pruner: Pruner, epochs: int) -> Any:
    if pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED, n_warmup_steps=max(1, epochs // _WARM))
    if pruner == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=3)
    return optuna.pruners.NopPruner()


def suggested(trial: Any, space: Space) -> dict[str, Value]:
    """Have a trial draw its settings.

    Args:
        trial: An ``optuna.Trial``.
        space: What varies.

    Returns:
        Setting -> value.
    """
    drawn: dict[str, Value] = {}
    for name, varied in space.items():
        if isinstance(varied, Choice):
            drawn[name] = trial.suggest_categorical(name, varied.values)
        elif isinstance(varied, IntRange):
            drawn[name] = trial.suggest_int(name, varied.low, varied.high, step=varied.step)
        else:
            drawn[name] = trial.suggest_float(name, varied.low, varied.high, log=varied.log)
    return drawn


def run_trials(
    study: Any,
    objective: Callable[[Any], float],
    space: Space,
    *,
    trials: int,
    timeout: float | None,
    sampler: Sampler,
    seed: int,
    tell: Callable[[Trial], None] | None = None,
) -> None:
    """Run the trials that are missing.

    The next settings depend on the seed and on the trials that came to an end, and on nothing else, so that
    a study that was cut off goes on as it would have gone. (A sampler of Optuna's would begin its random
    numbers again, and its grid does not come back to a point whose trial was cut off.)

    Args:
        study: From ``opened``.
        objective: Runs a trial and returns its value.
        space: What varies.
        trials: How many there shall be, those that are there already among them.
        timeout: Seconds after which no further one begins, or None.
        sampler: What draws the settings.
        seed: Its seed.
        tell: Given each trial when it came to an end.

    Raises:
        TfxferError: A trial failed otherwise than by diverging; those before it are kept.
    """
    optuna = needed()
    started = time.monotonic()
    grid = _grid(space, seed) if sampler == "grid" else None
    while (done := len(trials_of(study))) < (trials if grid is None else min(trials, len(grid))):
        if timeout is not None and time.monotonic() - started >= timeout:
            break
        fresh = int(np.random.SeedSequence([seed, done]).generate_state(1)[0])
        if grid is None and sampler == "tpe":
            study.sampler = optuna.samplers.TPESampler(seed=fresh)
        else:
            study.sampler = optuna.samplers.RandomSampler(seed=fresh)
        if grid is not None and not study.get_trials(states=(optuna.trial.TrialState.WAITING,)):
            study.enqueue_trial(grid[done])
        study.optimize(_telling_divergence(objective), n_trials=1, catch=(DivergedError,))
        if tell:
            tell(trials_of(study)[-1])


def _telling_divergence(objective: Callable[[Any], float]) -> Callable[[Any], float]:
    """Note of a trial that it diverged: others that failed were cut off, and do not count."""

    def run(trial: Any) -> float:
        try:
            return objective(trial)
        except DivergedError as error:
            trial.set_user_attr("diverged", str(error))
            raise

    return run


def _grid(space: Space, seed: int) -> list[dict[str, Value]]:
    points = [
        dict(zip(space, values, strict=True))
        for values in itertools.product(*(varied.grid for varied in space.values()))
    ]
    random.Random(seed).shuffle(points)
    return points


def trials_of(study: Any) -> tuple[Trial, ...]:
    """Return the trials that came to an end, in order; those that were cut off are left out."""
    return tuple(
        _trial(each)
        for each in study.get_trials(deepcopy=False)
        if each.state.name in ("COMPLETE", "PRUNED") or "diverged" in each.user_attrs
    )


def _trial(each: Any) -> Trial:
    attributes = each.user_attrs
    return Trial(
        number=each.number,
        state="diverged" if "diverged" in attributes else each.state.name.lower(),
        settings=each.params,
        value=None if each.value is None or not math.isfinite(each.value) else each.value,
        figures=attributes.get("figures", {}),
        epochs=len(each.intermediate_values),
        seconds=each.duration.total_seconds(),
        note=attributes.get("diverged", ""),
    )


def importances(study: Any, *, seed: int) -> dict[str, float]:
    """Return the share of each setting in how the values of complete trials differ, largest first."""
    optuna = needed()
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(complete) < _FEWEST or len({each.value for each in complete}) == 1:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    return {
        name: float(share)
        for name, share in optuna.importance.get_param_importances(study, evaluator=evaluator).items()
    }
