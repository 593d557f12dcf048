"""One stretch of training as data: what learns, how long, and how fast."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from tfxfer.config.checking import check_types
from tfxfer.errors import SettingError

if TYPE_CHECKING:
    import keras

__all__ = ["BATCH_NORMS", "L2SP", "OPTIMIZERS", "SCHEDULES", "SOLVER", "BatchNorm", "Phase"]

Schedule = Literal["cosine", "one-cycle", "step", "constant"]
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
BatchNorm = Literal["frozen", "train", "recalibrate"]
BATCH_NORMS: tuple[BatchNorm, ...] = get_args(BatchNorm)
OPTIMIZERS = ("adamw", "sgd")
SOLVER = "lbfgs"
"""Finds the optimum of a head at once."""
_WRAPPERS = ("LossScaleOptimizer", "MultiOptimizer")


@dataclass(frozen=True, slots=True)
class L2SP:
    """A penalty on how far what was transferred moves from where it began, and on the size of what is new.

    ``alpha / 2`` times the squared distance of the backbone's weights that learn from their values at the
    beginning of the fit, and ``beta / 2`` times the squared length of the head's, biases and all. It takes
    the place of weight decay.

    Attributes:
        alpha: Strength for what was transferred, at least 0.
        beta: Strength for the head, at least 0.

    Raises:
        SettingError: A number out of range, or no number.

    Source:
        Li, Grandvalet & Davoine 2018, https://arxiv.org/abs/1802.01483, which chooses both strengths by
        validation; 0.1 and 0.01 are where to begin.
    """

    alpha: float = 0.1
    beta: float = 0.01

    def __post_init__(self) -> None:
        check_types(self, " of L2SP")
        for name in ("alpha", "beta"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(f"{name} of L2SP must be at least 0, got {getattr(self, name):g}.")


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of training between two compilations.

    Attributes:
        name: What the log calls it.
        train: What of the backbone learns beside the head, as in ``tfxfer.set_trainable``.
        epochs: Passes over the training pictures at most; at least 1.
        rate: Highest learning rate, per optimizer step, above 0; or ``"find"``, to find one when the phase
            begins, as ``tfxfer.find_rate`` does.
        warmup: Share of the steps in which the rate rises to it, in [0, 1).
        schedule: ``"cosine"`` falls to 0 at the last step; ``"one-cycle"`` rises and falls along half a
            cosine; ``"step"`` falls to a tenth at each of the ``drops``; ``"constant"`` stays.
        patience: Epochs without a lower validation loss before it stops; None never stops.
        batch_norm: ``"frozen"`` or ``"train"``, as in ``tfxfer.set_trainable``; or ``"recalibrate"``: when
            the phase begins, the statistics of all BatchNorm layers of the backbone are estimated anew on
            training pictures, and are frozen then. For pictures that are far from the pretraining's.
        weight_decay: Decoupled weight decay, on kernels only; at least 0.
        optimizer: ``"adamw"``; ``"sgd"``, with a momentum of 0.9; or any of ``keras.optimizers``, of which
            each phase makes one alike, with its own rate and schedule, and with that one's weight decay. Or
            ``"lbfgs"``, for the head alone: on features of the frozen backbone it is a logistic (of numbers,
            ridge) regression, of which L-BFGS finds the optimum at once, as ``tfxfer.features.linear_probe``
            does. Then epochs, rate, schedule, patience and weight decay do not matter.
        layer_decay: How many times as fast as the stage above it each stage learns, in (0, 1]: the head at
            the full rate, the top stage at so much of it, and so on towards the pixels.
        l1: Strength of a penalty on the absolute values of kernels, as of ``keras.regularizers.L1``; at
            least 0.
        l2: Strength of a penalty on their squares, as of ``keras.regularizers.L2``; at least 0.
        anchor: An ``L2SP`` holds weights near where the fit began, in place of l1, l2 and weight decay; or
            None.
        drops: For ``"step"``, after which shares of the steps the rate falls, ascending, in (0, 1).
        ema: How much of their running average weights keep in each step, in (0, 1), such as 0.99: the average
            is validated and kept; or None.
        soup: Of how many of its best epochs the weights may be averaged in the end, at least 2: beginning
            with the best, each is taken in if validation does not get worse by it. BatchNorm statistics
            that learn are averaged too; all of these epochs' weights are held in memory. Or None.
        co_tuning: How much it counts that the backbone goes on telling apart what it was pretrained to, as
            that goes with the classes of the pictures: Co-Tuning, with a strength of 2.3 in its authors'
            code. For backbones of keras.applications with their ImageNet weights, of which the
            classification layer is fetched and learns with them; the model does without. 0 is without.

    Raises:
        SettingError: A value of another type, a number out of range, a name that is none, or two settings
            that exclude each other.

    >>> Phase("head", epochs=5, rate=1e-3).schedule
    'cosine'
    """

    name: str
    train: str | int | slice = "head"
    epochs: int = 10
    rate: float | Literal["find"] = 1e-3
    warmup: float = 0.0
    schedule: Schedule = "cosine"
    patience: int | None = 5
    batch_norm: BatchNorm = "frozen"
    weight_decay: float = 1e-4
    optimizer: str | keras.optimizers.Optimizer = "adamw"
    layer_decay: float = 1.0
    l1: float = 0.0
    l2: float = 0.0
    anchor: L2SP | None = None
    drops: tuple[float, ...] = (0.4, 0.6, 0.8)
    ema: float | None = None
    soup: int | None = None
    co_tuning: float = 0.0

    def __post_init__(self) -> None:
        check_types(self, f" of phase {self.name!r}")
        for setting, right, allowed in (
            ("epochs", self.epochs >= 1, "at least 1"),
            ("rate", isinstance(self.rate, str) or 0 < self.rate < math.inf, "above 0, or 'find'"),
            ("warmup", 0 <= self.warmup < 1, "in [0, 1)"),
            ("patience", self.patience is None or self.patience >= 1, "at least 1, or None"),
            ("weight_decay", 0 <= self.weight_decay < math.inf, "at least 0"),
            ("layer_decay", 0 < self.layer_decay <= 1, "in (0, 1]"),
            ("l1", 0 <= self.l1 < math.inf, "at least 0"),
            ("l2", 0 <= self.l2 < math.inf, "at least 0"),
            ("ema", self.ema is None or 0 < self.ema < 1, "in (0, 1), or None"),
            ("co_tuning", 0 <= self.co_tuning < math.inf, "at least 0"),
            ("soup", self.soup is None or self.soup >= 2, "at least 2, or None"),
        ):
            if not right:
                value = getattr(self, setting)
                raise SettingError(f"{setting} of phase {self.name!r} must be {allowed}, got {value:g}.")
        if list(self.drops) != sorted({*self.drops}) or not all(0 < drop < 1 for drop in self.drops):
            raise SettingError(
                f"drops of phase {self.name!r} must be shares in (0, 1), ascending, got {self.drops}."
            )
        if isinstance(self.rate, str):
            self._check_name("rate", ("find",), "a number above 0")
        self._check_name("batch_norm", BATCH_NORMS)
        self._check_name("schedule", SCHEDULES)
        if isinstance(self.optimizer, str):
            self._check_name("optimizer", (*OPTIMIZERS, SOLVER), "one of keras.optimizers")
        elif not hasattr(self.optimizer, "update_step") or type(self.optimizer).__name__ in _WRAPPERS:
            raise SettingError(
                f"optimizer of phase {self.name!r} must be a name, or one of keras.optimizers that wraps no "
                f"other, got {type(self.optimizer).__name__}."
            )
        if self.anchor and (self.l1 or self.l2):
            raise SettingError(
                f"anchor of phase {self.name!r} is a penalty already; leave it out, or "
                f"{'l1' if self.l1 else 'l2'}."
            )
        if self.solved:
            self._check_solved()

    @property
    def solved(self) -> bool:
        """Whether its optimum is found at once, and not approached in epochs."""
        return self.optimizer == SOLVER

    @property
    def while_training(self) -> Literal["frozen", "train"]:
        """What BatchNorm layers do while it trains, as ``tfxfer.set_trainable`` takes it."""
        return "train" if self.batch_norm == "train" else "frozen"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON; of a slice, or an optimizer, what it is written as."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["anchor"] = asdict(self.anchor) if self.anchor else None
        if isinstance(self.train, slice):
            values["train"] = str(self.train)
        if not isinstance(self.optimizer, str):
            values["optimizer"] = type(self.optimizer).__name__
        return values

    def _check_solved(self) -> None:
        if self.train != "head":
            raise SettingError(
                f"optimizer {SOLVER!r} of phase {self.name!r} solves the head alone, and train is "
                f"{self.train!r}; give train='head', or another optimizer."
            )
        excluded = ("anchor", "l1", "l2", "ema", "soup", "co_tuning")
        given = [name for name in excluded if getattr(self, name)]
        given += ["batch_norm"] if self.batch_norm == "train" else []
        given += ["rate"] if self.rate == "find" else []
        if given:
            raise SettingError(
                f"{given[0]} of phase {self.name!r} is of training in steps, and optimizer {SOLVER!r} takes "
                "none; leave it out, or give another optimizer."
            )

    def _check_name(self, setting: str, allowed: tuple[str, ...], *others: str) -> None:
        value = getattr(self, setting)
        if value not in allowed:
            *first, last = (*(repr(name) for name in allowed), *others)
            raise SettingError(
                f"{setting} of phase {self.name!r} must be {', '.join(first)} or {last}, got {value!r}."
            )
