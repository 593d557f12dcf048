"""How others fine-tune, in plain Keras on the same backbones, ImageNet weights and decoded pixels.

- guide: https://keras.io/guides/transfer_learning as people copy it: flips and small rotations, batches of
  32, so many epochs of the head with Adam, then as many with the whole base unfrozen at 1e-5. It calls the
  base with training=False, which up to Keras 3.15 does not keep BatchNorm still once the base is unfrozen.
- still: the same with every BatchNorm layer frozen.
- fastai: ``vision_learner(...).fine_tune(epochs)``, fastai 2. Head: average and largest value of each map,
  then twice BatchNorm, dropout (0.25, 0.5) and a dense layer without bias, the first of 512 with ReLU. One
  epoch of the head at 2e-3, while the base's BatchNorm learns at a tenth of that (``train_bn=True``); then so
  many of everything, the head at 1e-3 and the body, as fastai splits networks that it has no list for, at a
  hundredth. One-cycle by half cosines: in 0.99 of the first phase from 1/25, in 0.3 of the second from 1/5 of
  the rate to it, then to 1/100,000; momentum from 0.95 to 0.85 and back. Adam with a second beta of 0.99 and
  an epsilon of 1e-5, decay of 0.01 beside it, none on biases and BatchNorm, whose statistics move as
  PyTorch's (0.9). Pictures of 460 pixels, brought to 224 and augmented as by ``aug_transforms()``: mirrored,
  and with a probability of 0.75 each turned by 10 degrees, up to 1.1 times nearer, skewed, and lit otherwise,
  here by Keras's layers. Batches of 64, the last one dropped if smaller; fastai refuses an epoch without any,
  so of fewer than 128 pictures the largest power of two that gives two. The last epoch's weights. Each phase
  has an optimizer of its own here, where fastai goes on with one.
- model-maker: MediaPipe Model Maker's ``ImageClassifier`` as it comes: the base frozen, dropout of 0.2, a
  softmax layer with L2 of 1e-4, labels smoothed by 0.1; crops of 8 to 100 % of the area at 3:4 to 4:3,
  mirrored; batches of 2 in one order for ten epochs, the last one dropped if smaller; RMSprop (rho and
  momentum 0.9, epsilon 1e-3) at 0.001 * 2 / 256 after two epochs of rising, along a cosine over 1,280,000
  steps. The last epoch's weights. Its own networks are modules of TensorFlow Hub; here it gets these.

Sources: fastai's vision/learner.py, callback/schedule.py, optimizer.py and vision/augment.py; MediaPipe's
model_maker/python/vision/image_classifier and core/utils/model_util.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from tfxfer import Photos

__all__ = ["BASES", "RECIPES", "fastai", "guide", "model_maker"]

SIZE = 224
LARGE = 460
BASES: dict[str, Callable[[], keras.Model]] = {
    "mobilenet_v2_035": lambda: keras.applications.MobileNetV2(
        include_top=False, alpha=0.35, input_shape=(SIZE, SIZE, 3)
    ),
    "mobilenet_v2": lambda: keras.applications.MobileNetV2(include_top=False, input_shape=(SIZE, SIZE, 3)),
    "mobilenet_075": lambda: keras.applications.MobileNet(
        include_top=False, alpha=0.75, input_shape=(SIZE, SIZE, 3)
    ),
}


def guide(photos: Photos, backbone: str, seed: int, *, epochs: int, still: bool = False) -> keras.Model:
    """Do as the guide does, so many epochs in each of its two phases."""
    keras.utils.set_random_seed(seed)
    base = BASES[backbone]()
    base.trainable = False
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.RandomFlip("horizontal")(image)
    x = keras.layers.RandomRotation(0.1)(x)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = keras.layers.GlobalAveragePooling2D()(base(x, training=False))
    x = keras.layers.Dropout(0.2)(x)
    model = keras.Model(image, keras.layers.Dense(len(photos.classes), activation="softmax")(x))
    training, validation = (photos.batches(part, image_size=SIZE) for part in ("train", "validation"))
    for rate in (1e-3, 1e-5):
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        model.fit(training, validation_data=validation, epochs=epochs, verbose=0, shuffle=False)
        base.trainable = True
        for layer in base.layers:
            if still and isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
    return model


def fastai(photos: Photos, backbone: str, seed: int, *, epochs: int) -> keras.Model:
    """Do as fastai's ``fine_tune`` does, so many epochs of everything."""
    keras.utils.set_random_seed(seed)
    base = BASES[backbone]()
    model = _with_fastai_head(base, classes=len(photos.classes))
    count = len(photos.split.train)
    batch = min(64, 2 ** int(math.log2(count / 2)))
    steps = count // batch
    training = photos.batches("train", image_size=LARGE, batch_size=batch, seed=seed)
    training = training.filter(lambda _, labels: tf.size(labels) == batch).map(_fastai_change())
    body = {id(variable) for variable in base.variables}
    for layer in base.layers:
        layer.trainable = isinstance(layer, keras.layers.BatchNormalization)
    for phase_epochs, rate, share, rising, div in ((1, 2e-3, 0.1, 0.99, 25), (epochs, 1e-3, 0.01, 0.3, 5)):
        cycle = partial(_cycle, steps=steps * phase_epochs, rising=rising)
        shares = [share if id(each) in body else 1.0 for each in model.trainable_variables]
        optimizer = FastaiAdam(
            rate=partial(cycle, first=rate / div, middle=rate, last=rate / 1e5),
            momentum=partial(cycle, first=0.95, middle=0.85, last=0.95),
            shares=shares,
        )
        model.compile(optimizer, "sparse_categorical_crossentropy")
        model.fit(training, epochs=phase_epochs, verbose=0, shuffle=False)
        for layer in base.layers:
            layer.trainable = True
    return model


def model_maker(photos: Photos, backbone: str, seed: int, *, epochs: int = 10) -> keras.Model:
    """Do as MediaPipe Model Maker does as it comes."""
    keras.utils.set_random_seed(seed)
    base = BASES[backbone]()
    base.trainable = False
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = keras.layers.GlobalAveragePooling2D()(base(x, training=False))
    x = keras.layers.Dropout(0.2)(x)
    top = keras.layers.Dense(
        len(photos.classes), activation="softmax", kernel_regularizer=keras.regularizers.L2(1e-4)
    )
    model = keras.Model(image, top(x))
    batch = 2
    training = photos.batches("train", image_size=LARGE, batch_size=1, seed=seed, shuffle=False)
    order = training.unbatch().cache().shuffle(len(photos.split.train), seed, reshuffle_each_iteration=False)
    training = order.map(partial(_cropped, classes=len(photos.classes))).batch(batch, drop_remainder=True)
    steps = len(photos.split.train) // batch
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, 10_000 * 256 // batch, warmup_target=0.001 * batch / 256, warmup_steps=2 * steps
    )
    optimizer = keras.optimizers.RMSprop(rate, rho=0.9, momentum=0.9, epsilon=1e-3)
    model.compile(optimizer, keras.losses.CategoricalCrossentropy(label_smoothing=0.1))
    model.fit(training, epochs=epochs, verbose=0, shuffle=False)
    return model


class FastaiAdam(keras.optimizers.Adam):
    """Adam whose rate and momentum go along a cycle, with a share of the rate and decay for each variable."""

    def __init__(self, *, rate: Any, momentum: Any, shares: Sequence[float]) -> None:
        super().__init__(learning_rate=1.0, beta_2=0.99, epsilon=1e-5)
        self._rate, self._momentum, self._shares = rate, momentum, shares

    @property
    def beta_1(self) -> Any:
        """The momentum of this step."""
        return self._momentum(self.iterations)

    @beta_1.setter
    def beta_1(self, value: float) -> None:
        """Take no constant: Keras sets one when it begins."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Decay a kernel by its own rate, then step."""
        share = self._shares[self._get_variable_index(variable)]
        rate = learning_rate * self._rate(self.iterations) * share
        if len(variable.shape) > 1:
            self.assign(variable, variable * (1 - rate * 0.01))
        super().update_step(gradient, variable, rate)


def _cycle(step: Any, *, steps: int, rising: float, first: float, middle: float, last: float) -> Any:
    """Go from one value to another and on to a third along half cosines."""
    done = tf.cast(step, tf.float32) / steps

    def between(start: float, end: float, share: Any) -> Any:
        return start + (1 - tf.cos(math.pi * share)) * (end - start) / 2

    up = between(first, middle, done / rising)
    return tf.where(done < rising, up, between(middle, last, (done - rising) / (1 - rising)))


def _with_fastai_head(base: keras.Model, *, classes: int) -> keras.Model:
    """Put fastai's head on a base whose BatchNorm moves as PyTorch's."""
    layers = keras.layers
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9
    image = keras.Input((SIZE, SIZE, 3))
    maps = base(layers.Rescaling(1 / 127.5, offset=-1)(image))
    x = layers.Concatenate()([layers.GlobalMaxPooling2D()(maps), layers.GlobalAveragePooling2D()(maps)])
    for units, dropout, activation in ((512, 0.25, "relu"), (classes, 0.5, "softmax")):
        x = layers.Dropout(dropout)(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
        x = layers.Dense(units, activation=activation, use_bias=False, kernel_initializer="he_normal")(x)
    return keras.Model(image, x)


def _fastai_change() -> Callable[[Any, Any], tuple[Any, Any]]:
    """Make what fastai's ``aug_transforms()`` does to a batch, and bring it to the size."""
    layers = keras.layers
    mirror = layers.RandomFlip("horizontal")
    shapes = (
        layers.RandomRotation(10 / 360, fill_mode="reflect"),
        layers.RandomZoom((-0.1, 0.0), fill_mode="reflect"),
        layers.RandomPerspective(1.0, scale=0.1),
    )
    # In logits, as fastai has it, 0.2 is about a tenth of the range for middle grey.
    lights = (layers.RandomBrightness(0.1), layers.RandomContrast(0.2))

    def change(pixels: Any, labels: Any) -> tuple[Any, Any]:
        pixels = tf.image.resize(tf.cast(pixels, tf.float32), (SIZE, SIZE), antialias=True)
        pixels = mirror(pixels, training=True)
        for layer in (*shapes, *lights):
            drawn = tf.random.uniform((tf.shape(pixels)[0], 1, 1, 1)) < 0.75
            pixels = tf.where(drawn, layer(pixels, training=True), pixels)
        return pixels, labels

    return change


def _cropped(pixels: Any, label: Any, *, classes: int) -> tuple[Any, Any]:
    """Cut out 8 to 100 % of a picture, bring it to the size, and mirror it or not."""
    begin, extent, _ = tf.image.sample_distorted_bounding_box(
        tf.shape(pixels),
        tf.zeros((1, 0, 4)),
        min_object_covered=0.1,
        aspect_ratio_range=(3 / 4, 4 / 3),
        area_range=(0.08, 1.0),
        max_attempts=10,
        use_image_if_no_bounding_boxes=True,
    )
    cut = tf.image.resize(tf.slice(pixels, begin, extent), (SIZE, SIZE))
    return tf.image.random_flip_left_right(cut), tf.one_hot(label, classes)


def _model_maker(photos: Photos, backbone: str, seed: int, *, epochs: int) -> keras.Model:
    """Leave epochs to Model Maker, which has its own."""
    del epochs
    return model_maker(photos, backbone, seed)


RECIPES: dict[str, Callable[..., keras.Model]] = {
    "guide": guide,
    "still": partial(guide, still=True),
    "fastai": fastai,
    "model-maker": _model_maker,
}
"""What each way does with a data set, a backbone's name, a seed and ``epochs``."""
