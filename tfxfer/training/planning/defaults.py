"""What is chosen for pictures and a backbone where nobody says, and why: by counts alone, and no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfxfer.config import Phase
from tfxfer.contracts import Plan
from tfxfer.training.planning.plans import choose_phases

__all__ = ["Defaults", "choose_defaults", "phases_for"]

_HEAD, _TOP = 20, 10
"""Epochs of either phase."""
_TOP_SOLVED = 8
"""Epochs of the second where the head is solved in the first."""
_MANY = 500
"""Training pictures from which on more is unfrozen."""
_FEW_SHARE, _MANY_SHARE = 5, 3
"""One stage in so many is unfrozen, of few pictures and of many."""
_SOLVED = "solved by L-BFGS, since on frozen features it is a regression that has one optimum"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is chosen where nobody says.

    Attributes:
        head_epochs: Epochs of the head alone, where it is not solved.
        top_epochs: Epochs with the top blocks unfrozen; 0 for a backbone that cannot be trained.
        top_blocks: How many blocks are unfrozen, from the top; 0 likewise.
        why: Setting -> why it is so, as the rest of a sentence.
    """

    head_epochs: int
    top_epochs: int
    top_blocks: int
    why: Mapping[str, str]

    def fill(
        self, plan: Plan | Sequence[Phase] | None, *, scratch: bool = False, **given: int | None
    ) -> dict[str, int]:
        """Return what a plan takes and nobody gave: setting -> value.

        Args:
            plan: As in ``choose_phases``; names other than ``"two-phase"`` and ``"head"``, and phases of
                one's own, say all themselves.
            scratch: Whether there are no pretrained weights; then everything learns for all epochs together.
            **given: Settings as in ``choose_phases``; None for what is not given.

        >>> chosen = choose_defaults(images=20, stages=18)
        >>> chosen.fill(None, head_epochs=5), chosen.fill("head"), chosen.fill("full")
        ({'top_epochs': 10, 'top_blocks': 3}, {'head_epochs': 20}, {})
        """
        taken: tuple[str, ...] = ()
        if plan is None or plan in ("two-phase", "head"):
            taken = ("head_epochs",)
        if taken and plan != "head" and given.get("top_epochs") != 0 and self.top_blocks:
            taken = ("head_epochs", "top_epochs", *(() if scratch and plan is None else ("top_blocks",)))
        return {name: getattr(self, name) for name in taken if given.get(name) is None}

    def told(self, filled: Mapping[str, int]) -> dict[str, str]:
        """Say of what was filled in what it is, and why: setting -> words."""
        return {name: f"{value}, since {self.why[name]}" for name, value in filled.items()}


def choose_defaults(*, images: int, stages: int) -> Defaults:
    """Choose how long and how deep a network learns, from counts alone.

    - Blocks: a fifth of them; a third from 500 training pictures on. The top is what is most of the old task,
      and how much below it may learn without harm goes by how many pictures there are (Yosinski et al.). Of
      624 pictures of tiles a third did better than a fifth, of 1,400 of CIFAR-10 as well, and of 10 to 50 a
      class no better.
    - Epochs: 20 of the head and 10 of the top, and a phase that gets no better ends early; where the head is
      solved (``phases_for``), 8 of the top, which did no worse than 10 on ants and bees and on CIFAR-10. BiT
      trains small sets for steps rather than epochs; but at least 100, 200 or 500 steps of 10 or 20 pictures
      a class did better on one set of three and worse on another, and were too sure of what was wrong.

    Args:
        images: Training pictures.
        stages: Number of stages of the backbone; 0 for one that cannot be trained.

    Source:
        Yosinski et al. 2014, https://arxiv.org/abs/1411.1792; Kolesnikov et al. 2020,
        https://arxiv.org/abs/1912.11370, section 3.3; https://keras.io/guides/transfer_learning; and what was
        measured on ants and bees, tiles and CIFAR-10.

    >>> choose_defaults(images=245, stages=18).top_blocks, choose_defaults(images=624, stages=18).top_blocks
    (3, 6)
    """
    many = images >= _MANY
    share = _MANY_SHARE if many else _FEW_SHARE
    part = f"a {'third' if many else 'fifth'} of the backbone's {stages}"
    why = {
        "head_epochs": "it ends early where it gets no better",
        "top_epochs": "what is pretrained is to change little",
        "top_blocks": f"{part} suits {images:,} training pictures",
    }
    return Defaults(_HEAD, _TOP if stages else 0, max(1, stages // share) if stages else 0, why)


def phases_for(
    plan: Plan | Sequence[Phase] | None,
    *,
    images: int,
    stages: int,
    scratch: bool = False,
    solved: bool = False,
    head_epochs: int | None = None,
    top_epochs: int | None = None,
    top_blocks: int | None = None,
    **settings: Any,
) -> tuple[tuple[Phase, ...], dict[str, str]]:
    """Return the phases of a plan, with what nobody gave as ``choose_defaults`` chooses it.

    Args:
        plan: As in ``choose_phases``, and so are those below that are not named here.
        images: Training pictures.
        stages: As there.
        scratch: As there.
        solved: Whether the head may be solved; it is where the plan has a name, and nothing is said of how
            its head is trained.
        head_epochs: As there.
        top_epochs: As there.
        top_blocks: As there.
        **settings: As there.

    Returns:
        The phases; and of what was chosen, setting -> its value and why.

    Raises:
        SettingError: As there.

    >>> phases, chosen = phases_for(None, images=20, stages=18, head_epochs=30, top_epochs=5)
    >>> chosen
    {'top_blocks': "3, since a fifth of the backbone's 18 suits 20 training pictures"}
    """
    given: dict[str, Any] = {"head_epochs": head_epochs, "top_epochs": top_epochs}
    given["top_blocks"] = top_blocks
    defaults = choose_defaults(images=images, stages=stages)
    filled = defaults.fill(plan, scratch=scratch, **given)
    named = plan is None or isinstance(plan, str)
    stepwise = scratch or head_epochs is not None or any(settings.get(name) for name in ("find_rate", "soup"))
    solved = solved and named and not stepwise and settings.get("batch_norm") != "train"
    if solved:
        filled.pop("head_epochs", None)
        filled |= {name: min(value, _TOP_SOLVED) for name, value in filled.items() if name == "top_epochs"}
    settings |= {"stages": stages, "scratch": scratch, "solved": solved}
    phases = choose_phases(plan, **settings, **given | filled)
    return phases, ({"head": _SOLVED} if solved else {}) | defaults.told(filled)
