"""Which stream gets what: results on standard output, and all else on standard error, or nowhere."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import click

from tfxfer import runtime

__all__ = ["complain", "print_json", "quiet"]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep standard output for results, and what TensorFlow writes off both unless a fault is sought."""
    if os.environ.get("TFXFER_DEBUG") == "1":
        with redirect_stdout(sys.stderr):
            yield
        return
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns of many models in one process, which an export needs
    try:
        with runtime.native_chatter_hidden(), redirect_stdout(sys.stderr):
            yield
    finally:
        logger.setLevel(level)


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def complain(message: str) -> None:
    """Print what went wrong on standard error, as a line of tfxfer's."""
    click.echo(f"tfxfer: {message}", err=True)
