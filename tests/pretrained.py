"""A file of weights with a classification layer, as keras.applications would fetch it."""

from pathlib import Path

import keras

from tfxfer.backbones import BACKBONES

NAME = "mobilenet_v2_035"
FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224.h5"
BARE = FILE.replace(".h5", "_no_top.h5")


def write_pretrained(home: Path) -> keras.Model:
    """Write random weights of a whole MobileNetV2 into a Keras home, with and without its top.

    Returns:
        The network, from pictures scaled to -1..1 to logits.
    """
    keras.utils.set_random_seed(3)
    side = BACKBONES[NAME].input.height
    whole = keras.applications.MobileNetV2(
        input_shape=(side, side, 3), alpha=0.35, weights=None, classifier_activation=None
    )
    top = whole.get_layer("predictions")
    top.kernel.assign(top.kernel * 20)  # random features are small; so that probabilities differ
    folder = home / "models"
    folder.mkdir(parents=True, exist_ok=True)
    whole.save(folder / FILE)
    keras.Model(whole.input, whole.get_layer("out_relu").output).save(folder / BARE)
    return whole
