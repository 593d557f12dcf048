"""self_test: nothing differs where nothing changed, and another model shows."""

import numpy as np
import pytest

from tfxfer.errors import BundleError
from tfxfer.exports import LiteRTModel, describe, read_metadata, self_test, with_metadata
from tfxfer.exports.metadata.golden import from_png


@pytest.fixture(params=["plain", "quantized"])
def described(request, facts, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(request.getfixturevalue(request.param))
    describe(path, facts)
    return path


def test_nothing_differs_where_it_was_written(described):
    assert self_test(described) == 0


def test_the_largest_difference_is_told(described, facts):
    golden = read_metadata(described).golden
    (first, *others), worse = golden, golden[0].scores[1] + 0.25
    changed = type(first)(first.png, (first.scores[0], worse, first.scores[2]))
    described.write_bytes(with_metadata(described.read_bytes(), facts, [changed, *others]))
    assert self_test(described) == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize(
    "mistake",
    [lambda image: image[..., ::-1], lambda image: image // 255, lambda image: image[:, ::-1]],
    ids=["BGR", "0..1", "mirrored"],
)
def test_pictures_that_are_prepared_otherwise_show(described, mistake):
    model = LiteRTModel(described)
    differences = [
        np.abs(model.scores(np.ascontiguousarray(mistake(from_png(vector.png)))) - vector.scores).max()
        for vector in read_metadata(described).golden
    ]
    assert max(differences) > 0.02


def test_a_file_without_golden_vectors_is_refused(plain, facts, tmp_path, says):
    path = tmp_path / "model.tflite"
    path.write_bytes(with_metadata(plain, facts))
    with pytest.raises(BundleError, match=says(f"{path} has no golden vectors in it; export it again.")):
        self_test(path)
