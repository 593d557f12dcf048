"""Where MLflow logs what Keras fits, each phase is a run of its own, within one for the whole fit."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

from tfxfer.config import SOLVER

__all__ = ["log_solved", "phase_run", "whole_run"]


@contextmanager
def whole_run() -> Iterator[None]:
    """Have a fit be in one run: the one that is active, or a new one."""
    within = _logs_keras() and sys.modules["mlflow"].active_run() is None
    with phase_run("fit") if within else nullcontext():
        yield


@contextmanager
def phase_run(name: str) -> Iterator[None]:
    """Give what is fitted inside a run of its own, nested in the active one.

    MLflow takes each parameter of a run once. A second phase in the same run, with another rate and other
    epochs, would not be logged at all; checked on 3.17.2.

    Args:
        name: The run's name.
    """
    if not _logs_keras():
        yield
        return
    with sys.modules["mlflow"].start_run(run_name=name, nested=True):
        yield


def log_solved(figures: Mapping[str, float], *, epoch: int) -> None:
    """Log the epoch of a head that is solved, which Keras does not fit, in the active run.

    Args:
        figures: Metric name -> value.
        epoch: Its number, counted from 0 over all phases.
    """
    if _logs_keras():
        sys.modules["mlflow"].log_param("optimizer_name", SOLVER)
        sys.modules["mlflow"].log_metrics(dict(figures), step=epoch)


def _logs_keras() -> bool:
    """Say whether somebody imported MLflow and had it log what Keras fits."""
    if "mlflow" not in sys.modules:
        return False
    settings = sys.modules.get("mlflow.utils.autologging_utils")
    return settings is not None and not settings.autologging_is_disabled("keras")
