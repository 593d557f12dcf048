"""watched: how far an extraction is."""

import io
import re

from rich.console import Console

from tfxfer.features.watching import watched


def test_where_nobody_watches_one_line_says_what_it_took():
    console = Console(file=io.StringIO(), width=200)
    with watched(1200, engine="LiteRT", console=console) as advance:
        advance(1200)
    text = console.file.getvalue()
    assert re.fullmatch(r"features: 1,200 views by LiteRT in \d+\.\d s \([\d,]+ a second\)\n", text)


def test_a_terminal_gets_a_bar_with_rate_and_time_left():
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    with watched(10, engine="LiteRT", console=console) as advance:
        advance(4)
        advance(6)
    text = console.file.getvalue()
    assert "10/10" in text
    assert "views by" not in text
