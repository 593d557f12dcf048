"""The policies, as data: which transforms suit which kind of picture, how far they go, and who says so."""

from __future__ import annotations

from tfxfer.augment.magnitudes import rand_augment
from tfxfer.augment.steps import Policy, Step
from tfxfer.registry import Registry

__all__ = ["POLICIES"]

POLICIES: Registry[Policy] = Registry("augmentation policy", listing="`tfxfer augment --help`")
"""Every policy, by name."""

# How albumentations numbers OpenCV's borders.
REPLICATE = 1
REFLECT = 4

MIRROR = Step("HorizontalFlip", p=0.5)
TURN_OVER = Step("VerticalFlip", p=0.5)


def _crop(smallest: float, *, p: float = 1.0) -> Step:
    """Cut out at least this share of the area, at a ratio of 3:4 to 4:3, and bring it to the size again."""
    return Step("RandomResizedCrop", p=p, settings={"scale": (smallest, 1.0), "ratio": (3 / 4, 4 / 3)})


def _colour(reach: float, *, saturation: float = 0.0, hue: float = 0.0, p: float) -> Step:
    """Multiply brightness, contrast and saturation by 1 - reach to 1 + reach, and turn the hue."""
    around = (1 - reach, 1 + reach)
    settings = {"brightness": around, "contrast": around, "hue": (-hue, hue)}
    return Step("ColorJitter", p=p, settings=settings | {"saturation": (1 - saturation, 1 + saturation)})


POLICIES.add(Policy("none", "Pictures as they are.", (), ""))
POLICIES.add(
    Policy(
        "light",
        "Where little is to change: mirrored, a little nearer, a little lighter or darker.",
        (_crop(0.8), MIRROR, _colour(0.1, p=0.5)),
        "Mirrored and at most 10 % nearer, as fastai's aug_transforms, https://docs.fast.ai/vision.augment.html.",
    )
)
POLICIES.add(
    Policy(
        "medium",
        "Photographs of things and scenes: crops from 35 % on, mirrored, turned by 10 degrees, other light.",
        (
            _crop(0.35),
            MIRROR,
            Step("Affine", p=0.75, settings={"rotate": (-10, 10), "border_mode": REFLECT}),
            _colour(0.2, saturation=0.2, p=0.75),
        ),
        "Crop of fastai's Imagenette script (min_scale=0.35); angle, light and p=0.75 of its aug_transforms, "
        "https://docs.fast.ai/vision.augment.html.",
    )
)
POLICIES.add(
    Policy(
        "strong",
        "Long training of much of the network: crops from 8 % on, RandAugment, random erasing.",
        (
            _crop(0.08),
            MIRROR,
            *rand_augment(operations=2, magnitude=9),
            Step("Erasing", p=0.25, settings={"scale": (0.02, 0.33), "ratio": (0.3, 3.3), "fill": "random"}),
        ),
        "Crop: Szegedy et al. 2015, https://arxiv.org/abs/1409.4842; RandAugment: Cubuk et al. 2020, "
        "https://arxiv.org/abs/1909.13719; random erasing: Zhong et al. 2020, https://arxiv.org/abs/1708.04896.",
    )
)
POLICIES.add(
    Policy(
        "medical",
        "Radiographs and scans, where left is not right and grey is dose: small turns and shifts, exposure.",
        (
            Step(
                "Affine",
                p=0.75,
                settings={
                    "rotate": (-10, 10),
                    "scale": (0.9, 1.1),
                    "translate_percent": (-0.05, 0.05),
                    "fill": 0,
                },
            ),
            _colour(0.15, p=0.5),
            Step("RandomGamma", p=0.3, settings={"gamma_limit": (80, 120)}),
            Step("GaussNoise", p=0.2, settings={"std_range": (0.01, 0.03), "per_channel": False}),
        ),
        "tfxfer's own judgement: only what a patient's posture, the exposure and the detector change.",
    )
)
POLICIES.add(
    Policy(
        "aerial",
        "Seen from straight above, where no side is up: the square's eight symmetries, other heights, haze.",
        (
            Step("D4"),
            _crop(0.5),
            _colour(0.2, saturation=0.2, hue=0.02, p=0.75),
            Step("GaussianBlur", p=0.1, settings={"blur_limit": (3, 5), "sigma_limit": (0.3, 1.0)}),
        ),
        "D4 for pictures from above: https://explore.albumentations.ai/transform/D4; the rest "
        "tfxfer's own judgement.",
    )
)
POLICIES.add(
    Policy(
        "document",
        "Scanned or photographed pages, which are never mirrored: slight skew, shadow, blur and compression.",
        (
            Step("Affine", p=0.5, settings={"rotate": (-3, 3), "border_mode": REPLICATE}),
            Step("Perspective", p=0.5, settings={"scale": (0.01, 0.04), "border_mode": REPLICATE}),
            _colour(0.2, p=0.5),
            Step("Illumination", p=0.3, settings={"intensity_range": (0.05, 0.2)}),
            Step("GaussianBlur", p=0.2, settings={"blur_limit": (3, 3), "sigma_limit": (0.3, 1.0)}),
            Step("ImageCompression", p=0.3, settings={"quality_range": (40, 90)}),
            Step("ToGray", p=0.1),
        ),
        "The kinds are those of Augraphy, Groleau et al. 2022, https://arxiv.org/abs/2208.14558; the ranges "
        "tfxfer's own judgement.",
    )
)
POLICIES.add(
    Policy(
        "industrial",
        "Parts before a fixed camera, any edge of which may be the fault: mirrored, shifted, lamps, sensor.",
        (
            MIRROR,
            TURN_OVER,
            Step(
                "Affine",
                p=0.5,
                settings={"rotate": (-5, 5), "translate_percent": (-0.03, 0.03), "border_mode": REFLECT},
            ),
            _colour(0.15, p=0.5),
            Step("Illumination", p=0.3, settings={"intensity_range": (0.02, 0.15)}),
            Step("GaussNoise", p=0.2, settings={"std_range": (0.01, 0.04)}),
            Step("MotionBlur", p=0.1, settings={"blur_limit": (3, 5)}),
        ),
        "tfxfer's own judgement: only what placing, lamps, motion and sensor change.",
    )
)
