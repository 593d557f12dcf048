"""The embedded backbone `micro`: a small residual network whose weights travel in the wheel."""

import keras
from keras import KerasTensor, layers

__all__ = ["micro", "residual"]

STEM = 24
BLOCKS = (32, 64, 224)


def micro(input_tensor: KerasTensor) -> keras.Model:
    """Build the embedded backbone: a strided stem and three residual blocks, each halving the map.

    Args:
        input_tensor: Pictures (batch, height, width, 3) scaled to -1..1, at least 32 x 32.

    Returns:
        A model from the inputs behind ``input_tensor`` to a feature map
        (batch, height / 16, width / 16, 224) of values >= 0. Its weights are random.
    """
    return residual(input_tensor, BLOCKS)


def residual(input_tensor: KerasTensor, blocks: tuple[int, ...]) -> keras.Model:
    """Build the network of ``micro`` with blocks of other widths, as its pretraining does.

    Args:
        input_tensor: Pictures (batch, height, width, 3) scaled to -1..1, at least 32 x 32.
        blocks: Channels of each block; each halves the map that the stem has halved.

    Returns:
        A model from the inputs behind ``input_tensor`` to the last block's map, with random weights.
    """
    x = _convolution(input_tensor, STEM, 3, 2, "stem_conv", "stem_bn")
    x = layers.ReLU(name="stem_out")(x)
    for index, channels in enumerate(blocks, start=1):
        x = _block(x, channels, f"block_{index}")
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x, name="micro")


def _block(x: KerasTensor, channels: int, name: str) -> KerasTensor:
    """Add a residual block: (batch, height, width, any) to (batch, height / 2, width / 2, channels)."""
    y = _convolution(x, channels, 3, 2, f"{name}_conv1", f"{name}_bn1")
    y = layers.ReLU(name=f"{name}_relu1")(y)
    y = _convolution(y, channels, 3, 1, f"{name}_conv2", f"{name}_bn2")
    skip = _convolution(x, channels, 1, 2, f"{name}_skip_conv", f"{name}_skip_bn")
    y = layers.Add(name=f"{name}_add")([y, skip])
    return layers.ReLU(name=f"{name}_out")(y)


def _convolution(
    x: KerasTensor, channels: int, kernel: int, stride: int, name: str, norm: str
) -> KerasTensor:
    """Add a convolution without bias and its batch normalisation."""
    convolution = layers.Conv2D(
        channels, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal", name=name
    )
    return layers.BatchNormalization(name=norm)(convolution(x))
