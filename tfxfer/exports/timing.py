"""How fast a bundle's files are on this machine, and what they take, by LiteRT alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfxfer.errors import BundleError, SettingError
from tfxfer.exports.litert import LiteRTModel
from tfxfer.runtime import check_digest, read_card

__all__ = ["Timing", "benchmark", "measured", "timed"]

_WARM_UP = 10
_CHILD = (
    "import json, sys; from tfxfer.exports.timing import measured; "
    "print(json.dumps(measured(sys.argv[1], threads=int(sys.argv[2]), runs=int(sys.argv[3]))))"
)


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast one file is with so many threads; printed, it is a line.

    Attributes:
        format: Which form it is, such as ``"tflite-int8"``.
        path: The file.
        size: Its bytes.
        threads: How many it computes with.
        median: Seconds for one picture of the model's size, the median.
        p90: Seconds that nine of ten pictures take at most.
        memory: Most bytes that a process of its own took, Python and LiteRT among them.
    """

    format: str
    path: Path
    size: int
    threads: int
    median: float
    p90: float
    memory: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        told = asdict(self)
        return {
            "format": told.pop("format"),
            "file": str(told.pop("path")),
            "bytes": told.pop("size"),
            **told,
        }

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads != 1)}"
        return (
            f"{self.format:15} {threads:>10}  {1000 * self.median:8.2f} ms, nine of ten within "
            f"{1000 * self.p90:.2f} ms  {self.size / 1e6:7.2f} MB on disk  {self.memory / 1e6:6.0f} MB "
            "in memory"
        )


def benchmark(bundle: str | Path, *, threads: Sequence[int] = (1,), runs: int = 100) -> tuple[Timing, ...]:
    """Time each .tflite file of a bundle, each in a process of its own; needs neither TensorFlow nor Keras.

    Args:
        bundle: What ``tfxfer.export`` or ``tfxfer train`` wrote.
        threads: With how many threads, 1 or more; each file is timed with each of these.
        runs: Pictures timed, one after the other, 1 or more.

    Returns:
        One value a file and number of threads.

    Raises:
        SettingError: A number of threads or runs is less than 1.
        BundleError: The folder is no bundle, has no .tflite file, or one is not the one that was written.
    """
    if not threads or min(*threads, runs) < 1:
        raise SettingError(
            f"threads and runs must be 1 or more, got {', '.join(map(str, threads)) or 'none'} and {runs}."
        )
    folder = Path(bundle)
    read_card(folder)
    files = sorted(folder.glob("model*.tflite"))
    if not files:
        raise BundleError(f"{folder} has no .tflite file; tfxfer export {folder} --formats tflite makes it.")
    for file in files:
        check_digest(folder, file.name)
    return tuple(timed(file, count, runs) for file in files for count in threads)


def measured(file: str | Path, *, threads: int, runs: int) -> dict[str, float]:
    """Time a file in this process, which should have done nothing else.

    Args:
        file: The .tflite file.
        threads: How many it computes with.
        runs: Pictures timed.

    Returns:
        ``median``, ``p90`` and ``memory``, as ``Timing`` has them.

    Raises:
        BundleError: LiteRT cannot load it.
    """
    model = LiteRTModel(file, threads=threads)
    picture = np.random.default_rng(0).integers(0, 256, model.shape).astype(np.uint8)
    seconds = []
    for _ in range(_WARM_UP + runs):
        started = time.perf_counter()
        model.outputs(picture)
        seconds.append(time.perf_counter() - started)
    kept = seconds[_WARM_UP:]
    return {"median": float(np.median(kept)), "p90": float(np.quantile(kept, 0.9)), "memory": _peak()}


def timed(file: Path, threads: int, runs: int) -> Timing:
    """Time a file in a process of its own.

    Args:
        file: ``model.tflite``, or ``model-`` and how it is quantized.
        threads: How many it computes with.
        runs: Pictures timed.

    Raises:
        BundleError: LiteRT cannot load it.
    """
    command = [sys.executable, "-c", _CHILD, str(file), str(threads), str(runs)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        reason = (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
        raise BundleError(f"{file} cannot be timed: {reason}")
    found = json.loads(ended.stdout.splitlines()[-1])
    form = file.stem.replace("model", "tflite", 1)
    memory = int(found["memory"])
    return Timing(form, file, file.stat().st_size, threads, found["median"], found["p90"], memory)


def _peak() -> int:
    """Return the most bytes that this process has taken."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says there begins with the process that started this one
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return 1024 * int(line.split()[1])
    import resource  # not on Windows

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)
