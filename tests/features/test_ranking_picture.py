"""draw_ranking: a dot a candidate, by accuracy and latency."""

from dataclasses import replace

import pytest

from tests.features.test_standings import ENTRIES, RANKING
from tfxfer.errors import SettingError
from tfxfer.features import Ranking, draw_ranking


def test_it_draws_what_has_a_latency(tmp_path):
    text = draw_ranking(RANKING, tmp_path / "ranking.svg").read_text()
    assert "<!-- small -->" in text
    assert "<!-- big -->" not in text
    assert "<!-- accuracy of a linear probe against latency; bars hold 95 % -->" in text
    numbers = draw_ranking(replace(RANKING, task="regression"), tmp_path / "numbers.svg").read_text()
    assert "<!-- R² of a linear probe against latency; bars hold 95 % -->" in numbers
    assert "<!-- 70 % -->" in text
    assert "<!-- 0.7 -->" in numbers


@pytest.mark.parametrize(
    ("ranking", "file", "message"),
    [
        (RANKING, "ranking.txt", "ranking.txt names no kind of picture; end it in .png, .svg or .pdf."),
        (
            Ranking(ENTRIES[:1], 10, {}),
            "ranking.png",
            "LiteRT can run none of these backbones, so there is no latency to draw.",
        ),
    ],
    ids=["kind", "nothing"],
)
def test_what_cannot_be_drawn_is_refused(ranking, file, message, says):
    with pytest.raises(SettingError, match=says(message)):
        draw_ranking(ranking, file)
