"""A file of weights with a classification layer, as keras.applications would fetch it."""

from pathlib import Path

import keras

from tfxfer.backbones import BACKBONES

NAME = "mobilenet_025"
FILE = "mobilenet_2_5_224_tf.h5"
BARE = "mobilenet_2_5_224_tf_no_top.h5"


def write_pretrained(home: Path) -> keras.Model:
    """Write random weights of a whole MobileNet into a Keras home, with and without its top.

    Returns:
        The network, from pictures scaled to -1..1 to logits.
    """
    keras.utils.set_random_seed(3)
    whole = keras.applications.MobileNet(
        input_shape=BACKBONES[NAME].input.shape, alpha=0.25, weights=None, classifier_activation=None
    )
    folder = home / "models"
    folder.mkdir(parents=True, exist_ok=True)
    whole.save(folder / FILE)
    keras.Model(whole.input, whole.get_layer("conv_pw_13_relu").output).save(folder / BARE)
    return whole
