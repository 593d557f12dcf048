"""``tfxfer cache``: what kept features take on the disk, and how they go."""

from __future__ import annotations

import json

import click

from tfxfer import features
from tfxfer.cli.options import json_option

__all__ = ["cache"]


@click.command()
@click.option("--clear", is_flag=True, help="Remove them; what is needed again is computed again.")
@json_option
def cache(clear: bool, as_json: bool) -> None:
    """Say how much room the features take that training kept."""
    taken = features.clear_cache() if clear else features.usage()
    if as_json:
        found = {"folder": str(taken.folder), "models": taken.models, "bytes": taken.size, "cleared": clear}
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(f"{'Removed ' if clear else ''}{taken}.")
