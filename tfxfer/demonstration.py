"""The whole job once, on pictures and weights that are already here."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from sklearn.datasets import load_digits

from tfxfer.exports import Prediction, load
from tfxfer.runtime import check_target
from tfxfer.transferring import transfer
from tfxfer.workflow import Run

__all__ = ["Demonstration", "demo", "write_digits"]

_PREFIX = "tfxfer-demo-"


@dataclass(frozen=True, slots=True, eq=False)
class Demonstration:
    """What the demonstration did; printed, it is the story of it.

    Attributes:
        folder: Where pictures and model lie.
        run: The run.
        prediction: What the exported model says of one test picture.
        truth: What that picture shows.
    """

    folder: Path
    run: Run
    prediction: Prediction
    truth: str

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values, ready for JSON."""
        return {**self.run.to_dict(), "prediction": self.prediction.to_dict(), "truth": self.truth}

    def __str__(self) -> str:
        cut = self.run.photos.split
        kept = self.run.log[self.run.log.kept]
        files = ", ".join(artifact.path.name for artifact in self.run.files)
        return "\n".join(
            [
                f"{len(self.run.photos):,} scanned digits written as pictures to {self.folder}/digits: "
                f"{len(cut.train)} to learn from, {len(cut.validation)} to choose by, "
                f"{len(cut.test)} to judge by.",
                f"The embedded backbone {self.run.model.name!r} trained in {self.run.log.seconds:.0f} s; "
                f"kept phase {kept.name!r}, {kept.learning_parameters:,} parameters learning.",
                "",
                str(self.run.report),
                "",
                f"Exported to {self.folder}/model, each file loaded again and compared: {files}.",
                f"model.tflite calls {self.prediction.file} a {self.prediction.label} "
                f"({self.prediction.probability:.1%}); it is a {self.truth}.",
                f"{self.run.seconds:.0f} s in all. On pictures of your own: tfxfer train FOLDER --to DIR",
            ]
        )


def demo(to: str | Path | None = None) -> Demonstration:
    """Train, judge, export and predict on scikit-learn's scanned digits; no network.

    Args:
        to: Folder for ``digits/`` and ``model/``; None makes a temporary one, and leaves it.

    Returns:
        What happened.

    Raises:
        SettingError: The folder is there already, or cannot be made.
    """
    folder = check_target(to) if to is not None else Path(tempfile.mkdtemp(prefix=_PREFIX))
    write_digits(folder / "digits")
    # Digits are far from what the backbone has seen, and many enough: most of it may learn.
    run = transfer(
        folder / "digits",
        to=folder / "model",
        backbone="micro",
        image_size=32,
        top_epochs=8,
        top_blocks=3,
    )
    file = run.photos.paths("test")[0]
    (prediction,) = load(folder / "model").predict(file)
    assert isinstance(prediction, Prediction)  # digits each show one class
    return Demonstration(folder, run, prediction, truth=file.parent.name)


def write_digits(folder: Path) -> None:
    """Write scikit-learn's 1,797 scanned digits as 8 x 8 grey PNG files, one folder a digit."""
    digits = load_digits()
    # Ink is 0..16, white on black.
    for index, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        home = folder / str(digit)
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * (255 / 16)).round().astype("uint8")).save(home / f"{index:04}.png")
