"""augmentation: the same seed gives the same pixels in any thread, and whatever changes more is refused."""

import gc
from concurrent.futures import ThreadPoolExecutor

import albumentations as A
import numpy as np
import pytest
import tensorflow as tf

from tfxfer.augment import POLICIES, Augmentation, augmentation, on_host
from tfxfer.augment.on_host import _transform
from tfxfer.errors import SettingError

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
COMPOSE = A.Compose([A.HorizontalFlip(), A.Affine(rotate=(-30, 30)), A.GaussNoise()])


def darken(pixels):
    return pixels // 2


def lighten(pixels, seed):
    return np.maximum(pixels, seed)


@pytest.mark.parametrize(
    "source", ["medium", "strong", COMPOSE, lighten], ids=["medium", "strong", "compose", "function"]
)
def test_the_same_seed_gives_the_same_pixels_in_any_thread(source):
    augment = augmentation(source)
    expected = [augment(PICTURE, seed) for seed in range(40)]
    order = np.random.default_rng(1).permutation(np.arange(200) % 40)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda seed: augment(PICTURE, seed), order.tolist()))
    for seed, view in zip(order, found, strict=True):
        np.testing.assert_array_equal(view, expected[seed])
    assert len({view.tobytes() for view in expected}) > 20


def test_threads_of_tensorflow_build_no_more_than_they_use_at_once(monkeypatch):
    """Python forgets what is local to such a thread whenever it leaves."""
    built = []
    monkeypatch.setattr(on_host, "_transform", lambda *step: built.append(step) or _transform(*step))
    augment = augmentation("light")

    def changed(seed):
        return tf.numpy_function(lambda seed: augment(PICTURE, seed), [seed], tf.uint8)

    assert len(list(tf.data.Dataset.range(60).map(changed, num_parallel_calls=2))) == 60
    assert len(built) <= 2 * len(POLICIES["light"].steps)


def test_pictures_of_many_sizes_leave_few_pipelines():
    def pipelines():
        gc.collect()
        return sum(isinstance(each, A.Compose) for each in gc.get_objects())

    augment, before = augmentation("light"), pipelines()
    expected = augment(PICTURE, 5)
    for side in range(20, 60):
        augment(np.zeros((side, 32, 3), np.uint8), 5)
    assert 0 < pipelines() - before <= on_host.SIZES_KEPT
    np.testing.assert_array_equal(augment(PICTURE, 5), expected)


@pytest.mark.parametrize("source", ["medium", COMPOSE], ids=["policy", "compose"])
def test_another_one_of_the_same_gives_the_same(source):
    one, other = augmentation(source), augmentation(source)
    one(PICTURE, 0)
    np.testing.assert_array_equal(one(PICTURE, 5), other(PICTURE, 5))
    assert one == other


def test_two_flips_fall_independently():
    """By albumentations' own set_random_seed they fall alike, and two of these four never come."""
    augment = augmentation(A.Compose([A.HorizontalFlip(), A.VerticalFlip()]))
    kinds = [PICTURE, PICTURE[:, ::-1], PICTURE[::-1], PICTURE[::-1, ::-1]]
    views = [augment(PICTURE, seed) for seed in range(400)]
    counts = [sum(bool((view == kind).all()) for view in views) for kind in kinds]
    assert sum(counts) == 400
    assert min(counts) > 60


def test_pictures_of_any_size_one_after_the_other():
    augment = augmentation("medium")
    for height, width in ((20, 30), (30, 20), (20, 30)):
        assert augment(PICTURE[:height, :width], 1).shape == (height, width, 3)


def test_what_becomes_of_a_compose_later_changes_nothing():
    compose = A.Compose([A.HorizontalFlip(p=1)])
    augment = augmentation(compose)
    compose.transforms[0].p = 0
    np.testing.assert_array_equal(augment(PICTURE, 0), PICTURE[:, ::-1])


@pytest.mark.parametrize(
    "transform", [A.HorizontalFlip(p=1), A.OneOf([A.HorizontalFlip()], p=1)], ids=["one", "either"]
)
def test_a_transform_needs_no_compose(transform):
    np.testing.assert_array_equal(augmentation(transform)(PICTURE, 0), PICTURE[:, ::-1])


def test_functions_are_taken_with_and_without_a_seed():
    np.testing.assert_array_equal(augmentation(darken)(PICTURE, 3), PICTURE // 2)
    np.testing.assert_array_equal(augmentation(lighten)(PICTURE, 99), np.maximum(PICTURE, 99))
    np.testing.assert_array_equal(augmentation(np.flipud)(PICTURE, 0), PICTURE[::-1])


def test_a_function_that_writes_into_its_pixels_writes_into_a_copy():
    def blacken(pixels):
        pixels[:] = 0
        return pixels

    before = PICTURE.copy()
    assert not augmentation(blacken)(PICTURE, 0).any()
    np.testing.assert_array_equal(PICTURE, before)


def test_an_augmentation_stays_as_it_is():
    augment = augmentation("light")
    assert augmentation(augment) is augment


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("light", "light"),
        (COMPOSE, "Compose(HorizontalFlip, Affine, GaussNoise)"),
        (A.HorizontalFlip(), "HorizontalFlip"),
        (darken, "darken"),
    ],
    ids=["policy", "compose", "transform", "function"],
)
def test_it_has_a_name(source, name):
    assert str(augmentation(source)) == name


def test_the_digest_tells_what_differs_and_nothing_else():
    light, again, medium = (augmentation(name).digest for name in ("light", "light", "medium"))
    assert light == again != medium
    assert len(light) == 64
    one, same, other = (augmentation(A.Compose([A.Affine(rotate=(-a, a))])).digest for a in (5, 5, 6))
    assert one == same != other


def unchanged(image, **_):
    return image


def test_what_a_function_does_has_no_digest():
    assert augmentation(darken).digest is None
    assert augmentation(A.Compose([A.Lambda(image=unchanged)])).digest is None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            A.Compose([A.HorizontalFlip(), A.Normalize()]),
            "augmentation Compose(HorizontalFlip, Normalize) made float32 of shape (32, 40, 3) of uint8 of "
            "shape (32, 40, 3); leave out what resizes or normalizes: both are done elsewhere.",
        ),
        (
            A.Compose([A.RandomCrop(16, 16)]),
            "augmentation Compose(RandomCrop) made uint8 of shape (16, 16, 3) of uint8 of shape (32, 40, 3); "
            "leave out what resizes or normalizes: both are done elsewhere.",
        ),
        (
            A.Compose([A.RandomCrop(64, 64)]),
            "augmentation Compose(RandomCrop) fails on pictures of 32 x 40 (CropSizeError: Crop size "
            "(height, width) exceeds image dimensions (height, width): (64, 64) vs (32, 40)).",
        ),
        (
            A.Compose([A.RandomRotate90(p=0.5)]),
            "augmentation Compose(RandomRotate90) made uint8 of shape (40, 32, 3) of uint8 of shape "
            "(32, 40, 3); leave out what resizes or normalizes: both are done elsewhere.",
        ),
    ],
    ids=["type", "shape", "failure", "sometimes"],
)
def test_what_changes_shape_or_type_or_fails_is_named(source, message, says):
    with pytest.raises(SettingError, match=says(message)):
        augmentation(source).check(height=32, width=40)


def test_a_sound_one_passes_its_check():
    augmentation("strong").check(height=32, width=40)


def test_what_cannot_change_a_picture_is_refused(says):
    message = (
        "augment must be the name of a policy, something of albumentations, or a function of pixels; "
        "got int 3."
    )
    with pytest.raises(SettingError, match=says(message)):
        augmentation(3)


MASK = (np.arange(32)[:, None] // 8 * 5 + np.arange(40) // 8).astype(np.uint8)
PAINTED = np.repeat(MASK[..., None] * 10, 3, axis=-1)
ALL = [policy.name for policy in POLICIES]


@pytest.mark.parametrize("source", [*ALL, COMPOSE], ids=[*ALL, "compose"])
def test_moving_gives_the_same_pixels_as_calling(source):
    augment = augmentation(source)
    boxes = np.array([[2, 3, 20, 25]])
    for seed in range(20):
        expected = augment(PICTURE, seed)
        np.testing.assert_array_equal(augment.move(PICTURE, seed).pixels, expected)
        moved = augment.move(PICTURE, seed, mask=MASK, boxes=boxes)
        np.testing.assert_array_equal(moved.pixels, expected)
        assert (moved.mask.shape, moved.mask.dtype) == (MASK.shape, MASK.dtype)
        assert moved.boxes.shape == (len(moved.kept), 4)
        assert set(np.unique(moved.mask)) <= set(range(20))


def test_a_mask_moves_as_its_picture_does():
    """The mask painted as a picture: away from the edges between classes both say the same."""
    augment = augmentation(A.Compose([A.D4(), A.Affine(rotate=(-20, 20), scale=(0.8, 1.2), p=1)]))
    square, painted = MASK[:, :32], PAINTED[:, :32]
    for seed in range(20):
        moved = augment.move(np.ascontiguousarray(painted), seed, mask=square)
        agree = np.abs(moved.mask.astype(int) * 10 - moved.pixels[..., 0]) <= 5
        assert agree.mean() > 0.85


def test_boxes_move_with_what_they_hold():
    picture = np.zeros((32, 40, 3), np.uint8)
    picture[4:12, 6:20] = 255
    boxes = np.array([[6, 4, 20, 12], [30, 20, 40, 32]])
    augment = augmentation(
        A.Compose([A.HorizontalFlip(), A.VerticalFlip(), A.Affine(translate_px=(-6, 6), p=1)])
    )
    for seed in range(30):
        moved = augment.move(picture, seed, boxes=boxes)
        rows, columns = np.nonzero(moved.pixels[..., 0] > 127)
        expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        (place,) = np.flatnonzero(moved.kept == 0)
        np.testing.assert_allclose(np.clip(moved.boxes[place], 0, [40, 32, 40, 32]), expected, atol=1)


def test_boxes_that_leave_the_picture_are_gone():
    augment = augmentation(A.Affine(translate_px={"x": (-20, -20), "y": (0, 0)}, p=1))
    moved = augment.move(PICTURE, 0, boxes=np.array([[0, 0, 10, 10], [25, 5, 35, 15]]))
    assert moved.kept.tolist() == [1]
    np.testing.assert_allclose(moved.boxes, [[5, 5, 15, 15]], atol=0.01)
    nothing = augment.move(PICTURE, 0, boxes=np.empty((0, 4)))
    assert (nothing.boxes.shape, nothing.kept.shape) == ((0, 4), (0,))


def test_a_compose_made_for_boxes_is_taken_without_them_too():
    made = A.Compose([A.HorizontalFlip(p=1)], bbox_params=A.BboxParams("coco", label_fields=["labels"]))
    augment = augmentation(made)
    np.testing.assert_array_equal(augment(PICTURE, 0), PICTURE[:, ::-1])
    np.testing.assert_allclose(augment.move(PICTURE, 0, boxes=[[0, 0, 10, 10]]).boxes, [[30, 0, 40, 10]])


def test_boxes_stay_where_only_colours_change():
    moved = augmentation(A.RandomGamma(p=1)).move(PICTURE, 0, boxes=[[1, 2, 10, 12]])
    np.testing.assert_allclose(moved.boxes, [[1, 2, 10, 12]], atol=0.01)


def test_a_function_moves_no_masks(says):
    message = (
        "augmentation darken is a function of pixels, and moves neither masks nor boxes; give a policy or "
        "something of albumentations."
    )
    with pytest.raises(SettingError, match=says(message)):
        augmentation(darken).move(PICTURE, 0, mask=MASK)


def test_it_is_frozen():
    with pytest.raises(AttributeError):
        augmentation("light").name = "dark"
    assert isinstance(augmentation("light"), Augmentation)
