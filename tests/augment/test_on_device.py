"""device_augmentation: Keras's layers do what the policy's steps say, and what they lack is named."""

import numpy as np
import pytest
import tensorflow as tf

from tfxfer.augment import POLICIES, Policy, Step, device_augmentation
from tfxfer.errors import SettingError

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.integers(90, 150, (16, 20, 3), np.uint8)
BATCH = np.repeat(PICTURE[None], 400, axis=0)
MEAN = PICTURE.mean(axis=(0, 1))


def done(*steps, seed=1):
    return np.asarray(device_augmentation(Policy("mine", "", steps, "")).start(seed)(BATCH))


@pytest.fixture(params=["eager", "tf.data"])
def apply(request):
    """Change batches as a notebook would, then as a pipeline would."""
    if request.param == "eager":
        return lambda change, batches: [np.asarray(change(batch)) for batch in batches]
    return lambda change, batches: [
        *tf.data.Dataset.from_tensor_slices(np.stack(batches)).map(change).as_numpy_iterator()
    ]


@pytest.mark.parametrize("name", ["light", "medium", "strong", "medical", "document", "industrial"])
def test_size_and_range_stay_and_the_same_seed_repeats(name, apply):
    augmentation = device_augmentation(name)
    batches = [BATCH[:6], BATCH[6:12]]
    first, again, other = (apply(augmentation.start(seed), batches) for seed in (3, 3, 4))
    for one, two in zip(first, again, strict=True):
        assert (one.shape, one.dtype) == ((6, 16, 20, 3), np.float32)
        assert 0 <= one.min() <= one.max() <= 255
        np.testing.assert_array_equal(one, two)
    assert (first[0] != first[1]).any()
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("none", ()),
        ("light", ()),
        ("medium", ()),
        ("strong", ("OneOf",)),
        ("medical", ("RandomGamma", "GaussNoise")),
        ("aerial", ("D4", "ColorJitter")),
        ("document", ("Perspective", "Illumination", "ImageCompression")),
        ("industrial", ("Illumination", "GaussNoise", "MotionBlur")),
    ],
)
def test_what_keras_has_no_layer_for_is_named(name, left_out):
    assert device_augmentation(name).left_out == left_out


def test_none_changes_nothing():
    np.testing.assert_array_equal(np.asarray(device_augmentation("none").start(0)(BATCH[:2])), BATCH[:2])


@pytest.mark.parametrize(("p", "share"), [(0.5, 0.5), (0.2, 0.2)])
def test_flips_come_as_often_as_asked(p, share):
    views = done(Step("HorizontalFlip", p=p))
    flipped = (views == PICTURE[:, ::-1]).all(axis=(1, 2, 3))
    assert (flipped | (views == PICTURE).all(axis=(1, 2, 3))).all()
    assert flipped.mean() == pytest.approx(share, abs=0.07)


def test_colours_reach_as_far_as_asked():
    still = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
    brighter = done(Step("ColorJitter", settings=still | {"brightness": (0.9, 1.2)})) - PICTURE
    assert brighter.mean(axis=(1, 2, 3)).min() / 255 == pytest.approx(-0.1, abs=0.01)
    assert brighter.mean(axis=(1, 2, 3)).max() / 255 == pytest.approx(0.2, abs=0.01)
    stronger = done(Step("ColorJitter", settings=still | {"contrast": (0.8, 1.2)}))
    spread = (stronger - stronger.mean(axis=(1, 2), keepdims=True)).std(axis=(1, 2, 3)) / (
        PICTURE - MEAN
    ).std()
    assert (spread.min(), spread.max()) == pytest.approx((0.8, 1.2), abs=0.01)
    saturated = done(Step("ColorJitter", settings=still | {"saturation": (0.8, 1.2)}))
    ratio = (saturations(saturated) / saturations(PICTURE)).mean(axis=(1, 2))
    assert (ratio.min(), ratio.max()) == pytest.approx((0.8, 1.2), abs=0.01)


def saturations(images):
    return np.asarray(tf.image.rgb_to_hsv(tf.cast(images, tf.float32) / 255)[..., 1])


def test_erasing_comes_as_often_as_asked():
    views = done(Step("Erasing", p=0.25, settings={"scale": (0.02, 0.33)}))
    assert (views != PICTURE).any(axis=(1, 2, 3)).mean() == pytest.approx(0.25, abs=0.06)


def test_a_step_of_p_leaves_the_others_alone():
    views = done(Step("Affine", p=0.3, settings={"rotate": (-10, 10)}))
    assert (views != PICTURE).any(axis=(1, 2, 3)).mean() == pytest.approx(0.3, abs=0.07)


def test_a_policy_without_any_form_is_refused(says):
    message = "policy mine has no step that Keras has a layer for (MotionBlur, D4); use it on the host."
    with pytest.raises(SettingError, match=says(message)):
        device_augmentation(Policy("mine", "", (Step("MotionBlur"), Step("D4")), ""))


def test_a_fault_shows_in_its_check(says):
    wrong = Policy("mine", "", (Step("Erasing"),), "")
    message = "augmentation mine on the device fails on pictures of 8 x 9 (KeyError: 'scale')."
    with pytest.raises(SettingError, match=says(message)):
        device_augmentation(wrong).check(height=8, width=9)
    device_augmentation("strong").check(height=8, width=9)


def test_the_digest_tells_what_differs():
    light, again, medium = (device_augmentation(name).digest for name in ("light", "light", "medium"))
    assert light == again != medium
    assert len(light) == 64


def test_it_says_what_it_is():
    assert str(device_augmentation("light")) == "light on the device"
    assert device_augmentation(POLICIES["light"]).policy is POLICIES["light"]
