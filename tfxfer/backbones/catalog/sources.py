"""Where the catalogue's accuracies and licences were read.

An accuracy is ImageNet top-1 in percent, on the validation set, of the very weights that Keras
loads: published numbers only, to one decimal.
"""

from __future__ import annotations

__all__ = [
    "AUTOML_LICENCE",
    "CONVNEXT_LICENCE",
    "FACEBOOK_LICENCE",
    "KERAS_APPLICATIONS",
    "KERAS_CONVNEXT",
    "KERAS_DOCUMENTATION",
    "KERAS_IO",
    "KERAS_MOBILENET_V3",
    "MODELS_LICENCE",
    "OURS",
    "TPU_LICENCE",
]

KERAS_IO = "https://keras.io/api/applications/"
"""Keras's own table."""

KERAS_APPLICATIONS = "https://github.com/keras-team/keras-applications/blob/05ff470/README.md"
"""What the keras-applications project measured, before it became a part of Keras: with MobileNets of
other widths too, which Keras's table leaves out. Of those at full width, both say the same."""

KERAS_MOBILENET_V3 = "https://github.com/keras-team/keras/blob/v3.15.1/keras/src/applications/mobilenet_v3.py"
"""The table in the docstrings of MobileNetV3Small and MobileNetV3Large."""

KERAS_CONVNEXT = "https://github.com/keras-team/keras/pull/16421"
"""Measured with the weights as Keras has them when ConvNeXt joined it: up to 0.8 less than the paper."""

KERAS_DOCUMENTATION = "https://github.com/keras-team/keras/blob/034466b/docs/templates/applications.md"
"""Keras's documentation while it still had a paragraph on the licence of each family's weights."""

FACEBOOK_LICENCE = "https://github.com/facebook/fb.resnet.torch/blob/master/LICENSE"
"""The repository that ResNetV2's weights come from: "BSD", as Keras's documentation said later on."""

MODELS_LICENCE = "https://github.com/tensorflow/models/blob/master/LICENSE"
"""The repository that MobileNetV3's weights come from."""

TPU_LICENCE = (
    "https://github.com/tensorflow/tpu/blob/3f13f6c/models/official/efficientnet/model_builder_factory.py"
)
"""The repository that EfficientNet's weights come from, by the head of one of its files."""

AUTOML_LICENCE = "https://github.com/google/automl/blob/master/LICENSE"
"""The repository that EfficientNetV2's weights come from."""

CONVNEXT_LICENCE = "https://github.com/facebookresearch/ConvNeXt/blob/048efce/README.md"
"""The repository that ConvNeXt's weights come from."""

OURS = "LICENSE of tfxfer"
"""Weights that come with tfxfer."""
