"""Standard error for people: what TensorFlow's C++ writes there on its own is kept off it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["native_chatter_hidden"]


@contextmanager
def native_chatter_hidden() -> Iterator[None]:
    """Let Python write to standard error, and C++ code into the void.

    TensorFlow, XLA and LiteRT write notes to file descriptor 2 that no setting silences wholly. Here
    the descriptor leads elsewhere for a while, and ``sys.stderr`` to where it led before.
    """
    sys.stderr.flush()
    python_side, outside = sys.stderr, os.dup(2)
    with (
        tempfile.TemporaryFile() as void,
        os.fdopen(
            os.dup(outside), "w", 1, encoding=python_side.encoding, errors="backslashreplace"
        ) as stream,
    ):
        os.dup2(void.fileno(), 2)
        sys.stderr = stream
        try:
            yield
        finally:
            sys.stderr.flush()
            sys.stderr = python_side
            os.dup2(outside, 2)
            os.close(outside)
