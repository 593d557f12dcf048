"""What each epoch reached, where other programs read it: a CSV file, and event files for TensorBoard."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import keras
import tensorflow as tf

from tfxfer.errors import SettingError, TfxferWarning
from tfxfer.runtime import whole_file
from tfxfer.training.resuming.course import Course

__all__ = ["Journal", "check_journals"]

History = Mapping[str, Sequence[float]]

_PARTS = ("train", "validation")

_SCALAR = tf.compat.v1.SummaryMetadata(
    plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
    data_class=1,  # DATA_CLASS_SCALAR
)
"""What ``tf.summary.scalar`` says, for which it needs TensorBoard itself."""


class _Told(NamedTuple):
    """A phase, as far as it is.

    Attributes:
        name: Its name.
        first: The number of its first epoch, counted from 1 over all phases.
        history: Metric name -> one value an epoch.
    """

    name: str
    first: int
    history: History

    @property
    def epochs(self) -> int:
        return len(next(iter(self.history.values()), ()))


@dataclass(slots=True, eq=False)
class Journal:
    """What was reached so far, in files that say what the course of a fit says, no less and no more.

    They are written from the course, and not beside it: what goes on after an interruption, or begins a
    phase again, leaves no epoch in them twice and none out.

    Attributes:
        csv: File of one row an epoch, or None.
        tensorboard: Folder of one folder a phase, with ``train`` and ``validation`` in it, or None.
        names: All phases' names, in their order.
    """

    csv: Path | None
    tensorboard: Path | None
    names: Sequence[str]
    _begun: bool = field(default=False, init=False)
    _written: dict[Path, int] = field(default_factory=dict, init=False)
    _writers: dict[Path, tf.summary.SummaryWriter] = field(default_factory=dict, init=False)
    _lost: bool = field(default=False, init=False)

    def following(self, course: Course) -> keras.callbacks.Callback:
        """Make a callback that brings the files up to date; to come behind what notes the epoch."""
        return keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: self.update(course))

    def update(self, course: Course) -> None:
        """Bring the files up to date; what earlier fits left in them is replaced, the first time.

        Warns:
            TfxferWarning: They cannot be written, the first time; training does not stop for it.
        """
        told = list(self._told(course))
        try:
            if self.csv:
                _write_rows(self.csv, told)
            if not self._begun:
                for run in self._runs():
                    self._clear(run)
            self._begun = True
            for run, phase in zip(self._runs(), told, strict=False):
                self._tell_tensorboard(run, phase)
        except (OSError, SettingError, tf.errors.OpError) as error:
            if not self._lost:
                reason = (error.strerror if isinstance(error, OSError) else None) or str(error).rstrip(".")
                warnings.warn(
                    f"the log of the epochs cannot be written ({reason}); training goes on.",
                    TfxferWarning,
                    stacklevel=2,
                )
            self._lost = True

    def _runs(self) -> list[Path]:
        """Return the folder of each phase, in their order; none where nobody asked for them."""
        if self.tensorboard is None:
            return []
        return [
            self.tensorboard / f"{number}_{quote(name, safe='')}" for number, name in enumerate(self.names, 1)
        ]

    def _told(self, course: Course) -> Iterator[_Told]:
        first = 1
        for name, each in zip(self.names, [*course.logs, course.stretch], strict=False):
            if each is not None:
                yield (phase := _Told(name, first, each.history))
                first += phase.epochs

    def _tell_tensorboard(self, run: Path, phase: _Told) -> None:
        written = self._written.get(run, 0)
        if written > phase.epochs:  # it was begun again
            self._clear(run)
            written = 0
        for name, values in phase.history.items():
            with self._writer(run / _PARTS[name.startswith("val_")]).as_default():
                for place in range(written, phase.epochs):
                    tag, value = f"epoch_{name.removeprefix('val_')}", tf.constant(values[place], tf.float32)
                    tf.summary.write(tag, value, step=phase.first + place, metadata=_SCALAR)
        for part in _PARTS:
            self._writer(run / part).flush()
        self._written[run] = phase.epochs

    def _clear(self, run: Path) -> None:
        for part in _PARTS:
            if writer := self._writers.pop(run / part, None):
                writer.close()
            for file in (run / part).glob("events.out.tfevents.*"):
                file.unlink()

    def _writer(self, folder: Path) -> tf.summary.SummaryWriter:
        if folder not in self._writers:
            self._writers[folder] = tf.summary.create_file_writer(str(folder))
        return self._writers[folder]


def check_journals(
    csv: str | Path | None,
    tensorboard: str | Path | None,
    *,
    apart: str | Path | None = None,
    replace: bool = True,
) -> tuple[Path | None, Path | None]:
    """Say whether logs can be written to, before any work is done.

    Args:
        csv: The file to be, or None.
        tensorboard: The folder to be, or None.
        apart: A folder in which neither may be, or None.
        replace: Whether they may be there already.

    Returns:
        Both, as absolute paths.

    Raises:
        SettingError: The file is a folder, or the folder a file; one is in the folder where it may not be,
            or there already.
    """
    if csv is not None and Path(csv).is_dir():
        raise SettingError(f"csv must be a file, and {csv} is a folder; give another one.")
    if tensorboard is not None and Path(tensorboard).is_file():
        raise SettingError(f"tensorboard must be a folder, and {tensorboard} is a file; give another one.")
    file, folder = (Path(each).absolute() if each is not None else None for each in (csv, tensorboard))
    for path in (file, folder):
        if path and apart is not None and path.is_relative_to(Path(apart).absolute()):
            raise SettingError(f"{path} is within {apart}, which is written as a whole; put it elsewhere.")
        if path and not replace and (path.is_file() or (path.is_dir() and any(path.iterdir()))):
            raise SettingError(
                f"{path} exists already, and is never overwritten unasked; give another one, or --force "
                "(force=True) to replace it."
            )
    return file, folder


def _write_rows(target: Path, told: Sequence[_Told]) -> None:
    names = list(dict.fromkeys(name for phase in told for name in phase.history))
    with whole_file(target) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", "phase", *names])
        writer.writeheader()
        for phase in told:
            for place in range(phase.epochs):
                row: dict[str, Any] = {name: values[place] for name, values in phase.history.items()}
                writer.writerow({"epoch": phase.first + place, "phase": phase.name, **row})
