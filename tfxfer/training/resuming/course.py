"""Where a fit is, phase by phase and epoch by epoch; another process can take it up there."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfxfer.config import Phase
from tfxfer.contracts import PhaseLog
from tfxfer.data import Photos
from tfxfer.errors import DivergedError, SettingError, TfxferWarning
from tfxfer.features import prefix_sha256
from tfxfer.models import FreezeContract, moving_variables
from tfxfer.training.material.changes import choose_augmentation
from tfxfer.training.resuming.checkpoints import Checkpoint, Checkpoints

__all__ = ["Course", "Stretch", "run_settings"]

_LONG = ("plan", "model", "pictures", "augment")

Weights = list[npt.NDArray[Any]]


@dataclass(slots=True, eq=False)
class Stretch:
    """How far one phase is.

    Attributes:
        contract: What must not move and what must, of when the phase began.
        rate: Its highest learning rate.
        epochs: How many are done.
        turns: In how many parts each batch is learnt from.
        history: Metric name -> one value an epoch.
        stopped: Whether it stopped early.
        seconds: Wall time so far.
        callbacks: Type and place of each callback -> the numbers and texts that it holds.
        optimizer: Its variables, in its order; none before the first epoch is done.
        best: The best epoch's weights of what learns, by their places in the model; none before that.
        soup: The weights of all epochs that may be averaged, one after the other.
    """

    contract: FreezeContract
    rate: float
    epochs: int = 0
    turns: int = 1
    history: dict[str, list[float]] = field(default_factory=dict)
    stopped: bool = False
    seconds: float = 0.0
    callbacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    optimizer: Weights = field(default_factory=list)
    best: dict[int, npt.NDArray[Any]] = field(default_factory=dict)
    soup: Weights = field(default_factory=list)

    def add(self, epoch: Mapping[str, float]) -> None:
        """Note down an epoch's figures."""
        self.epochs += 1
        for name, value in epoch.items():
            self.history.setdefault(name, []).append(float(value))


@dataclass(slots=True, eq=False)
class Course:
    """Where a fit is.

    Attributes:
        model: The whole model.
        checkpoints: Where it is noted, or None for nowhere.
        settings: What decides how it goes, as JSON has it; another run with others is not gone on with.
        logs: Of the phases that are done.
        kept: Name of the best of them; empty before the first is done.
        stretch: How far the phase after them is; None where it has not begun.
        touched: Places of the variables that phases so far may have moved.
        beside: What may move and is no part of the model.
    """

    model: keras.Model
    checkpoints: Checkpoints | None
    settings: Mapping[str, Any]
    logs: list[PhaseLog] = field(default_factory=list)
    kept: str = ""
    stretch: Stretch | None = None
    touched: set[int] = field(default_factory=set)
    beside: Sequence[keras.Variable] = ()
    _kept_weights: Weights = field(default_factory=list)

    @property
    def turns(self) -> int:
        """In how many parts each batch is learnt from by now, as the memory allows."""
        latest = self.stretch or (self.logs[-1] if self.logs else None)
        return latest.turns if latest else 1

    @property
    def done_before(self) -> int:
        """How many epochs the phases that are done took."""
        return sum(len(log.history["loss"]) for log in self.logs)

    @property
    def variables(self) -> list[keras.Variable]:
        """The model's weights, in their order, and what is beside them."""
        return [*self.model.weights, *self.beside]

    def resume(self, found: Checkpoint) -> None:
        """Take up what another process noted, weights and all.

        Args:
            found: Its checkpoint; of settings like these.

        Raises:
            SettingError: They are others.
        """
        self._check_same(found.state["settings"])
        state, arrays = found.state, found.arrays
        for name, places in (("weights", self.variables), ("seeds", self._seeds())):
            for place, value in _placed(arrays, name).items():
                places[place].assign(value)
        self.touched = set(_placed(arrays, "weights"))
        self.logs = [_log_of(each) for each in state["logs"]]
        self.kept = state["kept"]
        kept = _placed(arrays, "kept")
        weights = self.model.get_weights() if self.kept else []
        self._kept_weights = [kept.get(place, value) for place, value in enumerate(weights)]
        if state["stretch"]:
            contract = FreezeContract(**state["stretch"].pop("contract"))
            self.stretch = Stretch(
                contract,
                **state["stretch"],
                optimizer=list(_placed(arrays, "optimizer").values()),
                best=_placed(arrays, "best"),
                soup=list(_placed(arrays, "soup").values()),
            )

    def told(self, phases: Sequence[Phase]) -> str:
        """Say where it goes on, in words."""
        done = f"done: {', '.join(log.name for log in self.logs)}" if self.logs else "no phase is done"
        within = ""
        if self.stretch:
            count = self.stretch.epochs
            within = f", {count} epoch{'s' if count > 1 else ''} of {phases[len(self.logs)].name}"
        return f"going on with a run that was interrupted: {done}{within}"

    def begin(self, rate: float, *, moved: Sequence[keras.Variable] = ()) -> Stretch:
        """Begin the next phase, after ``set_trainable``, unless it has begun already.

        Args:
            rate: Its highest learning rate.
            moved: What has been moved for it beforehand, and stands still now.
        """
        if self.stretch is None:
            self.stretch = Stretch(FreezeContract.of(self.model), rate)
        moving = {id(variable) for variable in (*moving_variables(self.model), *self.beside, *moved)}
        self.touched |= {place for place, variable in enumerate(self.variables) if id(variable) in moving}
        return self.stretch

    def done(self, log: PhaseLog, phase: Phase) -> None:
        """End a phase: keep its weights if they are the best so far, else go back to those that are.

        Raises:
            DivergedError: It is the first, and has run off to numbers that are none.

        Warns:
            TfxferWarning: It has, but there are weights from before that.
        """
        best = {each.name: each for each in self.logs}.get(self.kept)
        losses = log.history["loss"]
        ended = f"phase {log.name!r} ended in NaN in epoch {len(losses)}"
        advice = f"give it a lower rate than {log.rate or phase.rate:g}."
        finite = math.isfinite(log.best("val_loss"))
        if best is None and not finite:
            self.clear()
            raise DivergedError(f"{ended}; {advice}")
        if not math.isfinite(losses[-1] + log.history["val_loss"][-1]):
            warnings.warn(
                f"{ended}, and the best weights before that are kept; {advice}", TfxferWarning, stacklevel=3
            )
        if not finite:
            self.model.set_weights(self._kept_weights)
        elif best is None or log.best("val_loss") < best.best("val_loss"):
            self.kept, self._kept_weights = log.name, self.model.get_weights()
        self.logs.append(log)
        self.stretch = None
        self.note()

    def finish(self) -> None:
        """Give the model the weights of the best phase."""
        self.model.set_weights(self._kept_weights)

    def clear(self) -> None:
        """Remove what was noted."""
        if self.checkpoints is not None:
            self.checkpoints.clear()

    def note(self) -> None:
        """Note where it is."""
        if self.checkpoints is None:
            return
        variables, stretch = self.variables, self.stretch
        arrays = {f"weights/{place}": np.asarray(variables[place]) for place in sorted(self.touched)}
        arrays |= {f"seeds/{place}": np.asarray(seed) for place, seed in enumerate(self._seeds())}
        if self.kept:
            own = [place for place in sorted(self.touched) if place < len(self._kept_weights)]
            arrays |= {f"kept/{place}": self._kept_weights[place] for place in own}
        if stretch:
            arrays |= {f"optimizer/{place}": value for place, value in enumerate(stretch.optimizer)}
            arrays |= {f"best/{place}": value for place, value in stretch.best.items()}
            arrays |= {f"soup/{place}": value for place, value in enumerate(stretch.soup)}
        state = {
            "settings": self.settings,
            "logs": [asdict(log) for log in self.logs],
            "kept": self.kept,
            "stretch": _plain(stretch) if stretch else None,
        }
        self.checkpoints.write(Checkpoint(state, arrays))

    def _seeds(self) -> list[keras.Variable]:
        """Return what dropout and its like draw lots from."""
        weights = {id(variable) for variable in self.model.weights}
        return [
            variable
            for variable in self.model.variables
            if id(variable) not in weights and variable.name == "seed_generator_state"
        ]

    def _check_same(self, noted: Mapping[str, Any]) -> None:
        for name in sorted({*self.settings, *noted}, key=lambda name: (name in _LONG, name)):
            mine, theirs = self.settings.get(name), noted.get(name)
            if mine == theirs:
                continue
            told = f"had another {name}" if name in _LONG else f"had {name}={theirs}, and this one has {mine}"
            assert self.checkpoints is not None  # where something was noted
            raise SettingError(
                f"the run in {self.checkpoints.folder} {told}; give the same, or remove the folder to begin "
                "anew."
            )


def _plain(stretch: Stretch) -> dict[str, Any]:
    names = ("rate", "epochs", "turns", "history", "stopped", "seconds", "callbacks")
    contract = {"frozen": dict(stretch.contract.frozen), "learning": dict(stretch.contract.learning)}
    return {"contract": contract, **{name: getattr(stretch, name) for name in names}}


def _placed(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> dict[int, npt.NDArray[Any]]:
    """Return the arrays of one kind by their places, ascending."""
    found = {int(key.partition("/")[2]): value for key, value in arrays.items() if key.startswith(f"{name}/")}
    return dict(sorted(found.items()))


def _log_of(values: Mapping[str, Any]) -> PhaseLog:
    history = {name: tuple(each) for name, each in values["history"].items()}
    return PhaseLog(
        **{**values, "history": history, "cut": tuple(values["cut"]), "soup": tuple(values["soup"])}
    )


def run_settings(
    model: keras.Model, photos: Photos, phases: Sequence[Phase], **settings: Any
) -> dict[str, Any]:
    """Put down what decides how a fit goes, as JSON has it.

    Args:
        model: Where it begins.
        photos: What it learns from.
        phases: Its plan.
        **settings: What else ``fit`` was given.
    """
    shown = [(record.path, record.label, record.target) for record in photos.records]
    pictures = repr((photos.classes, photos.task, photos.resize, photos.split, shown))
    values = {
        **{name: str(value) for name, value in settings.items() if name != "augment"},
        "augment": getattr(choose_augmentation(settings["augment"]), "digest", None),
        "plan": [phase.to_dict() | {"optimizer": _written(phase.optimizer)} for phase in phases],
        "pictures": hashlib.sha256(pictures.encode()).hexdigest(),
        "model": prefix_sha256(model),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
    return dict(json.loads(json.dumps(values)))


def _written(optimizer: str | keras.optimizers.Optimizer) -> str:
    return optimizer if isinstance(optimizer, str) else json.dumps(optimizer.get_config(), default=str)
