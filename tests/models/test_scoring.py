"""scores_of: one row a picture, in order, by one trace whatever the batches leave over."""

import numpy as np
import pytest

from tfxfer.augment import VIEWS, views_of
from tfxfer.data import from_folder, read_image
from tfxfer.models import build, scores_of, view_scores_of


@pytest.fixture(scope="module")
def photos(shared_pictures):
    return from_folder(shared_pictures)


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_each_picture_has_its_row_and_the_step_is_traced_once(photos, batch_size):
    model = build(photos, backbone="micro", image_size=32)
    scores = scores_of(model, photos, "train", batch_size=batch_size)
    images = np.stack([read_image(path, height=32, width=32) for path in photos.paths("train")])
    np.testing.assert_allclose(scores, model(images, training=False).numpy(), atol=1e-6)
    assert scores.dtype == np.float32
    assert model.predict_function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("batch_size", [1, 30])
def test_each_view_has_its_row_after_the_picture(photos, batch_size):
    """12 views a picture: of a batch of 30, two pictures are seen at a time, and one is left over."""
    model = build(photos, backbone="micro", image_size=32)
    scores = view_scores_of(model, photos, "test", VIEWS, batch_size=batch_size)
    views = [
        views_of([read_image(path, height=side, width=side) for side in (32, 37)], VIEWS)
        for path in photos.paths("test")
    ]
    expected = model(np.concatenate(views), training=False).numpy().reshape(len(views), 12, 3)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert model.predict_function.experimental_get_tracing_count() == 1
