"""One measurement in a process of its own, so that no other has warmed it up or filled its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

__all__ = ["apart"]


def apart(module: str, *arguments: str) -> dict[str, float]:
    """Run a script of this folder where nothing is kept yet.

    Args:
        module: Its name, as ``python -m`` takes it.
        arguments: What it is given; its last line is to be one JSON object.

    Returns:
        That object.
    """
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=os.environ | {"XDG_CACHE_HOME": home},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
