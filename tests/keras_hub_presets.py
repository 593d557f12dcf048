"""Small presets of KerasHub, one a family, with random weights that are none of its defaults."""

from pathlib import Path

import keras_hub
import numpy as np

SIZE = (32, 32)
SHAPE = (*SIZE, 3)
SCALE, OFFSET = [0.01, 0.02, 0.03], [-1.0, 0.5, 0.25]

VIT = {"image_shape": SHAPE, "patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 16}
EFFICIENTNET = {
    "stackwise_kernel_sizes": [3, 3],
    "stackwise_num_repeats": [1, 2],
    "stackwise_input_filters": [8, 8],
    "stackwise_output_filters": [8, 16],
    "stackwise_expansion_ratios": [1, 4],
    "stackwise_squeeze_and_excite_ratios": [0.25, 0.25],
    "stackwise_strides": [1, 2],
    "stackwise_width_coefficients": [1.0, 1.0],
    "stackwise_depth_coefficients": [1.0, 1.0],
    "stackwise_force_input_filters": [0, 0],
    "stackwise_nores_option": [False, False],
}
CONFIGS = {
    "ViT": ("ViT", VIT | {"mlp_dim": 32}),
    "ViT without token": ("ViT", VIT | {"mlp_dim": 32, "use_class_token": False}),
    "DeiT": ("DeiT", VIT | {"intermediate_dim": 32}),
    "DINOV3": ("DINOV3", VIT | {"intermediate_dim": 32}),
    "ResNet": (
        "ResNet",
        {
            "input_conv_filters": [64],
            "input_conv_kernel_sizes": [7],
            "stackwise_num_filters": [64, 16],
            "stackwise_num_blocks": [2, 1],
            "stackwise_num_strides": [1, 2],
            "block_type": "basic_block",
        },
    ),
    "MobileNet": (
        "MobileNet",
        {
            "stackwise_expansion": [[16, 16], [24]],
            "stackwise_num_blocks": [2, 1],
            "stackwise_num_filters": [[8, 8], [16]],
            "stackwise_kernel_size": [[3, 3], [5]],
            "stackwise_num_strides": [[2, 1], [1]],
            "stackwise_se_ratio": [[None, None], [0.25]],
            "stackwise_activation": [["relu", "relu"], ["hard_swish"]],
            "stackwise_padding": [[1, 1], [2]],
            "output_num_filters": 24,
            "depthwise_filters": 8,
            "depthwise_stride": 2,
            "depthwise_residual": False,
            "last_layer_filter": 24,
            "squeeze_and_excite": 0.5,
        },
    ),
    "EfficientNet": ("EfficientNet", EFFICIENTNET | {"stackwise_block_types": ["v1", "v1"]}),
    "EfficientNetV2": ("EfficientNet", EFFICIENTNET | {"stackwise_block_types": ["fused", "unfused"]}),
    "EfficientNetLite": ("EfficientNet", EFFICIENTNET | {"stackwise_block_types": ["cba", "v1"]}),
    "DenseNet": ("DenseNet", {"stackwise_num_repeats": [2, 2], "growth_rate": 8}),
    "VGG": ("VGG", {"stackwise_num_repeats": [1, 2], "stackwise_num_filters": [8, 16]}),
    "CSPNet": (
        "CSPNet",
        {
            "stem_filters": 32,
            "stem_kernel_size": 3,
            "stem_strides": 1,
            "stackwise_depth": [1, 2],
            "stackwise_strides": [1, 2],
            "stackwise_num_filters": [32, 64],
            "block_type": "dark_block",
            "stage_type": "csp",
            "bottle_ratio": [0.5],
            "expand_ratio": [2.0],
        },
    ),
    "Xception": (
        "Xception",
        {
            "stackwise_conv_filters": [[8, 16], [24, 24], [32, 32]],
            "stackwise_pooling": [False, True, False],
        },
    ),
    "SwinTransformer": (
        "SwinTransformer",
        {"image_shape": SHAPE, "embed_dim": 8, "depths": [1, 2], "num_heads": [2, 2], "window_size": 4},
    ),
    "MiT": (
        "MiT",
        {
            "layerwise_depths": [1, 1],
            "hidden_dims": [8, 16],
            "num_layers": 2,
            "layerwise_num_heads": [1, 2],
            "layerwise_sr_ratios": [2, 1],
            "max_drop_path_rate": 0.1,
            "layerwise_patch_sizes": [7, 3],
            "layerwise_strides": [4, 2],
            "image_shape": SHAPE,
        },
    ),
    "HGNetV2": (
        "HGNetV2",
        {
            "depths": [1, 2],
            "embedding_size": 8,
            "hidden_sizes": [16, 24],
            "stem_channels": [3, 8, 8],
            "hidden_act": "relu",
            "use_learnable_affine_block": False,
            "stackwise_stage_filters": [(8, 8, 16, 1, 1, 3), (16, 8, 24, 1, 1, 3)],
            "apply_downsample": [False, True],
            "use_lightweight_conv_block": [False, False],
        },
    ),
    "MobileNetV5": (
        "MobileNetV5",
        {
            "stackwise_block_types": [["er"], ["uir", "uir"]],
            "stackwise_num_blocks": [1, 2],
            "stackwise_num_filters": [[8], [16, 16]],
            "stackwise_strides": [[2], [2, 1]],
            "stackwise_act_layers": [["relu"], ["relu", "relu"]],
            "stackwise_exp_ratios": [[4.0], [6.0, 6.0]],
            "stackwise_se_ratios": [[0.0], [0.0, 0.0]],
            "stackwise_dw_kernel_sizes": [[0], [5, 5]],
            "stackwise_dw_start_kernel_sizes": [[0], [0, 0]],
            "stackwise_dw_end_kernel_sizes": [[0], [0, 0]],
            "stackwise_exp_kernel_sizes": [[3], [0, 0]],
            "stackwise_pw_kernel_sizes": [[1], [0, 0]],
            "stackwise_num_heads": [[0], [0, 0]],
            "stackwise_key_dims": [[0], [0, 0]],
            "stackwise_value_dims": [[0], [0, 0]],
            "stackwise_kv_strides": [[0], [0, 0]],
            "stackwise_use_cpe": [[False], [False, False]],
            "use_msfa": False,
        },
    ),
}


def backbone(name: str):
    """Build a small backbone, each of its weights moved from where it began."""
    family, config = CONFIGS[name]
    model = getattr(keras_hub.models, f"{family}Backbone")(**config)
    generator = np.random.default_rng(1)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(weight + generator.uniform(-0.05, 0.05, weight.shape))
    return model


def converter(name: str, **options):
    """Build the image converter of a family."""
    family, _ = CONFIGS[name]
    return getattr(keras_hub.layers, f"{family}ImageConverter")(**options)


def write_preset(folder: Path, name: str, *, size: tuple[int, int] | None = SIZE, says_range: bool = True):
    """Write a preset as people do, with a converter that scales each channel by itself."""
    backbone(name).save_to_preset(str(folder))
    if says_range:
        converter(name, image_size=size, scale=SCALE, offset=OFFSET).save_to_preset(str(folder))
    return folder
