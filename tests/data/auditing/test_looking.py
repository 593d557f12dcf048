"""look_at_all: facts in the order asked for, remembered, and others' findings kept."""

import io

import numpy as np
from rich.console import Console

from tests.conftest import draw
from tfxfer.data import content_sha256, from_arrays
from tfxfer.data.auditing import looking
from tfxfer.data.auditing.looking import look_at_all, look_at_photos
from tfxfer.data.auditing.remembered import recall

PATHS = ["red/03.png", "blue/01.png", "red/00.png"]


def look(root, paths=PATHS, **settings):
    return look_at_all(root, paths, max_pixels=64_000_000, **settings)


def test_facts_come_in_the_order_asked_for(pictures, cache_home):  # noqa: ARG001 keeps the cache fresh
    (pictures / "blue" / "01.png").write_text("no picture")
    first = look(pictures)
    assert [fact.state for fact in first.facts] == ["readable", "unreadable", "readable"]
    assert (first.new, first.seconds > 0) == (3, True)
    again = look(pictures, PATHS[::-1])
    assert again.facts == first.facts[::-1]
    assert again.new == 1  # what could not be read is tried again


def test_two_tables_of_one_folder_remember_side_by_side(pictures, cache_home):  # noqa: ARG001
    look(pictures, PATHS[:2])
    look(pictures, PATHS[2:])
    assert set(recall(pictures)) == set(PATHS)
    (pictures / PATHS[0]).unlink()
    look(pictures, ["green/00.png"])
    assert set(recall(pictures)) == {*PATHS[1:], "green/00.png"}


def test_a_bar_is_shown_where_somebody_watches_and_wants_it(pictures):
    def shown(**settings):
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=True, width=100)
        look(pictures, use_cache=False, console=console, **settings)
        return stream.getvalue()

    assert "/3" in shown()
    assert shown(progress=False) == ""


def test_what_is_no_file_is_looked_at_in_its_own_order(monkeypatch):
    monkeypatch.setattr(looking, "_PORTION", 5)
    images = np.stack([np.asarray(draw("red", index)) for index in range(12)])
    photos = from_arrays(images, [0, 1] * 6)
    found = look_at_photos(photos, max_pixels=64_000_000, progress=False)
    assert [facts.sha256 for facts in found.facts] == [content_sha256(image) for image in images]
    assert found.new == 12
