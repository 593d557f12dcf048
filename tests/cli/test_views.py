"""--tta: scores are the mean over the views, and an unknown view is refused before anything is printed."""

import json

import pytest

import tfxfer
from tests.cli.test_commands import run
from tfxfer.cli.main import main


@pytest.fixture(scope="module")
def bundle(of_task):
    return of_task["multi_label"][3]


def test_predict_averages_over_views(capfd, bundle, shared_pictures):
    image = shared_pictures / "red" / "00.png"
    (prediction,) = json.loads(run(capfd, "predict", bundle, image, "--tta", "flip", "--json").out)
    scores = tfxfer.load(bundle).view_scores([image], tta=("flip",))
    assert list(prediction["scores"].values()) == pytest.approx(scores[0].mean(axis=0).tolist(), abs=1e-6)


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_an_unknown_view_is_refused(capfd, bundle, shared_pictures, command):
    with pytest.raises(SystemExit) as left:
        main([command, str(bundle), str(shared_pictures), "--tta", "flip,crop"])
    assert left.value.code == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "tfxfer: no view 'crop' for test-time augmentation; did you mean 'crops'? There are flip, crops.\n"
    )
