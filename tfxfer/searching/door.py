"""Search for the settings that suit somebody's pictures, and train by the best."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tfxfer import runtime
from tfxfer.backbones import PixelRange
from tfxfer.config import Recipe
from tfxfer.contracts import FeatureUse, NearDuplicates, Resize, Task
from tfxfer.data import MAX_BAD, DataFrame, Photos, check_apart, check_cleaning, clean, read_photos
from tfxfer.errors import SettingError
from tfxfer.exports import choose_formats
from tfxfer.searching.job import BUNDLE, Job, check_early, teller
from tfxfer.searching.objective import judge_of
from tfxfer.searching.outcome import Search
from tfxfer.searching.ranges import Value
from tfxfer.searching.recipes import Space
from tfxfer.searching.study import check_folder, importances, needed, opened, run_trials, trials_of
from tfxfer.searching.study_picture import draw_search
from tfxfer.searching.ways import Judge, Pruner, Sampler, check_ways
from tfxfer.workflow import CLEANING, READING

__all__ = ["search"]


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
    seed: int = 0,
    backbone: str | None = None,
    weights: str | Path | None = "pretrained",
    weights_sha256: str | None = None,
    pixel_range: PixelRange | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    task: Task | None = None,
    separator: str | None = None,
    root: str | Path | None = None,
    data_dir: str | Path | None = None,
    download: bool = False,
    resize: Resize = "crop",
    max_bad: float = MAX_BAD,
    near_duplicates: NearDuplicates = "together",
    features: FeatureUse = "auto",
    formats: tuple[str, ...] = ("keras", "saved-model", "tflite"),
    progress: bool = True,
    console: Console | None = None,
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
        fixed: Setting -> value, for what does not vary and is not as ``build`` and ``fit`` have it.
        sampler: What draws settings: ``"tpe"``, ``"random"`` or ``"grid"``.
        pruner: What ends trials that fall behind: ``"median"``, ``"hyperband"`` or ``"none"``.
        by: What judges: ``"loss"`` or ``"metric"`` on the validation part.
        seed: Of split, weights, shuffling and drawing, in 0..2**32 - 1; it is set for the whole process.
        backbone: Short for ``fixed={"backbone": …}``; None leaves it at MobileNetV2.
        weights: As in ``build``; None trains everything from scratch.
        weights_sha256: As in ``build``.
        pixel_range: As in ``build``.
        columns: As in ``transfer``, and so are the next five.
        task: As there.
        separator: As there.
        root: As there.
        data_dir: As there.
        download: As there.
        resize: How pictures are brought to the size, as in ``from_folder``.
        max_bad: The largest share of pictures that cannot be read, and are left out, as in ``clean``.
        near_duplicates: Whether they are kept in one part of the split, as in ``clean``.
        features: As in ``fit``; but ``"auto"`` keeps them wherever they can be kept.
        formats: Forms to export: as in ``export``.
        progress: Whether to tell of each trial on standard error.
        console: Where; None is standard error.

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
    runtime.set_seed(seed)
    target = Path(os.path.abspath(to))  # noqa: PTH100 as check_target does
    check_folder(target)
    told: dict[str, Any] = {"root": root, "columns": columns, "task": task, "separator": separator}
    told |= {"data_dir": data_dir, "download": download, "resize": resize, "seed": seed, "formats": formats}
    told |= {"max_bad": max_bad, "near_duplicates": near_duplicates, "features": features}
    told |= {"weights": weights, "weights_sha256": weights_sha256, "pixel_range": pixel_range}
    # Figures are of what varies, and the best is to come to the same again: no probe takes its place.
    base = Recipe().with_settings(source=folder, guard=False, strategy="none", **told)
    choose_formats(formats)
    check_cleaning(**base.pick(*CLEANING))
    fixed = _with_backbone(fixed or {}, space or {}, backbone)
    check_early(space, fixed, scratch=weights is None, features=features)
    watching: dict[str, Any] = {"progress": progress, "console": console}
    if not isinstance(folder, Photos):
        check_apart(target, folder, root=root, data_dir=data_dir)
        folder = read_photos(folder, **base.pick(*READING, "seed"))
    photos = folder if folder.left_out is not None else clean(folder, **base.pick(*CLEANING), **watching)
    job = Job.of(photos, space, fixed, base=base, judge=judge_of(photos.task, by))
    about = job.about() | {"sampler": sampler, "pruner": pruner, "by": by}
    with opened(target, about, higher=job.judge.higher, pruner=pruner, epochs=job.epochs) as study:
        asked: dict[str, Any] = {"trials": trials, "timeout": timeout, "sampler": sampler, "seed": seed}
        tell = teller(job.judge, console) if progress else None
        run_trials(study, job.value, job.space, **asked, tell=tell)
        tried, shares = trials_of(study), importances(study, seed=seed)
        run = job.best_run(tried, target / BUNDLE, **watching)
        found = Search(tried, job.judge, shares, run, Path(to), time.perf_counter() - started)
        draw_search(found, target / "study.png")
        with runtime.whole_file(target / "study.json") as draft:
            draft.write_text(json.dumps(found.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return found


def _with_backbone(fixed: Mapping[str, Value], space: Space, backbone: str | None) -> dict[str, Value]:
    """Have the backbone be among what is fixed, unless it varies."""
    if backbone is None:
        return {**({} if "backbone" in space else {"backbone": "mobilenet_v2"}), **fixed}
    if fixed.get("backbone", backbone) != backbone:
        raise SettingError(f"backbone is {backbone!r}, and fixed has {fixed['backbone']!r}; leave one out.")
    return {**fixed, "backbone": backbone}
