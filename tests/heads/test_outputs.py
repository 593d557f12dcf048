"""dense_outputs: features of either shape become as many numbers as asked for."""

import keras
import pytest

from tfxfer.errors import SettingError
from tfxfer.heads import MultiLabel, Regression, SingleLabel
from tfxfer.heads.outputs import dense_outputs


@pytest.mark.parametrize("shape", [(2, 3, 4), (4,)], ids=["map", "pooled"])
def test_each_picture_gets_its_numbers(shape):
    features = keras.Input(shape)
    logits = dense_outputs(features, outputs=5, dropout=0.1)
    assert logits.shape == (None, 5)
    assert keras.Model(features, logits).count_params() == 5 * (4 + 1)


@pytest.mark.parametrize(
    "head", [SingleLabel(3), MultiLabel(3), Regression()], ids=lambda head: type(head).__name__
)
def test_every_layer_is_named_as_head(head):
    features = keras.Input((2, 3, 4))
    layers = keras.Model(features, head.apply(features)).layers[1:]
    assert [layer.name for layer in layers] == ["head_pool", "head_dropout", "head_logits", "head_scores"]


@pytest.mark.parametrize("dropout", [1.0, -0.1])
@pytest.mark.parametrize(
    "head",
    [lambda **s: SingleLabel(3, **s), lambda **s: MultiLabel(3, **s), Regression],
    ids=["single", "multi", "regression"],
)
def test_a_share_that_leaves_nothing_is_refused(head, dropout, says):
    with pytest.raises(SettingError, match=says(f"dropout must be in [0, 1), got {dropout:g}.")):
        head(dropout=dropout)
