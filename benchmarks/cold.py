"""A cold start: from nothing to what one picture shows, by tfxfer predict and by Keras, in turn.

    python -m benchmarks.cold BUNDLE PICTURE [--rounds 5] [--runtime PYTHON]

Each is a process of its own: ``python -m tfxfer predict`` on LiteRT; and Keras, which loads ``model.keras``,
reads the picture as in training, and predicts. ``--runtime`` names the Python of an environment with
tfxfer-runtime alone, which then takes its turn too. Seconds are from the start of a process to its end, and
those of processors that it took; memory is the most that it had (``ru_maxrss``). The first round is left out:
it reads from the disk what all others find in memory. Prints a Markdown table of medians, memory the largest.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

KERAS = """
import sys
import keras
from tfxfer.data import read_image
from tfxfer.runtime import ModelFacts, read_card

bundle, picture = sys.argv[1:]
facts = ModelFacts.of_card(read_card(bundle))
model = keras.saving.load_model(f"{bundle}/model.keras", compile=False)
image = read_image(picture, height=facts.input.height, width=facts.input.width, resize=facts.resize)
scores = model.predict(image[None].astype("float32"), verbose=0)[0]
print(f"{picture}  {facts.classes[scores.argmax()]}  {scores.max():.1%}")
"""


def measured(command: list[str]) -> tuple[float, float, float, str]:
    """Run a command; return its seconds, those of processors, most megabytes, and what it printed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, printed.strip()


def main() -> None:
    """Take the ways in turn, round by round, and print a row a way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle")
    parser.add_argument("picture")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runtime", metavar="PYTHON")
    chosen = parser.parse_args()
    what = [chosen.bundle, chosen.picture]
    ways = {"tfxfer predict": [sys.executable, "-m", "tfxfer", "predict", *what]}
    if chosen.runtime:
        ways["tfxfer predict, tfxfer-runtime alone"] = [chosen.runtime, "-m", "tfxfer", "predict", *what]
    ways["Keras"] = [sys.executable, "-c", KERAS, *what]
    found: dict[str, list[tuple[float, float, float, str]]] = {way: [] for way in ways}
    for _ in range(1 + chosen.rounds):
        for way, command in ways.items():
            found[way].append(measured(command))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {chosen.rounds} rounds\n")
    print("| way | seconds | of processors | MB in memory | says |")
    print("|---|---|---|---|---|")
    for way, (_, *rounds) in found.items():
        seconds, busy, memory, printed = zip(*rounds, strict=True)
        said = " ".join(printed[-1].removeprefix(chosen.picture).split())
        middle = statistics.median
        print(f"| {way} | {middle(seconds):.2f} | {middle(busy):.2f} | {max(memory):.0f} | {said} |")


if __name__ == "__main__":
    main()
