"""Run a .tflite file with LiteRT, without TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from tfxfer.errors import BundleError

__all__ = ["LiteRTModel", "Outputs"]


class Outputs(NamedTuple):
    """What a model says of one picture.

    Attributes:
        scores: Probabilities, or numbers, shape (classes,), float32.
        known: How far it is from being none of the classes, below 0 where it is; None where the model does
            not say.
    """

    scores: npt.NDArray[np.float32]
    known: float | None


class LiteRTModel:
    """A loaded .tflite classifier: one picture in, one row of scores out; threads may share it.

    Checked on ai-edge-litert 2.3.0.

    Args:
        file: The file, or what it holds.
        threads: How many it computes with; None takes all cores.

    Raises:
        BundleError: LiteRT cannot load it; for one, since it needs operators that are not built in. Scores
            raise it where it cannot run it.
    """

    def __init__(self, file: str | Path | bytes, *, threads: int | None = None) -> None:
        self._lock = Lock()
        source: dict[str, Any] = (
            {"model_content": file} if isinstance(file, bytes) else {"model_path": str(file)}
        )
        self._named = "what was converted" if isinstance(file, bytes) else file
        try:
            self._interpreter = Interpreter(**source, num_threads=threads or os.cpu_count())
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"LiteRT cannot load {self._named}: {error}") from error
        self._input = self._interpreter.get_input_details()[0]
        # The scores have a row a picture, and the other output, where there is one, a number.
        outputs = {len(each["shape"]): each["index"] for each in self._interpreter.get_output_details()}
        self._scores, self._known = outputs[2], outputs.get(1)

    @property
    def shape(self) -> tuple[int, int, int]:
        """What a picture is: height, width, 3."""
        _, height, width, channels = map(int, self._input["shape"])
        return height, width, channels

    @property
    def takes_bytes(self) -> bool:
        """Whether pixels go in as uint8, and not as float32."""
        return bool(self._input["dtype"] == np.uint8)

    def scores(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the scores of one picture.

        Args:
            image: Raw RGB, shape (height, width, 3), uint8 in 0..255.

        Returns:
            Probabilities, shape (classes,), float32.
        """
        return self.outputs(image).scores

    def outputs(self, image: npt.NDArray[np.uint8]) -> Outputs:
        """Return all that the model says of one picture, given as in ``scores``."""
        with self._lock:
            self._interpreter.set_tensor(
                self._input["index"], image[np.newaxis].astype(self._input["dtype"], copy=False)
            )
            try:
                self._interpreter.invoke()
            except RuntimeError as error:
                raise BundleError(f"LiteRT cannot run {self._named}: {error}") from error
            scores = np.array(self._interpreter.get_tensor(self._scores)[0], np.float32)
            if self._known is None:
                return Outputs(scores, None)
            return Outputs(scores, float(self._interpreter.get_tensor(self._known)[0]))

    def all_scores(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return those of several, shape (pictures, classes), one after the other."""
        return np.stack([self.scores(image) for image in images])
