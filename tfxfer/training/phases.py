"""The plan of a fit as data: what learns, how long, and how fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from tfxfer.errors import SettingError

__all__ = ["Phase", "from_scratch", "two_phases"]

Schedule = Literal["cosine", "constant"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of training between two compilations.

    Attributes:
        name: What the log calls it.
        train: What of the backbone learns beside the head, as in ``tfxfer.set_trainable``.
        epochs: Passes over the training pictures at most; at least 1.
        rate: Highest learning rate, per optimizer step; above 0.
        warmup: Share of the steps in which the rate rises from 0, in [0, 1).
        schedule: ``"cosine"`` falls to 0 at the last step; ``"constant"`` stays.
        patience: Epochs without a lower validation loss before it stops; None never stops.
        batch_norm: ``"frozen"`` or ``"train"``, as in ``tfxfer.set_trainable``.
        weight_decay: Decoupled weight decay of AdamW, on kernels only; at least 0.

    Raises:
        SettingError: A number out of range.

    >>> Phase("head", epochs=5, rate=1e-3).schedule
    'cosine'
    """

    name: str
    train: str | int | slice = "head"
    epochs: int = 10
    rate: float = 1e-3
    warmup: float = 0.0
    schedule: Schedule = "cosine"
    patience: int | None = 5
    batch_norm: Literal["frozen", "train"] = "frozen"
    weight_decay: float = 1e-4

    def __post_init__(self) -> None:
        for setting, wrong, allowed in (
            ("epochs", self.epochs < 1, "at least 1"),
            ("rate", self.rate <= 0, "above 0"),
            ("warmup", not 0 <= self.warmup < 1, "in [0, 1)"),
            ("patience", self.patience is not None and self.patience < 1, "at least 1, or None"),
            ("weight_decay", self.weight_decay < 0, "at least 0"),
        ):
            if wrong:
                value = getattr(self, setting)
                raise SettingError(f"{setting} of phase {self.name!r} must be {allowed}, got {value:g}.")
        if self.batch_norm not in ("frozen", "train"):
            raise SettingError(
                f"batch_norm of phase {self.name!r} must be 'frozen' or 'train', got {self.batch_norm!r}."
            )
        if self.schedule not in get_args(Schedule):
            raise SettingError(
                f"schedule of phase {self.name!r} must be 'cosine' or 'constant', got {self.schedule!r}."
            )


def two_phases(
    *, stages: int, head_epochs: int = 20, top_epochs: int = 10, top_blocks: int | None = None
) -> tuple[Phase, ...]:
    """Plan the usual transfer: the head alone, then the top of the backbone with it, gently.

    Args:
        stages: Number of stages of the backbone; 0 for one that cannot be trained.
        head_epochs: Epochs for the head alone.
        top_epochs: Epochs with the top blocks unfrozen; 0 leaves this phase out.
        top_blocks: How many stages are unfrozen, from the top; None takes a fifth of them.

    Returns:
        One or two phases.

    Source:
        Head first, then a few top blocks at a tenth of the rate or less:
        https://keras.io/guides/transfer_learning

    >>> [phase.train for phase in two_phases(stages=18)]
    ['head', -3]
    """
    head = Phase("head", train="head", epochs=head_epochs, rate=3e-3)
    if top_epochs == 0 or (stages == 0 and top_blocks is None):
        return (head,)
    blocks = max(1, stages // 5) if top_blocks is None else top_blocks
    if not 1 <= blocks <= stages:
        raise SettingError(
            f"top_blocks must be between 1 and {stages} for this backbone, got {blocks}; "
            "top_epochs=0 leaves the backbone frozen."
        )
    return (head, Phase("top", train=-blocks, epochs=top_epochs, rate=1e-4, warmup=0.1))


def from_scratch(*, epochs: int = 30) -> tuple[Phase, ...]:
    """Plan the training of a model without pretrained weights: everything learns at once."""
    return (
        Phase(
            "all",
            train="all",
            epochs=epochs,
            rate=1e-3,
            warmup=0.1,
            patience=10,
            batch_norm="train",
        ),
    )
