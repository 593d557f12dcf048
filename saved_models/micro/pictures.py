"""Procedural pictures with labels: a textured background, a shape, a blemish, light and camera faults."""

from multiprocessing import get_context

import cv2
import numpy as np
import shapes
import textures
from numpy.random import Generator
from numpy.typing import NDArray

Picture = NDArray[np.float32]

PLAIN = textures.Texture("slope", frequency=2, trait=0, warp=0, hardness=1)
TEXTURES = 110  # classes
BLEMISHES = 6  # none, crack, pits, patch, scratches, shadow
COLOURS = 27  # each channel in three steps
STYLES = 5  # no shape, flat, and
TEXTURED, OUTLINED, SHADED = 2, 3, 4
# what is to be told of a picture, and among how many; a label of -1 means "there is none in this picture"
HEADS = {
    "shape": shapes.SHAPES,
    "back": TEXTURES,
    "fill": TEXTURES,
    "style": STYLES,
    "blemish": BLEMISHES,
    "back_colour": COLOURS,
    "shape_colour": COLOURS,
}
CHUNK = 500


def render(count: int, size: int, seed: int, workers: int) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Renders pictures in worker processes.

    Args:
        count: number of pictures.
        size: their height and width.
        seed: the same seed gives the same pictures, whatever the number of workers.
        workers: processes.

    Returns:
        Pictures (count, size, size, 3) uint8 RGB and labels (count, len(HEADS)) int16.
    """
    pictures = np.empty((count, size, size, 3), np.uint8)
    labels = np.empty((count, len(HEADS)), np.int16)
    jobs = [(start, min(CHUNK, count - start), size, seed) for start in range(0, count, CHUNK)]
    with get_context("fork").Pool(workers) as pool:
        for start, some, their in pool.imap_unordered(_chunk, jobs):
            pictures[start : start + len(some)] = some
            labels[start : start + len(some)] = their
    return pictures, labels


def _chunk(job: tuple[int, int, int, int]) -> tuple[int, NDArray[np.uint8], NDArray[np.int16]]:
    cv2.setNumThreads(1)
    start, count, size, seed = job
    rng = np.random.default_rng([seed, 3, start])
    pairs = [picture(rng, size, seed) for _ in range(count)]
    return start, np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])


def picture(rng: Generator, size: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Renders one picture (size, size, 3) uint8 and its labels (len(HEADS),) int16."""
    has_shape, plain = rng.random() < 0.7, rng.random() < 0.5
    back = int(rng.integers(TEXTURES))
    texture = PLAIN if plain and has_shape else textures.recipe(back, seed)
    image, tone = _coloured(textures.render(texture, rng, size), rng, None, has_shape)
    shape = fill = blemish = -1
    style, mask = 0, np.zeros((size, size), np.float32)
    if has_shape:
        shape, style = int(rng.integers(shapes.SHAPES)), int(rng.integers(1, STYLES))
        mask = shapes.draw(shape, rng, size, seed)
        fill = int(rng.integers(TEXTURES)) if style == TEXTURED else -1
        field = textures.render(textures.recipe(fill, seed), rng, size) if fill >= 0 else _relief(mask, style)
        paint, _ = _coloured(field, rng, tone, False)
        image = _laid(image, paint, _outline(mask) if style == OUTLINED else mask, rng)
    else:
        blemish = int(rng.integers(BLEMISHES))
    image = _camera(_blemished(image, blemish, rng), rng)
    answers = {
        "shape": shape,
        "back": -1 if texture is PLAIN else back,
        "fill": fill,
        "style": style,
        "blemish": blemish,
        "back_colour": _colour_bin(image, 1 - mask),
        "shape_colour": _colour_bin(image, mask) if has_shape else -1,
    }
    return (image * 255).astype(np.uint8), np.array([answers[head] for head in HEADS], np.int16)


def _coloured(
    field: textures.Field, rng: Generator, against: Picture | None, faint: bool
) -> tuple[Picture, Picture]:
    """Colours a field between two tones, the first away from `against`; returns it and its mean tone."""
    tone = _tone(rng, against)
    other = _tone(rng, tone)
    if faint:
        other = tone + np.float32(rng.uniform(0.1, 0.6)) * (other - tone)
    image = tone + field[..., None] * (other - tone)
    return image, np.asarray((tone + other) / 2, np.float32)


def _tone(rng: Generator, against: Picture | None) -> Picture:
    while True:
        tone = rng.random(3, np.float32)
        if against is None or np.abs(tone - against).sum() > 0.8:
            return tone


def _relief(mask: Picture, style: int) -> Picture:
    """A field for fills without texture: flat, or rising from the mask's edge to its middle."""
    if style != SHADED:
        return np.zeros_like(mask)
    distance = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.minimum(distance / 8, 1), np.float32)


def _outline(mask: Picture) -> Picture:
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.dilate(mask, kernel) - cv2.erode(mask, kernel), np.float32)


def _laid(image: Picture, paint: Picture, mask: Picture, rng: Generator) -> Picture:
    """Lays paint over the picture where the mask is, at times with a shadow, at times translucent."""
    if rng.random() < 0.2:
        shadow = np.roll(cv2.GaussianBlur(mask, (7, 7), 2), rng.integers(-4, 5, 2), (0, 1))
        image = image * (1 - 0.6 * shadow[..., None])
    opacity = mask[..., None] * np.float32(rng.uniform(0.7, 1))
    return image + opacity * (paint - image)


def _blemished(image: Picture, blemish: int, rng: Generator) -> Picture:
    """Damages the picture: 1 crack, 2 pits, 3 patch, 4 scratches, 5 shadow; else leaves it."""
    size = image.shape[0]
    mark = np.zeros((size, size), np.uint8)
    if blemish == 1:
        steps = rng.normal(0, size / 14, (14, 2)) + rng.normal(0, size / 20, 2)
        path = rng.uniform(0.2, 0.8, 2) * size + np.cumsum(steps, 0)
        cv2.polylines(mark, [path.astype(np.int32)], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA)
    elif blemish == 2:
        for centre in rng.integers(0, size, (int(rng.integers(1, 5)), 2)).tolist():
            cv2.circle(mark, centre, int(rng.integers(1, 4)), 255, -1, cv2.LINE_AA)
    elif blemish == 3:
        mark = np.asarray((textures.smooth_noise(rng, size, 4) > 0.45) * 255, np.uint8)
    elif blemish == 4:
        for start in rng.integers(0, size, (int(rng.integers(2, 7)), 2)):
            end = start + rng.integers(-size // 3, size // 3 + 1, 2)
            cv2.line(mark, start.tolist(), end.tolist(), 255, 1, cv2.LINE_AA)
    elif blemish == 5:
        edge = textures.render(textures.Texture("slope", 2, 0, 0.12, 8), rng, size)
        mark = np.asarray(edge * 255, np.uint8)
    opacity = mark[..., None].astype(np.float32) / 255 * np.float32(rng.uniform(0.25, 0.8))
    return image + opacity * (np.float32(rng.random() < 0.3) - image)


def _camera(image: Picture, rng: Generator) -> Picture:
    """Light fall-off, loss of colour, loss of detail, contrast, noise; clipped to 0..1."""
    size = image.shape[0]
    if rng.random() < 0.4:
        image = image * (1 + 0.35 * textures.smooth_noise(rng, size, 3)[..., None])
    if rng.random() < 0.3:
        share = rng.dirichlet([0.5, 0.5, 0.5]).astype(np.float32)  # of any weights: contrast must survive
        image = np.repeat((image @ share)[..., None], 3, 2)
    image = _blurred(image, rng)
    middle, gain = np.float32(image.mean()), rng.uniform(0.6, 1.4)
    image = (image - middle) * gain + middle + rng.normal(0, 0.08)
    if rng.random() < 0.3:
        image = image + rng.uniform(0, 0.06) * rng.standard_normal(image.shape, np.float32)
    return np.asarray(np.clip(image, 0, 1), np.float32)


def _blurred(image: Picture, rng: Generator) -> Picture:
    """One picture in five of low resolution, one in six out of focus."""
    size = image.shape[0]
    if rng.random() < 0.2:
        small = int(size / rng.uniform(1.5, 5))
        coarse = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        how = int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
        return np.asarray(cv2.resize(coarse, (size, size), interpolation=how), np.float32)
    if rng.random() < 0.2:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6)), np.float32)
    return image


def _colour_bin(image: Picture, weight: Picture) -> int:
    """The weighted mean colour, each channel in three steps."""
    mean = (image * weight[..., None]).sum((0, 1)) / (weight.sum() + 1e-3)
    red, green, blue = np.minimum(mean * 3, 2).astype(int).tolist()
    return int(9 * red + 3 * green + blue)
