"""Where a backbone's weights come from, told by their digest, so that they can be had again or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import keras

from tfxfer.errors import SettingError, WeightsError
from tfxfer.runtime import file_sha256

if TYPE_CHECKING:
    from tfxfer.backbones.top import PretrainedTop

__all__ = ["Origin", "check_digest", "origin_of", "with_origin"]

ATTRIBUTE = "tfxfer_origin"


@dataclass(frozen=True, slots=True)
class Origin:
    """Which weights a backbone was given.

    Attributes:
        kind: ``"imagenet"``, ``"embedded"``, ``"file"``, ``"hub"`` and so on; ``"random"`` for none.
        name: The file, without its folder, or what else people call the weights; ``""`` for none.
        sha256: 64 hexadecimal digits; ``""`` for none. Of a module, over the names and contents of all
            its files that are used.
        top: What told one class a picture by the backbone's map there, or None where that did not come along.
    """

    kind: str
    name: str = ""
    sha256: str = ""
    top: PretrainedTop | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of_file(cls, kind: str, file: Path, *, name: str | None = None) -> Origin:
        """Take the digest of a file; its name stands for it unless another is given."""
        return cls(kind, name or file.name, file_sha256(file))

    def hold(self, wanted: str | None) -> None:
        """Hold the weights against the digest that a person or the catalogue wants.

        Raises:
            WeightsError: They have another, or none.
        """
        if wanted and wanted.lower() != self.sha256:
            raise WeightsError(
                f"the weights {self.name or self.kind} have the SHA-256 {self.sha256 or 'none'}, wanted is "
                f"{wanted.lower()}: they are others, or damaged; get them again from where that digest is "
                "said, or leave weights_sha256 (--weights-sha256) out if you trust these."
            )


def check_digest(wanted: str | None, *, weights: str | Path | None) -> None:
    """Refuse what is no SHA-256, or has nothing to be held against.

    Raises:
        SettingError: Not 64 hexadecimal digits, or no weights are asked for.
    """
    if wanted is None:
        return
    if not re.fullmatch(r"[0-9a-fA-F]{64}", wanted):
        raise SettingError(
            f"weights_sha256 must be 64 hexadecimal digits, as sha256sum prints them, got {wanted!r}."
        )
    if weights is None:
        raise SettingError(
            "weights_sha256 is the digest of weights, and weights=None takes none; leave it out."
        )


def with_origin(model: keras.Model, origin: Origin | None) -> keras.Model:
    """Note on a model where its backbone's weights come from."""
    setattr(model, ATTRIBUTE, origin)
    return model


def origin_of(model: keras.Model) -> Origin | None:
    """Return what was noted, or None where nothing was, as on a model out of a file."""
    origin: Origin | None = getattr(model, ATTRIBUTE, None)
    return origin
