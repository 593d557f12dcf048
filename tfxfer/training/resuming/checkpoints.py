"""Checkpoints on disk: each one file that is there whole or not at all, told by what is in it."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfxfer.errors import SettingError, TfxferWarning
from tfxfer.runtime import whole_file

__all__ = ["Checkpoint", "Checkpoints", "check_checkpoints"]

_STATE = "state"
KEPT = 3
"""So many are kept, the newest: what goes on falls back on the one before where one is damaged."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What is needed to go on.

    Attributes:
        state: Plain values, as JSON has them.
        arrays: Numbers, by a name without ``"state"`` among them.
    """

    state: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]

    def to_bytes(self) -> bytes:
        """Return it as an ``.npz`` file, in which no code can be."""
        text = np.frombuffer(json.dumps(self.state).encode(), np.uint8)
        file = io.BytesIO()
        arrays: dict[str, Any] = {_STATE: text, **self.arrays}
        np.savez(file, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Checkpoint:
        """Read what ``to_bytes`` wrote."""
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = dict(file)
        return cls(json.loads(arrays.pop(_STATE).tobytes()), arrays)


@dataclass(slots=True, eq=False)
class Checkpoints:
    """The checkpoints of one run.

    Each is named by its number and the SHA-256 of its content, and appears in one step.

    Attributes:
        folder: Where they are; made when the first is written.
    """

    folder: Path
    _lost: bool = field(default=False, init=False)

    def newest(self) -> Checkpoint | None:
        """Read the newest that is whole, or None where there is none.

        Warns:
            TfxferWarning: One is damaged, and the one before it is taken.
        """
        for path in reversed(self._files()):
            try:
                content = path.read_bytes()
                if hashlib.sha256(content).hexdigest() == path.stem.partition("-")[2]:
                    return Checkpoint.from_bytes(content)
                reason = "its content is not what its name says"
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
                reason = str(error)
            warnings.warn(
                f"{path} is damaged ({reason}); what was before it is gone on from.",
                TfxferWarning,
                stacklevel=2,
            )
        return None

    def write(self, checkpoint: Checkpoint) -> None:
        """Write one, and remove those that are older than the newest three.

        Warns:
            TfxferWarning: It cannot be, the first time; training does not stop for it.
        """
        content = checkpoint.to_bytes()
        files = self._files()
        number = int(files[-1].stem.partition("-")[0]) + 1 if files else 0
        name = f"{number:08d}-{hashlib.sha256(content).hexdigest()}.npz"
        for left in self.folder.glob(".*.part"):
            shutil.rmtree(left, ignore_errors=True)  # of a run that was killed
        try:
            self._put(name, content)
        except (OSError, SettingError):
            for path in files[:-1]:
                path.unlink(missing_ok=True)
            try:
                self._put(name, content)  # with the room that older ones took
            except (OSError, SettingError) as error:
                self._tell_lost(error)
                return
        for path in self._files()[:-KEPT]:
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove them, and the folder where nothing else is in it."""
        if not self.folder.is_dir():
            return
        for path in [*self._files(), *self.folder.glob(".*.part")]:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def __bool__(self) -> bool:
        return bool(self._files())

    def _put(self, name: str, content: bytes) -> None:
        with whole_file(self.folder / name) as draft:
            draft.write_bytes(content)

    def _tell_lost(self, error: Exception) -> None:
        if not self._lost:
            reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            warnings.warn(
                f"no checkpoint can be written to {self.folder} ({reason}); training goes on, and if it is "
                f"interrupted {'begins anew' if not self else 'goes on from the last one that is there'}.",
                TfxferWarning,
                stacklevel=4,
            )
        self._lost = True

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*-*.npz"))


def check_checkpoints(folder: str | Path, *, resume: bool, force: bool = False) -> Checkpoints:
    """Say whether a run may begin, or go on, with what is in a folder.

    Args:
        folder: Where checkpoints are to be.
        resume: Whether the run goes on with what is there.
        force: Whether what is there may be given up.

    Returns:
        Those that are there.

    Raises:
        SettingError: There is a run, and nobody said what to do with it; or the folder is a file.
    """
    checkpoints = Checkpoints(Path(folder))
    if checkpoints.folder.is_file():
        raise SettingError(f"checkpoints must be a folder, and {folder} is a file; give another one.")
    if checkpoints and not resume and not force:
        raise SettingError(
            f"{folder} holds a run that was interrupted; go on with it by --resume (resume=True), or remove "
            "the folder to begin anew."
        )
    return checkpoints
