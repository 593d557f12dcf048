"""A bundle comes back as something that predicts, on LiteRT alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tfxfer.augment import choose_views, over_views, reading_sizes, view_count, views_of
from tfxfer.contracts import Predictions, Resize, Task
from tfxfer.data import named_pictures, read_image
from tfxfer.errors import DataError
from tfxfer.exports.decoding import MultiLabelPrediction, Prediction, RegressionPrediction, decode
from tfxfer.exports.litert import LiteRTModel, Outputs
from tfxfer.runtime import ModelFacts, check_digest, read_card, read_checked

if TYPE_CHECKING:
    from tfxfer.data.pixels.contents import Content, Pictures

__all__ = ["AnyPrediction", "Predictor", "load"]

_PORTION = 64

AnyPrediction: TypeAlias = Prediction | MultiLabelPrediction | RegressionPrediction


class Predictor:
    """A bundle's model, ready to look at pictures; made by ``tfxfer.load``.

    Attributes:
        folder: The bundle.
        task: What it says of a picture.
        classes: Class names, or names of numbers, in the order of the scores.
        input: The size pictures are brought to.
        resize: How they are.
        card: All that the bundle says of itself.
    """

    def __init__(self, folder: Path, card: dict[str, Any]) -> None:
        self.folder = folder
        self.card = card
        facts = ModelFacts.of_card(card)
        self.task: Task = facts.task
        self.classes: tuple[str, ...] = facts.classes
        self.input = facts.input
        self.resize: Resize = facts.resize
        self._model = LiteRTModel(folder / "model.tflite")

    def predict(self, pictures: Pictures, *, tta: str | Sequence[str] = ()) -> list[AnyPrediction]:
        """Say what pictures show.

        Args:
            pictures: One picture or several: files, their bytes, or pixels, as ``read_image`` takes them.
            tta: Views for test-time augmentation, as in ``tfxfer.evaluate``: scores are the mean over the
                picture and its views. Whether it is known is said by the picture alone.

        Returns:
            One prediction a picture, in their order: a ``Prediction`` of one label, a
            ``MultiLabelPrediction`` of several, a ``RegressionPrediction`` of numbers. Its ``file`` is
            ``"picture 1"`` and so on where the picture is none.

        Raises:
            DataError: One is missing or cannot be read.
            SettingError: There is no such view.
        """
        found: list[AnyPrediction] = []
        for said in self.predict_each(named_pictures(pictures), tta=tta):
            if isinstance(said, DataError):
                raise said
            found.append(said)
        return found

    def predict_each(
        self, pictures: Iterable[tuple[str, Content]], *, tta: str | Sequence[str] = ()
    ) -> Iterator[AnyPrediction | DataError]:
        """Say what pictures show, one after the other; the memory does not grow with their number.

        Args:
            pictures: Pairs of a name and a picture.
            tta: As in ``predict``.

        Yields:
            A prediction a picture, in their order, as ``predict`` gives it; or, not raised, the error that
            says why it cannot be read.

        Raises:
            SettingError: There is no such view.
        """
        views = choose_views(tta)
        for name, said in self._outputs(pictures, views):
            if isinstance(said, DataError):
                yield said
            else:
                (scores,) = over_views(np.array([[each.scores for each in said]]), views)["scores"]
                yield decode(self.task, self.classes, name, scores, known=said[0].known)

    def predictions(
        self,
        files: Sequence[Path],
        labels: npt.ArrayLike,
        *,
        groups: Sequence[str | None] | None = None,
        tta: str | Sequence[str] = (),
    ) -> Predictions:
        """Return scores beside the truth, ready to be judged.

        Args:
            files: Picture files.
            labels: Of one label, class indices, shape (files,); of several, 0 and 1, shape
                (files, classes); of numbers, shape (files, numbers).
            groups: What each picture is of, such as a hospital, None for nothing; None where unknown.
            tta: Views for test-time augmentation, as in ``tfxfer.evaluate``.

        Returns:
            As many predictions.

        Raises:
            DataError: A file is missing or cannot be read.
            SettingError: There is no such view.
        """
        views = choose_views(tta)
        single = self.task == "single_label"
        return Predictions(
            classes=self.classes,
            files=tuple(str(file) for file in files),
            labels=np.asarray(labels, np.int64) if single else np.asarray(labels, np.float32),
            task=self.task,
            groups=None if groups is None else tuple(groups),
            **over_views(self.view_scores(files, tta=views), views),
        )

    def scores(self, pictures: Pictures) -> npt.NDArray[np.float32]:
        """Return probabilities, or numbers, shape (pictures, classes), float32.

        Args:
            pictures: Files, their bytes, or pixels, as ``read_image`` takes them.

        Raises:
            DataError: One is missing or cannot be read.
        """
        return self.view_scores(pictures)[:, 0]

    def view_scores(self, pictures: Pictures, *, tta: str | Sequence[str] = ()) -> npt.NDArray[np.float32]:
        """Return what is said of each view of pictures, shape (pictures, views, classes), float32.

        Args:
            pictures: As in ``scores``.
            tta: Which views there are behind the picture itself, as in ``tfxfer.evaluate``.

        Raises:
            DataError: One is missing or cannot be read.
            SettingError: There is no such view.
        """
        views, rows = choose_views(tta), []
        for _, said in self._outputs(named_pictures(pictures), views):
            if isinstance(said, DataError):
                raise said
            rows.append([each.scores for each in said])
        return np.array(rows, np.float32).reshape(len(rows), view_count(views), len(self.classes))

    def seen_in_training(self) -> frozenset[str]:
        """Return the SHA-256 of every picture that trained or chose this model."""
        split = read_checked(self.folder, "split.json")
        return frozenset(entry["sha256"] for part in ("train", "validation") for entry in split[part])

    def _outputs(
        self, pictures: Iterable[tuple[str, Content]], views: tuple[str, ...]
    ) -> Iterator[tuple[str, list[Outputs] | DataError]]:
        """Yield what is said of a picture and its views."""
        remaining, read = iter(pictures), partial(self._read, views=views)
        with ThreadPoolExecutor() as pool:
            # By portions, since decoding outruns the model and would fill the memory.
            while portion := list(islice(remaining, _PORTION)):
                for (name, _), found in zip(portion, pool.map(read, portion), strict=True):
                    if isinstance(found, DataError):
                        yield name, found
                    else:
                        yield name, [self._model.outputs(view) for view in views_of(found, views)]

    def _read(
        self, named: tuple[str, Content], *, views: tuple[str, ...]
    ) -> list[npt.NDArray[np.uint8]] | DataError:
        name, picture = named
        try:
            return [
                read_image(picture, height=height, width=width, resize=self.resize, name=name)
                for height, width in reading_sizes((self.input.height, self.input.width), views)
            ]
        except DataError as error:
            return error


def load(folder: str | Path) -> Predictor:
    """Load a bundle for prediction; needs LiteRT, and neither TensorFlow nor Keras.

    Args:
        folder: What ``tfxfer.export`` or ``tfxfer train`` wrote.

    Returns:
        The predictor.

    Raises:
        BundleError: The folder is missing, is no bundle, has no ``model.tflite``, that file or the card is
            not the one that was written, or the model is for a task that this version does not know.
    """
    card = read_card(folder)
    check_digest(Path(folder), "model.tflite")
    return Predictor(Path(folder), card)
