"""Pictures of training: what is drawn is what was found."""

import matplotlib.figure
import pytest
from PIL import Image

from tfxfer.contracts import FitLog, PhaseLog, RateSearch
from tfxfer.training import draw_rates

HISTORY = {"loss": (1.0, 0.5, 0.4), "val_loss": (0.9, 0.6, 0.7), "val_accuracy": (0.5, 0.8, 0.7)}
LOG = FitLog((PhaseLog("head", 10, HISTORY, 2, 1.0), PhaseLog("top", 20, HISTORY, 2, 1.0)), kept="top")


@pytest.fixture
def drawn(monkeypatch):
    """Keep the figures that are made, to look into."""
    figures, real = [], matplotlib.figure.Figure
    monkeypatch.setattr(
        matplotlib.figure, "Figure", lambda **settings: figures.append(real(**settings)) or figures[-1]
    )
    return figures


def test_the_log_has_every_epoch_and_marks_the_kept_one(tmp_path, drawn):
    with Image.open(LOG.plot(tmp_path / "log.png")) as picture:
        assert picture.size == (1350, 900)
    above, below = drawn[0].axes
    curves = [(list(line.get_xdata()), list(line.get_ydata())) for line in below.lines]
    assert ([1, 2, 3], [0.5, 0.8, 0.7]) in curves
    assert ([4, 5, 6], [0.5, 0.8, 0.7]) in curves
    assert [curve for curve in curves if len(curve[0]) == 1] == [([5], [0.8])]
    assert ([4, 5, 6], [1.0, 0.5, 0.4]) in [(list(x.get_xdata()), list(x.get_ydata())) for x in above.lines]


def test_a_phase_of_one_epoch_is_seen(tmp_path, drawn):
    once = {name: values[:1] for name, values in HISTORY.items()}
    log = FitLog((PhaseLog("head", 10, once, 1, 1.0), PhaseLog("top", 20, HISTORY, 2, 1.0)), kept="top")
    log.plot(tmp_path / "log.png")
    above, _ = drawn[0].axes
    marks = {tuple(line.get_xdata()): line.get_marker() for line in above.lines}
    assert (marks[1,], marks[2, 3, 4]) == (".", "")
    assert all(float(place).is_integer() for place in above.get_xticks())


def test_the_curve_of_rates_marks_the_suggestion(tmp_path, drawn):
    found = RateSearch((1e-3, 1e-2, 1e-1), (1.0, 0.5, 2.0), 1e-2)
    assert draw_rates(found, tmp_path / "rates.svg").read_text().startswith("<?xml")
    curve, mark = drawn[0].axes[0].lines
    assert (tuple(curve.get_xdata()), tuple(curve.get_ydata())) == (found.rates, found.losses)
    assert set(mark.get_xdata()) == {1e-2}
