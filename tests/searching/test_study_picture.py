"""draw_search: history, importances, and lines from setting to setting."""

import pytest

from tests.searching.test_outcome import search
from tfxfer.errors import SettingError
from tfxfer.searching import draw_search


def test_it_draws_all_three(tmp_path):
    found = search(tmp_path, {"head_rate": 0.75, "mix": 0.25})
    text = draw_search(found, tmp_path / "study.svg").read_text()
    for label in ("validation loss", "what made the difference, by fANOVA", "head_rate", "none to mixup"):
        assert label in text
    assert "too few" not in text


def test_few_trials_are_drawn_too(tmp_path):
    text = draw_search(search(tmp_path, {}), tmp_path / "study.svg").read_text()
    assert "too few trials ran to their end" in text


def test_another_kind_of_file_is_refused(tmp_path, says):
    message = "study.gif names no kind of picture; end it in .png, .svg or .pdf."
    with pytest.raises(SettingError, match=says(message)):
        draw_search(search(tmp_path, {}), "study.gif")
