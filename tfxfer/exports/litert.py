"""Run a .tflite file with LiteRT, without TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from tfxfer.errors import BundleError

__all__ = ["LiteRTModel"]


class LiteRTModel:
    """A loaded .tflite classifier: one picture in, one row of scores out; threads may share it.

    Checked on ai-edge-litert 2.3.0.

    Args:
        path: The file.

    Raises:
        BundleError: LiteRT cannot load it; for one, since it needs operators that are not built in.
    """

    def __init__(self, path: str | Path) -> None:
        self._lock = Lock()
        try:
            self._interpreter = Interpreter(str(path), num_threads=os.cpu_count())
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"LiteRT cannot load {path}: {error}") from error
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def scores(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the scores of one picture.

        Args:
            image: Raw RGB, shape (height, width, 3), uint8 in 0..255.

        Returns:
            Probabilities, shape (classes,), float32.
        """
        with self._lock:
            self._interpreter.set_tensor(self._input, image[np.newaxis].astype(np.float32))
            self._interpreter.invoke()
            return np.array(self._interpreter.get_tensor(self._output)[0], np.float32)
