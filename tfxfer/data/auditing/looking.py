"""Every picture of a set is looked at once, on all cores; what has not changed since is remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tfxfer.data.auditing.inspection import Facts, inspect_content, inspect_file
from tfxfer.data.auditing.remembered import file_state, recall, remember
from tfxfer.data.photos import Photos
from tfxfer.data.pixels.contents import Content, Files
from tfxfer.data.pixels.decode import decoding_threads

__all__ = ["Look", "look_at_all", "look_at_photos"]

_PORTION = 256


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at many pictures found.

    Attributes:
        facts: One a picture, in the order asked for.
        new: How many were looked at; the others have not changed since an earlier look.
        seconds: Wall time.
    """

    facts: tuple[Facts, ...]
    new: int
    seconds: float


def look_at_all(
    root: Path,
    paths: Sequence[str],
    *,
    max_pixels: int,
    use_cache: bool = True,
    progress: bool = True,
    console: Console | None = None,
) -> Look:
    """Return the facts about each picture, from before or from a new look; remember them all.

    Args:
        root: Folder that the paths start from.
        paths: Files.
        max_pixels: A header that claims more is not decoded.
        use_cache: Whether earlier looks count, and this one is kept.
        progress: Whether to show a bar where somebody watches.
        console: Where the bar goes; None is standard error.

    Returns:
        The facts.
    """
    started = time.perf_counter()
    states = {path: file_state(root / path, max_pixels) for path in paths}
    before = recall(root) if use_cache else {}
    looked_at = {
        path: before[path][1] for path in paths if path in before and before[path][0] == states[path]
    }
    new = [path for path in paths if path not in looked_at]
    try:
        _on_all_cores(
            new,
            lambda path: inspect_file(root / path, max_pixels=max_pixels),
            looked_at,
            bar=_bar(console, shown=progress),
        )
    finally:
        # A look that is interrupted goes on, the next time, where it was.
        if use_cache and new:
            others = {
                path: each for path, each in before.items() if path not in states and (root / path).exists()
            }
            kept = {
                path: (state, looked_at[path])
                for path, state in states.items()
                if state and path in looked_at
            }
            remember(root, others | kept)
    return Look(tuple(looked_at[path] for path in paths), len(new), time.perf_counter() - started)


def look_at_photos(
    photos: Photos,
    *,
    max_pixels: int,
    use_cache: bool = True,
    progress: bool = True,
    console: Console | None = None,
) -> Look:
    """Return the facts about each picture of a data set, whatever it comes from.

    Only what is known of files is remembered. Others are gone through once, in their source's own order, a
    portion in memory at a time.

    Args:
        photos: The data set.
        max_pixels: A header that claims more is not decoded.
        use_cache: Whether earlier looks at files count, and this one is kept.
        progress: Whether to show a bar where somebody watches.
        console: Where the bar goes; None is standard error.

    Returns:
        The facts, in the order of the records.

    Raises:
        DataError: A stream has changed since it was first read.
    """
    watching: dict[str, Any] = {"progress": progress, "console": console}
    if isinstance(photos.source, Files):
        paths = [record.path for record in photos.records]
        return look_at_all(photos.root, paths, max_pixels=max_pixels, use_cache=use_cache, **watching)
    started = time.perf_counter()
    found: dict[int, Facts] = {}

    def look(picture: tuple[int, Content]) -> tuple[int, Facts]:
        index, content = picture
        name = photos.source.name_of(photos.records[index].path)
        return index, inspect_content(content, name=name, max_pixels=max_pixels)

    remaining = photos.contents()
    bar = _bar(console, shown=progress)
    with bar, decoding_threads() as pool:
        task = bar.add_task("audit", total=len(photos))
        while portion := list(islice(remaining, _PORTION)):
            found |= pool.map(look, portion)
            bar.advance(task, len(portion))
    facts = tuple(found[index] for index in range(len(photos)))
    return Look(facts, len(facts), time.perf_counter() - started)


def _bar(console: Console | None, *, shown: bool) -> Progress:
    console = console or Console(stderr=True)
    return Progress(
        TextColumn("audit"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (shown and console.is_terminal),
    )


def _on_all_cores(
    paths: list[str], look: Callable[[str], Facts], into: dict[str, Facts], *, bar: Progress
) -> None:
    """Look at files, and keep what was found if somebody ends it."""
    with bar, decoding_threads() as pool:
        try:
            for path, facts in zip(bar.track(paths), pool.map(look, paths), strict=True):
                into[path] = facts
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
