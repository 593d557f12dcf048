"""Procedural scenes: a ground and a sky, heaps of textured, shaded shapes, light and camera. No labels."""

from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
import shapes
import textures
from numpy.random import Generator
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Pixels = NDArray[np.uint8]

CHUNK = 4000
VIEWS = 4  # of each scene
FIELDS, MASKS = 600, 900  # textures and masks that a worker draws once, and cuts its pictures from
FIELD_SIDE, MASK_SIDE = 320, 128


@dataclass(frozen=True)
class Bank:
    """What a worker's scenes are made of.

    Attributes:
        fields: textures (FIELDS, FIELD_SIDE, FIELD_SIDE) uint8.
        masks: shapes (MASKS, MASK_SIDE, MASK_SIDE) uint8.
        domes: slopes (MASKS, MASK_SIDE, MASK_SIDE, 2) of a rounded body of each mask's outline.
    """

    fields: Pixels
    masks: Pixels
    domes: Picture


def bank(rng: Generator, seed: int) -> Bank:
    """Draws the textures and shapes that scenes are cut from; each bank has others."""
    fields = []
    for index in rng.integers(0, 1 << 20, FIELDS).tolist():
        field = textures.render(textures.recipe(index, seed), rng, FIELD_SIDE)
        fields.append((field * 255).astype(np.uint8))
    masks = [shapes.draw(int(rng.integers(shapes.SHAPES)), rng, MASK_SIDE, seed) for _ in range(MASKS)]
    drawn = (np.stack(masks) * 255).astype(np.uint8)
    return Bank(np.stack(fields), drawn, np.stack([_dome(mask) for mask in drawn]))


def _dome(mask: Pixels) -> Picture:
    """The slopes (height, width, 2) of a rounded body with that outline."""
    distance = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
    height = np.sqrt(np.minimum(distance, 24) / 24).astype(np.float32)
    height = cv2.GaussianBlur(height, (0, 0), 3)
    return np.stack([cv2.Sobel(height, -1, 1, 0), cv2.Sobel(height, -1, 0, 1)], -1)


def render(count: int, size: int, seed: int, workers: int) -> Pixels:
    """Renders views of scenes in worker processes, VIEWS of each scene.

    Args:
        count: number of views, a multiple of VIEWS.
        size: their height and width.
        seed: the same seed gives the same views, whatever the number of workers.
        workers: processes.

    Returns:
        Photographs (count, size, size, 3) uint8 RGB.
    """
    pictures = np.empty((count, size, size, 3), np.uint8)
    jobs = [(start, min(CHUNK, count - start), size, seed) for start in range(0, count, CHUNK)]
    with get_context("fork").Pool(workers) as pool:
        for start, some in pool.imap_unordered(_chunk, jobs):
            pictures[start : start + len(some)] = some
    return pictures


def _chunk(job: tuple[int, int, int, int]) -> tuple[int, Pixels]:
    cv2.setNumThreads(1)
    start, count, size, seed = job
    rng = np.random.default_rng([seed, 5, start])
    known = bank(rng, seed)
    views = []
    for _ in range(count // VIEWS):
        image = scene(rng, known, size + size // 4)
        views += [_photographed(image, rng, size) for _ in range(VIEWS)]
    return start, np.stack(views)


def scene(rng: Generator, known: Bank, side: int) -> Picture:
    """Renders one scene (side, side, 3), about 0..1."""
    palette = _palette(rng)
    light = rng.normal(0, 1, 2).astype(np.float32)
    image = _backdrop(rng, known, palette, side)
    few, some, many = rng.integers(0, 3), rng.integers(3, 10), rng.integers(10, 50)
    crowd = int(rng.choice([few, some, many], p=[0.4, 0.35, 0.25]))
    for _ in range(crowd):
        extent = side * (rng.uniform(0.06, 0.5) if crowd > 9 else rng.uniform(0.15, 0.9))
        _put(image, *_thing(rng, known, palette, light, int(extent)), rng)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 4))
    if rng.random() < 0.6:
        for _ in range(int(rng.integers(1, 3))):
            theirs = _palette(rng) if rng.random() < 0.5 else palette
            _put(image, *_creature(rng, known, theirs, light, side), rng)
    return image


def _palette(rng: Generator) -> Picture:
    """Six colours around two hues, of any saturation, dark to light; (6, 3)."""
    hue = (rng.uniform(0, 360) + rng.choice([0, 0, rng.uniform(0, 360)], 6) + rng.normal(0, 15, 6)) % 360
    saturation = np.clip(rng.beta(1.2, 2) + rng.normal(0, 0.15, 6), 0, 1)
    value = np.clip(rng.uniform(0, 1, 6) ** rng.uniform(0.5, 1.3), 0, 1)
    hsv = np.stack([hue, saturation, value], -1).astype(np.float32)
    return np.asarray(cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0], np.float32)


def _painted(rng: Generator, known: Bank, palette: Picture, height: int, width: int) -> Picture:
    """A cutting of a texture at any scale, in two or three colours of the palette."""
    field = known.fields[rng.integers(FIELDS)]
    cut = int(np.clip(np.exp(rng.uniform(np.log(24), np.log(FIELD_SIDE))), 24, FIELD_SIDE))
    top, left = rng.integers(0, FIELD_SIDE - cut + 1, 2)
    piece = field[top : top + cut, left : left + cut]
    piece = cv2.resize(piece, (width, height), interpolation=cv2.INTER_AREA)
    first, middle, last = palette[rng.integers(0, 6, 3)]
    if rng.random() < 0.7:  # most surfaces vary little
        share = np.float32(rng.uniform(0, 0.5))
        middle, last = first + share * (middle - first), first + share * (last - first)
    steps = np.linspace(0, 2, 256, dtype=np.float32)[:, None]
    low, high = np.minimum(steps, 1), np.maximum(steps - 1, 0)
    ramp = first + low * (middle - first) + high * (last - middle)
    return np.asarray(ramp, np.float32)[piece]


def _backdrop(rng: Generator, known: Bank, palette: Picture, side: int) -> Picture:
    """A wall, or a sky over a ground that runs to the horizon."""
    image = _painted(rng, known, palette, side, side)
    if rng.random() < 0.5:
        horizon = int(side * rng.uniform(0.15, 0.8))
        ground = _painted(rng, known, palette, 2 * side, 2 * side)
        far = rng.uniform(0.3, 0.9) * side
        seen = np.array([[side - far, 0], [side + far, 0], [2 * side, 2 * side], [0, 2 * side]], np.float32)
        target = np.array([[0, horizon], [side, horizon], [side, side], [0, side]], np.float32)
        matrix = cv2.getPerspectiveTransform(seen, target)
        image[horizon:] = cv2.warpPerspective(ground, matrix, (side, side))[horizon:]
    fall = np.linspace(rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), side, dtype=np.float32)
    return image * (1 + fall[:, None, None])


def _thing(
    rng: Generator, known: Bank, palette: Picture, light: Picture, extent: int
) -> tuple[Picture, Picture]:
    """A turned, textured and lit shape: colours (extent, extent, 3) and opacity (extent, extent)."""
    extent = max(6, extent)
    index = int(rng.integers(MASKS))
    scale = extent / MASK_SIDE * np.exp(rng.uniform(-0.3, 0.1, 2))
    angle = rng.uniform(-np.pi, np.pi) if rng.random() < 0.5 else rng.uniform(-0.3, 0.3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag(scale)
    shift = extent / 2 - turn @ [MASK_SIDE / 2, MASK_SIDE / 2]
    affine = np.column_stack([turn, shift])
    opacity = cv2.warpAffine(known.masks[index], affine, (extent, extent)).astype(np.float32) / 255
    colours = _painted(rng, known, palette, extent, extent)
    if rng.random() < 0.7:
        slopes = cv2.warpAffine(known.domes[index], affine, (extent, extent))
        colours = colours * (1 + np.float32(rng.uniform(0.1, 0.8)) * (slopes @ light)[..., None])
    return colours, opacity


def _creature(
    rng: Generator, known: Bank, palette: Picture, light: Picture, side: int
) -> tuple[Picture, Picture]:
    """Two to six things grown together, often as their own mirror image."""
    extent = int(side * rng.uniform(0.35, 1))
    colours, opacity = _thing(rng, known, palette, light, extent)
    for _ in range(int(rng.integers(1, 6))):
        part = int(extent * rng.uniform(0.15, 0.7))
        paint, cover = _thing(rng, known, palette, light, part)
        height, width = cover.shape
        top, left = rng.integers(0, extent - height + 1), rng.integers(0, extent - width + 1)
        window = (slice(top, top + height), slice(left, left + width))
        colours[window] += cover[..., None] * (paint - colours[window])
        opacity[window] = np.maximum(opacity[window], cover)
    if rng.random() < 0.6:
        half = extent // 2
        for layer in (colours, opacity):
            layer[:, extent - half :] = layer[:, :half][:, ::-1]
    return colours, opacity


def _put(image: Picture, colours: Picture, opacity: Picture, rng: Generator) -> None:
    """Lays a thing somewhere into the picture, partly outside it at times, over its own soft shadow."""
    extent, side = opacity.shape[0], image.shape[0]
    top, left = rng.integers(-extent // 3, side - 2 * extent // 3 + 1, 2).tolist()
    low_y, low_x = max(top, 0), max(left, 0)
    high_y, high_x = min(top + extent, side), min(left + extent, side)
    inside = (slice(low_y - top, high_y - top), slice(low_x - left, high_x - left))
    window = image[low_y:high_y, low_x:high_x]
    cover = opacity[inside][..., None]
    if rng.random() < 0.4:
        shade = cv2.GaussianBlur(opacity, (0, 0), max(0.6, extent / 16))
        shade = np.roll(shade, rng.integers(-extent // 8, extent // 8 + 1, 2), (0, 1))[inside]
        window *= 1 - np.float32(rng.uniform(0.2, 0.6)) * shade[..., None]
    window += cover * (colours[inside] - window)


def _photographed(image: Picture, rng: Generator, size: int) -> Pixels:
    """Cuts out, lights, tints, blurs and compresses a view of a scene: (size, size, 3)."""
    side = image.shape[0]
    cut = int(side * rng.uniform(0.4, 1))
    top, left = rng.integers(0, side - cut + 1, 2)
    how = cv2.INTER_AREA if cut > size else cv2.INTER_CUBIC
    image = cv2.resize(image[top : top + cut, left : left + cut], (size, size), interpolation=how)
    return _developed(_lit(image, rng), rng)


def _lit(image: Picture, rng: Generator) -> Picture:
    """Uneven light, a tint, more or less colour; exposure and contrast."""
    size = image.shape[0]
    if rng.random() < 0.5:
        clouds = textures.smooth_noise(rng, size, 3)[..., None]
        image = image * (1 + np.float32(rng.uniform(0.1, 0.6)) * clouds)
    image = image * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    grey = image.mean(-1, keepdims=True)
    image = grey + np.float32(rng.choice([0, rng.uniform(0.3, 1.3)], p=[0.08, 0.92])) * (image - grey)
    gain = np.clip(rng.uniform(0.08, 0.3) / (image.std() + 1e-3), 0.4, 3)
    lit = (image - image.mean()) * np.float32(gain) + np.float32(rng.uniform(0.25, 0.7))
    return np.asarray(lit, np.float32)


def _developed(image: Picture, rng: Generator) -> Pixels:
    """At times mirrored, out of focus, noisy or compressed."""
    if rng.random() < 0.5:
        image = image[:, ::-1]
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 2))
    if rng.random() < 0.3:
        image = image + np.float32(rng.uniform(0, 0.05)) * rng.standard_normal(image.shape, np.float32)
    pixels = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
        pixels = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return np.asarray(pixels, np.uint8)
