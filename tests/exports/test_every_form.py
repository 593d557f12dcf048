"""Every form that needs no extra: it is within its bounds, or refused and says why, on several families."""

import numpy as np
import pytest

from tfxfer.errors import TfxferWarning
from tfxfer.exports import FORMATS, LiteRTModel, export
from tfxfer.models import build
from tfxfer.training import Phase, fit

FAMILIES = ["mobilenet_025", "mobilenet_v3_small", "resnet50_v2", "convnext_tiny"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.filterwarnings(f"ignore::{TfxferWarning.__module__}.{TfxferWarning.__name__}")
def test_a_form_is_within_its_bounds_or_refused(name, photos, tmp_path):
    model = build(photos, backbone=name, image_size=32, weights=None)
    phase = Phase("all", train="all", epochs=2, rate=1e-3, batch_norm="train")
    fit(model, photos, plan=[phase], guard=False, progress=False)
    formats = [form.name for form in FORMATS if not form.packages]
    artifacts = export(model, tmp_path / "bundle", photos, formats=formats)
    assert [each.format for each in artifacts] == formats
    image = np.zeros((32, 32, 3), np.uint8)
    for each in artifacts:
        assert each.path.exists() is each.passed
        assert each.size > 0
        if each.passed and each.path.suffix == ".tflite":
            scores = LiteRTModel(each.path).scores(image)
            assert scores.shape == (3,)
            assert scores.sum() == pytest.approx(1, abs=0.05)
