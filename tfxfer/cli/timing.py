"""``tfxfer benchmark``: how fast a bundle's files are on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import click

import tfxfer
from tfxfer.cli.options import FOLDER, json_option
from tfxfer.errors import SettingError

__all__ = ["benchmark"]


def _counts(_: click.Context, __: click.Parameter, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(each) for each in text.split(","))
    except ValueError:
        raise SettingError(
            f"--threads must be numbers with commas between, such as 1,2, got {text!r}."
        ) from None


@click.command()
@click.argument("bundle", metavar="DIR", type=FOLDER)
@click.option(
    "--threads", default="1", metavar="N,M,…", callback=_counts, help="With how many; 1 if not given."
)
@click.option("--runs", type=int, default=100, show_default=True, help="Pictures timed.")
@json_option
def benchmark(bundle: Path, threads: tuple[int, ...], runs: int, as_json: bool) -> None:
    """Time each .tflite file in DIR by LiteRT: latency, size, and the most memory of a process of its own."""
    timings = tfxfer.benchmark(bundle, threads=threads, runs=runs)
    if as_json:
        click.echo(json.dumps([each.to_dict() for each in timings], indent=2))
    else:
        click.echo("\n".join(map(str, timings)))
