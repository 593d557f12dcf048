"""``tfxfer``: one group of commands, one way to say what went wrong."""

from __future__ import annotations

import _thread
import gc
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

import tfxfer
from tfxfer import runtime
from tfxfer.cli.auditing import audit
from tfxfer.cli.augmenting import augment
from tfxfer.cli.caching import cache
from tfxfer.cli.catalogue import backbones
from tfxfer.cli.commands import demo, evaluate, train
from tfxfer.cli.distilling import distill
from tfxfer.cli.explaining import explain
from tfxfer.cli.exporting import export
from tfxfer.cli.gauging import gap
from tfxfer.cli.predicting import predict
from tfxfer.cli.ranking import rank
from tfxfer.cli.reporting import compare, report
from tfxfer.cli.searching import search
from tfxfer.cli.sharding import shards
from tfxfer.cli.streams import complain
from tfxfer.cli.timing import benchmark
from tfxfer.errors import SettingError, TfxferError, TfxferWarning

__all__ = ["main", "tfxfer_command"]


@click.group(
    name="tfxfer",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(tfxfer.__version__, prog_name="tfxfer")
def tfxfer_command() -> None:
    """Visual transfer learning: a folder of pictures in, a checked model out.

    Exit status: 0 done; 1 bad data or a failure; 2 a wrong setting. TFXFER_DEBUG=1 shows tracebacks
    and all that TensorFlow writes.
    """


for _command in (
    audit,
    augment,
    train,
    distill,
    predict,
    explain,
    evaluate,
    compare,
    report,
    export,
    benchmark,
    shards,
    backbones,
    rank,
    gap,
    search,
    cache,
    demo,
):
    tfxfer_command.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    with _interruptible(), _warnings_in_our_form():
        runtime.tell_of_two()
        status = _status(arguments)
    # An iterator of TensorFlow's waits, as it goes, for what it runs in Python; left in a cycle until
    # Python itself ends, it would wait for ever.
    gc.collect()
    sys.exit(status)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have what ends a run politely end it as Ctrl-C does, wherever it meets it: drafts are cleared away."""

    def insist(lost: sys.UnraisableHookArgs) -> None:
        # Within a destructor, such as that of TensorFlow's iterators, nothing can be raised: once more.
        # As SIGTERM, which is heard here in any case: in the background shells have SIGINT ignored.
        if issubclass(lost.exc_type, KeyboardInterrupt):
            threading.Timer(0.05, _thread.interrupt_main, [signal.SIGTERM]).start()
        else:
            hook_before(lost)

    handler_before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    hook_before, sys.unraisablehook = sys.unraisablehook, insist
    try:
        yield
    finally:
        sys.unraisablehook = hook_before
        signal.signal(signal.SIGTERM, handler_before)


@contextmanager
def _warnings_in_our_form() -> Iterator[None]:
    """Have a warning of tfxfer's be a line as an error is, without the place in the code."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, TfxferWarning):
            complain(str(message))
        else:
            show_before(message, category, *where, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", TfxferWarning)
        warnings.filterwarnings("ignore", module=r"PIL\.")  # tfxfer says what is the matter
        show_before, warnings.showwarning = warnings.showwarning, show
        yield


def _status(arguments: Sequence[str] | None) -> int:
    debug = os.environ.get("TFXFER_DEBUG") == "1"
    try:
        outcome = tfxfer_command.main(args=arguments, prog_name="tfxfer", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted; nothing is left half-written.")
        return 1
    except TfxferError as error:
        if debug:
            raise
        complain(str(error))
        return 2 if isinstance(error, SettingError) else 1
    except Exception as error:
        if debug:
            raise
        complain(_unforeseen(error))
        return 1
    # What a command left with, of its own accord; one that ran to its end gives nothing.
    return outcome if isinstance(outcome, int) else 0


def _unforeseen(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and (missing := runtime.left_out(error)):
        return str(missing)
    if type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's, which is not imported here
        return "the memory is full; give a smaller --batch-size, --image-size or backbone."
    first_line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}\nTFXFER_DEBUG=1 shows where."
