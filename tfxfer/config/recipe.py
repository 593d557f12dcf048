"""What a run is told, as one value: which pictures, what model, how it learns, what is judged and leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self

import tomli_w

from tfxfer.config.checking import check_types
from tfxfer.config.distillation import Distillation
from tfxfer.config.phases import BatchNorm, Phase
from tfxfer.config.reading import read_settings
from tfxfer.config.writing import written
from tfxfer.contracts import Balance, FeatureUse, NearDuplicates, Plan, Resize, Task
from tfxfer.errors import SettingError, did_you_mean
from tfxfer.runtime import whole_file

__all__ = ["Bundle", "Judging", "Model", "Pictures", "Recipe", "Training"]


class _Group:
    """Settings of one kind, each of its field's type."""

    __slots__ = ()

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True, slots=True)
class Pictures(_Group):
    """Where pictures come from, how they are read, and which are left out, as ``tfxfer.transfer`` takes it.

    Attributes:
        source: ``folder`` there; None where that is still to be said.
    """

    source: str | Path | Any = None
    columns: Mapping[str, str | Sequence[str]] | None = None
    task: Task | None = None
    separator: str | None = None
    root: str | Path | None = None
    data_dir: str | Path | None = None
    download: bool = False
    resize: Resize = "crop"
    max_bad: float = 0.05
    near_duplicates: NearDuplicates = "together"


@dataclass(frozen=True, slots=True)
class Model(_Group):
    """What is built, as ``tfxfer.transfer`` takes it."""

    backbone: str = "mobilenet_v2"
    weights: str | Path | None = "pretrained"
    weights_sha256: str | None = None
    image_size: int | None = None
    pixel_range: tuple[float, float] | None = None
    dropout: float = 0.2
    drop_path: float | None = None


@dataclass(frozen=True, slots=True)
class Training(_Group):
    """How it learns, as ``tfxfer.transfer`` takes it."""

    plan: Plan | tuple[Phase, ...] | None = None
    head_epochs: int | None = None
    top_epochs: int | None = None
    top_blocks: int | None = None
    find_rate: bool = False
    soup: int | None = None
    batch_norm: BatchNorm | None = None
    batch_size: int = 32
    balance: Balance | None = None
    augment: str | Mapping[str, str | float] | Any = "none"
    mix: Literal["mixup", "cutmix"] | Mapping[str, str | float] | Any | None = None
    label_smoothing: float = 0.0
    distillation: Distillation | None = None
    features: FeatureUse = "auto"
    views: int | None = None
    precision: str = "auto"
    strategy: str = "auto"
    guard: bool = True


@dataclass(frozen=True, slots=True)
class Judging(_Group):
    """What is judged beside how good it is, as ``tfxfer.transfer`` takes it."""

    calibrate: bool = True
    reject: float | None = None


@dataclass(frozen=True, slots=True)
class Bundle(_Group):
    """What leaves, as ``tfxfer.transfer`` takes it."""

    formats: tuple[str, ...] = ("keras", "saved-model", "tflite")
    report: bool = True
    label_errors: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a run is told: the same recipe, on the same machine, makes the same weights.

    ``tfxfer.transfer(recipe=…)`` runs one, and ``tfxfer train --recipe FILE``. In a TOML file, each group is
    a table, and ``"none"`` stands for None where that is not the default; what is left out is as it is by
    default, and relative paths begin where the run does.

    Attributes:
        pictures: Where they come from, how they are read, and which are left out.
        model: What is built.
        training: How it learns.
        judging: What is judged beside.
        bundle: What leaves.
        seed: Seed of the split, the new weights, the shuffling and the dropout, in 0..2**32 - 1.
        lacks: What a file could not hold, and was given beside, such as a function: setting -> what it was. A
            recipe that lacks something is not run before it is given, or taken out of here.

    Raises:
        SettingError: A setting is of another type.

    >>> recipe = Recipe(model=Model(backbone="micro"), seed=7).with_settings(head_epochs=5)
    >>> recipe.training.head_epochs, recipe.settings["backbone"]
    (5, 'micro')
    """

    pictures: Pictures = Pictures()
    model: Model = Model()
    training: Training = Training()
    judging: Judging = Judging()
    bundle: Bundle = Bundle()
    seed: int = 0
    lacks: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types(self, " of a recipe")

    @classmethod
    def from_toml(cls, file: str | Path) -> Self:
        """Read a recipe, such as ``recipe.toml`` of a bundle.

        Args:
            file: The file; a table for each group, each with any of its settings.

        Raises:
            SettingError: It cannot be read, or has in it what is no setting, or of another type.
        """
        return read_settings(cls, file)

    def to_toml(self, file: str | Path, *, heading: str = "") -> Path:
        """Write it, as a file that ``from_toml`` reads, whole or not at all.

        Args:
            file: The file; one that is there already is replaced.
            heading: Lines of comment to begin with; what cannot be printed becomes a space there.

        Returns:
            The file.

        Raises:
            SettingError: It has in it what TOML cannot hold, or the file cannot be written.
        """
        table, lacks = written(self)
        if lacks:
            told = ", ".join(f"{name} ({what})" for name, what in lacks.items())
            raise SettingError(
                f"a recipe in TOML cannot hold {told}; give it by a name or in numbers, or write "
                "recipe.writable(), which says what it lacks."
            )
        lines = ["".join(c if c.isprintable() else " " for c in line) for line in heading.splitlines()]
        comment = "".join(f"# {line}\n" for line in lines)
        with whole_file(file) as draft:
            draft.write_bytes(f"{comment}{tomli_w.dumps(table)}".encode())
        return Path(file)

    def writable(self) -> Self:
        """Return it without what TOML cannot hold, which is then in ``lacks``."""
        _, lacks = written(self)
        defaults = type(self)().settings
        bare = self.with_settings(**{name: defaults[name] for name in lacks})
        return replace(bare, lacks={**self.lacks, **lacks})

    @property
    def settings(self) -> dict[str, Any]:
        """All settings of all groups, and the seed: name -> value."""
        groups = {name: getattr(self, name) for name in GROUPS}
        values = {each: getattr(groups[home], each) for each, home in HOMES.items()}
        return values | {"seed": self.seed}

    def pick(self, *names: str) -> dict[str, Any]:
        """Return some of the settings, to hand on by ``**``."""
        settings = self.settings
        return {name: settings[name] for name in names}

    def with_settings(self, **settings: Any) -> Self:
        """Return it with some settings changed, of whichever group they are; what is given is not lacking.

        Args:
            **settings: Settings as ``tfxfer.transfer`` takes them, and ``source``.

        Raises:
            SettingError: One is not known, or of another type.
        """
        for name in settings:
            if name not in HOMES and name != "seed":
                hint = did_you_mean(name, [*HOMES, "seed"]) or "."
                raise SettingError(f"no setting {name!r}{hint} There are {', '.join(HOMES)}, seed.")
        changes: dict[str, Any] = {}
        for group in GROUPS:
            mine = {name: value for name, value in settings.items() if HOMES.get(name) == group}
            changes[group] = replace(getattr(self, group), **mine)
        lacks = {name: what for name, what in self.lacks.items() if name not in settings}
        return replace(self, **changes, seed=settings.get("seed", self.seed), lacks=lacks)


GROUPS: dict[str, type] = {
    "pictures": Pictures,
    "model": Model,
    "training": Training,
    "judging": Judging,
    "bundle": Bundle,
}
HOMES = {each.name: group for group, kind in GROUPS.items() for each in fields(kind)}
"""Setting -> its group."""
