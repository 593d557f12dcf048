"""Engines: LiteRT gives what TensorFlow gives, in the same order, from several threads; or says why not."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from tests.families import ONE_OF_A_FAMILY
from tfxfer.backbones import BACKBONES
from tfxfer.features import engines, find_cut, multiply_adds
from tfxfer.features.engines import LiteRTEngine, TensorFlowEngine, choose_engine
from tfxfer.models import Anatomy, build, precision_of, set_trainable


@pytest.fixture(scope="module")
def prefix():
    """A prefix with several outputs, two of them of one shape."""
    model = build(classes=3, backbone="micro", image_size=32)
    set_trainable(model, -1)
    names = ("block_2_out", "block_1_out", "block_2_conv1", "head_pool")
    return keras.Model(model.inputs[0], [model.get_layer(name).output for name in names])


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).integers(0, 256, (5, 32, 32, 3), np.uint8)


@pytest.fixture(scope="module")
def chosen(prefix):
    return choose_engine(prefix)


def test_litert_gives_what_the_model_gives(chosen, prefix, images):
    engine, why = chosen
    assert (engine.name, why) == ("LiteRT", "")
    wanted = prefix(images.astype(np.float32), training=False)
    for found, each in zip(engine(images), wanted, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, each, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ONE_OF_A_FAMILY))
def test_every_family_runs_through_litert(name):
    size = max(BACKBONES[name].minimum, 64)
    model = build(classes=2, backbone=name, image_size=size, weights=None)
    stages = list(Anatomy.of(model).stages.values())
    middle = stages[len(stages) // 2][-1]
    prefix = keras.Model(model.inputs[0], [middle.output, model.get_layer("head_pool").output])
    engine, why = choose_engine(prefix)
    assert (engine.name, why) == ("LiteRT", "")
    keras.backend.clear_session()


def test_threads_share_an_engine(chosen, images):
    engine, _ = chosen
    alone = [engine(images[index : index + 1]) for index in range(5)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(engine, [images[index : index + 1] for index in range(5)] * 3))
    for first, second in zip(alone * 3, together, strict=True):
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, other)


def test_tensorflow_gives_the_same(chosen, prefix, images):
    for found, each in zip(TensorFlowEngine(prefix)(images), chosen[0](images), strict=True):
        np.testing.assert_allclose(found, each, rtol=1e-4, atol=1e-4)


def test_what_does_not_convert_runs_on_tensorflow(images):
    image = keras.Input((32, 32, 3))
    pooled = keras.layers.Conv2D(2, 3, trainable=False)(image)
    prefix = keras.Model(image, keras.layers.Resizing(8, 8, interpolation="bicubic")(pooled))
    engine, why = choose_engine(prefix)
    assert engine.name == "TensorFlow"
    assert why.startswith("LiteRT cannot run it (ConverterError: ")
    (found,) = engine(images)
    assert found.shape == (5, 8, 8, 2)


def test_an_engine_that_gives_other_numbers_is_not_taken(prefix, monkeypatch):
    monkeypatch.setattr(LiteRTEngine, "__call__", lambda *_: (np.full((1, 4, 4, 64), 7.0, np.float32),) * 4)
    engine, why = choose_engine(prefix)
    assert engine.name == "TensorFlow"
    assert why == "LiteRT gives other numbers (inf% apart)"


@pytest.fixture
def gpu(monkeypatch):
    """Have TensorFlow say that there is one; its work is done by the processor nevertheless."""
    monkeypatch.setattr(engines.tf.config, "list_physical_devices", lambda _: ["a GPU"])


@pytest.mark.usefixtures("gpu")
def test_a_gpu_is_preferred_and_computes_in_mixed_precision(prefix, images):
    engine, why = choose_engine(prefix)
    assert (engine.name, why) == ("TensorFlow", "there is a GPU")
    assert precision_of(engine.prefix) == "mixed_float16"
    assert precision_of(prefix) == "float32"
    for found, each in zip(engine(images), prefix(images.astype(np.float32), training=False), strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, each, atol=1e-2 * np.abs(each).max())
        assert (found != np.asarray(each)).any()


@pytest.mark.usefixtures("gpu")
def test_a_gpu_is_left_alone_where_there_is_little_to_do(prefix):
    work = multiply_adds(prefix)
    names = [choose_engine(prefix, pictures=round(share * 1e11 / work))[0].name for share in (0.9, 1.1)]
    assert names == ["LiteRT", "TensorFlow"]


def test_tensorflow_is_given_one_shape_by_one_thread_at_a_time(prefix):
    engine, shapes, within = TensorFlowEngine(prefix), [], []

    def watched(pixels, function=engine._function):
        within.append(1)
        assert len(within) == 1
        shapes.append(pixels.shape.as_list())
        found = function(pixels)
        within.pop()
        return found

    object.__setattr__(engine, "_function", watched)
    many = np.random.default_rng(2).integers(0, 256, (70, 32, 32, 3), np.uint8)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(engine, [many[:5], many, many[:32], many[:33]]))
    assert {tuple(shape) for shape in shapes} == {(32, 32, 32, 3)}
    for maps, count in zip(found, (5, 70, 32, 33), strict=True):
        for each, wanted in zip(maps, prefix(many[:count].astype(np.float32)), strict=True):
            np.testing.assert_allclose(each, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("gpu")
def test_what_float16_does_not_hold_is_computed_in_float32(images):
    image = keras.Input((32, 32, 3))
    large = keras.layers.Conv2D(2, 3, kernel_initializer=keras.initializers.Constant(100.0))(image)
    prefix = keras.Model(image, keras.layers.Rescaling(1e-4)(large))
    engine, why = choose_engine(prefix)
    assert why == "there is a GPU; in float32, since mixed precision gives other numbers (inf% apart)"
    np.testing.assert_allclose(engine(images)[0], prefix(images.astype(np.float32)), rtol=1e-5)


def test_what_drops_in_training_is_still(images):
    image = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(2, 3, name="conv", trainable=False)(image)
    x = keras.layers.Dropout(0.5, name="drop_connect")(x)
    x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
    model = keras.Model(image, keras.layers.Dense(2, name="head_logits")(x))
    engine, _ = choose_engine(find_cut(model).prefix)
    for one, other in zip(engine(images), engine(images), strict=True):
        np.testing.assert_array_equal(one, other)
