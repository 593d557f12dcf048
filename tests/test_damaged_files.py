"""Five hundred damaged files among good ones: none stops the audit or training, each is used or named."""

import io

import numpy as np
import pytest

import tfxfer
from tests.conftest import COLOURS, draw, write_pictures
from tfxfer.contracts import PARTS

KINDS = {"jpg": {"format": "JPEG", "quality": 90}, "png": {"format": "PNG"}, "webp": {"format": "WEBP"}}
DAMAGED_OF_EACH = 168


def encoded(colour, index, kind):
    stream = io.BytesIO()
    draw(colour, index, size=48).save(stream, **KINDS[kind])
    return stream.getvalue()


def damage(data, generator):
    """Cut a file short, turn some of its bits over, or do both."""
    way = generator.integers(3)
    if way != 1:
        data = data[: generator.integers(0, len(data))]
    if way != 0 and data:
        turned = np.frombuffer(data, np.uint8).copy()
        places = generator.integers(0, len(turned), generator.integers(1, 20))
        turned[places] ^= np.uint8(1) << generator.integers(0, 8, len(places), dtype=np.uint8)
        data = turned.tobytes()
    return data


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pictures = write_pictures(tmp_path_factory.mktemp("damaged") / "pictures", count=20)
    generator = np.random.default_rng(0)
    for kind in KINDS:
        for index in range(DAMAGED_OF_EACH):
            colour = list(COLOURS)[index % len(COLOURS)]
            data = damage(encoded(colour, index, kind), generator)
            (pictures / colour / f"damaged {index}.{kind}").write_bytes(data)
    return pictures


def test_the_audit_names_what_it_cannot_read(folder):
    found = tfxfer.audit(folder, use_cache=False)
    bad = {finding.file for finding in (*found.unreadable, *found.oversized)}
    assert found.pictures == 60 + 3 * DAMAGED_OF_EACH
    assert 200 < len(bad) < 3 * DAMAGED_OF_EACH
    assert all("damaged" in file for file in bad)


def test_training_uses_each_or_names_it(folder):
    photos = tfxfer.from_folder(folder)
    cleaned = tfxfer.clean(photos, max_bad=1, near_duplicates="ignore", progress=False)
    left_out = {each.path for each in cleaned.left_out}
    used = {record.path for record in cleaned.records}
    assert left_out | used == {record.path for record in photos.records}
    assert not left_out & used
    model = tfxfer.build(cleaned, backbone="micro", image_size=32)
    log = tfxfer.fit(model, cleaned, plan=[tfxfer.Phase("head", epochs=1, rate=1e-3)], progress=False)
    assert np.isfinite(log.validation_loss)
    seen = [labels for part in PARTS for _, labels in cleaned.batches(part, image_size=16, cache="none")]
    assert sum(map(len, seen)) == len(used)
