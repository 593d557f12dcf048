"""Procedural shapes: letters, invented characters, blobs, figures, fractals and critters.

Each shape class is a seeded recipe; its drawings differ in pose, stroke and jitter. No digit is drawn.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Canvas = NDArray[np.uint8]
Points = NDArray[np.float64]
Drawer = Callable[[int, Generator, Generator], Canvas]

SIDE = 128  # shapes are drawn at this size and brought to the picture's by their random pose
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghijklmnqrty" + "&%$#@?+=*<{[^~!"
HERSHEY = [0, 1, 2, 3, 4, 5, 6, 7]  # OpenCV's eight fonts, simplex to script complex
PILLOW_FONT = ImageFont.load_default(size=92)


def draw(shape: int, rng: Generator, size: int, seed: int) -> NDArray[np.float32]:
    """Draws one instance of shape class `shape` in a random pose: a mask (size, size), 0..1."""
    for drawer, count, tilt in FAMILIES:
        if shape < count:
            recipe = np.random.default_rng([seed, 2, count, shape])
            return _pose(drawer(shape, recipe, rng), rng, size, tilt)
        shape -= count
    raise ValueError(f"shape class out of range by {shape}; there are {SHAPES}")


def _pose(canvas: Canvas, rng: Generator, size: int, tilt: float) -> NDArray[np.float32]:
    """Rotates by up to `tilt` radians, scales, shears and shifts the canvas into the picture."""
    angle, shear = rng.uniform(-tilt, tilt), rng.uniform(-0.25, 0.25)
    scale = size / SIDE * rng.uniform(0.65, 1.25) * np.exp(rng.uniform(-0.15, 0.15, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1, shear], [0, 1]]) @ np.diag(scale)
    shift = size / 2 + size * rng.uniform(-0.14, 0.14, 2) - matrix @ [SIDE / 2, SIDE / 2]
    affine = np.column_stack([matrix, shift])
    posed = cv2.warpAffine(canvas, affine, (size, size), flags=cv2.INTER_AREA)
    return np.asarray(posed / 255, np.float32)


def _blank() -> Canvas:
    return np.zeros((SIDE, SIDE), np.uint8)


def _pixels(points: Points) -> NDArray[np.int32]:
    """Points of -1..1 as OpenCV's fixed-point pixels (shift=4) in the canvas's middle."""
    return np.asarray((SIDE / 2 + points * SIDE * 0.42) * 16, np.int32)


def _letter(shape: int, recipe: Generator, rng: Generator) -> Canvas:
    if rng.random() < 0.25:
        image = Image.new("L", (SIDE, SIDE))
        middle = (SIDE / 2, SIDE / 2)
        ImageDraw.Draw(image).text(middle, LETTERS[shape], 255, PILLOW_FONT, anchor="mm")
        return np.array(image)
    canvas, font = _blank(), int(rng.choice(HERSHEY))
    thickness = int(rng.integers(2, 13))
    (width, height), _ = cv2.getTextSize(LETTERS[shape], font, 1, thickness)
    scale = 88 / max(width, height + 8)
    (width, height), _ = cv2.getTextSize(LETTERS[shape], font, scale, thickness)
    origin = ((SIDE - width) // 2, (SIDE + height) // 2)
    cv2.putText(canvas, LETTERS[shape], origin, font, scale, 255, thickness, cv2.LINE_AA)
    return canvas


def _spline(controls: Points, steps: int = 12) -> Points:
    """A Catmull-Rom curve through the control points."""
    ends = [2 * controls[0] - controls[1], *controls, 2 * controls[-1] - controls[-2]]
    t = np.linspace(0, 1, steps)[:, None]
    pieces = [
        b + t * (c - a) / 2 + t**2 * (2 * a - 5 * b + 4 * c - d) / 2 + t**3 * (3 * b - a - 3 * c + d) / 2
        for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False)
    ]
    return np.concatenate(pieces)


def _stroke(recipe: Generator, start: Points) -> Points:
    """A stroke class as control points in -1..1: an arc, or a curve that may begin at `start`."""
    if recipe.random() < 0.45:
        sweep = recipe.uniform(1.5, 6.3) * np.linspace(0, 1, 6) + recipe.uniform(0, 6.3)
        circle = np.column_stack([np.cos(sweep), np.sin(sweep)])
        return np.asarray(recipe.uniform(-0.45, 0.45, 2) + circle * recipe.uniform(0.25, 0.55, 2))
    controls = recipe.uniform(-0.9, 0.9, (recipe.integers(2, 4), 2))
    if recipe.random() < 0.6:
        controls[0] = start
    return controls


def _character(shape: int, recipe: Generator, rng: Generator) -> Canvas:
    """An invented character of two or three curved or straight strokes."""
    canvas, thickness = _blank(), int(rng.integers(2, 16))
    end = recipe.uniform(-0.9, 0.9, 2)
    for _ in range(recipe.integers(2, 4)):
        controls = _stroke(recipe, end)
        end = controls[-1]
        curve = _spline(controls + rng.normal(0, 0.05, controls.shape))
        cv2.polylines(canvas, [_pixels(curve)], False, 255, thickness, cv2.LINE_AA, 4)
    return canvas


def _blob(shape: int, recipe: Generator, rng: Generator) -> Canvas:
    """A closed outline given by six Fourier coefficients."""
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    waves = np.arange(2, 8)
    sizes = recipe.normal(0, 0.55, 6) / waves + rng.normal(0, 0.02, 6)
    phases = recipe.uniform(0, 2 * np.pi, 6)
    radius = np.maximum(0.12, 1 + (sizes * np.cos(np.outer(angles, waves) + phases)).sum(1))
    outline = np.column_stack([np.cos(angles), np.sin(angles)]) * (radius / radius.max())[:, None]
    canvas = _blank()
    cv2.fillPoly(canvas, [_pixels(outline)], 255, cv2.LINE_AA, 4)
    return canvas


def _figure(shape: int, recipe: Generator, rng: Generator) -> Canvas:
    """Disc, ring, crescent, half-disc, bowl; then polygons and stars of 3..8 corners."""
    canvas, middle = _blank(), (SIDE // 2, SIDE // 2)
    if shape < 5:
        cv2.circle(canvas, middle, 52, 255, -1, cv2.LINE_AA)
        hole = int(rng.integers(22, 38))
        away = [(999, 0), middle, (middle[0] + hole, middle[1]), (999, 0), middle][shape]
        cv2.circle(canvas, away, hole, 0, -1, cv2.LINE_AA)
        canvas[middle[1] :] *= shape < 3
        return canvas
    corners = 3 + (shape - 5) // 3
    inner = [np.cos(np.pi / corners), 0.45, 0.25][(shape - 5) % 3] + rng.normal(0, 0.02)
    angles = np.arange(2 * corners) * np.pi / corners
    radius = np.where(np.arange(2 * corners) % 2, inner, 1.0)
    outline = np.column_stack([np.cos(angles), np.sin(angles)]) * radius[:, None]
    cv2.fillPoly(canvas, [_pixels(outline)], 255, cv2.LINE_AA, 4)
    return canvas


def _fractal(shape: int, recipe: Generator, rng: Generator) -> Canvas:
    """The attractor of an iterated function system, by 400 particles played in parallel."""
    count = int(recipe.integers(2, 5))
    maps, shifts = recipe.uniform(-0.8, 0.8, (count, 2, 2)), recipe.uniform(-1, 1, (count, 2))
    # contractions, yet large enough for the attractor to have some area
    maps *= 0.75 / np.linalg.norm(maps, 2, axis=(1, 2))[:, None, None]
    maps = maps + rng.normal(0, 0.015, maps.shape)
    points, trail = rng.uniform(-1, 1, (400, 2)), []
    for step in range(18):
        chosen = rng.integers(0, count, 400)
        points = np.einsum("nij,nj->ni", maps[chosen], points) + shifts[chosen]
        if step >= 8:
            trail.append(points)
    cloud = np.concatenate(trail)
    low, high = cloud.min(0), cloud.max(0)
    places = ((cloud - low) / (high - low).max() * 0.84 + 0.08) * (SIDE - 2)
    canvas = _blank()
    canvas[places[:, 1].astype(int), places[:, 0].astype(int)] = 255
    return np.asarray(cv2.dilate(canvas, np.ones((3, 3), np.uint8)))


def _critter(shape: int, recipe: Generator, rng: Generator) -> Canvas:
    """A bent body of two to four ellipses with pairs of jointed limbs."""
    canvas, segments = _blank(), int(recipe.integers(2, 5))
    lengths, widths = recipe.uniform(0.5, 1.2, segments), recipe.uniform(0.15, 0.5, segments)
    lengths *= 1.7 / lengths.sum()
    centres = np.cumsum(lengths) - lengths / 2 - 0.85
    bend, thickness = rng.uniform(-0.35, 0.35), int(rng.integers(2, 6))
    for _ in range(recipe.integers(0, 5)):
        root, reach, lean = recipe.uniform(-0.8, 0.8), recipe.uniform(0.4, 0.9), recipe.uniform(-0.6, 0.6)
        for side in (-1, 1):
            knee = np.array([root + lean * reach / 2, side * reach]) + rng.normal(0, 0.06, 2)
            foot = np.array([root + lean * 2 * reach, side * reach * 1.2]) + rng.normal(0, 0.06, 2)
            limb = np.array([[root, bend * root**2], knee, foot])
            cv2.polylines(canvas, [_pixels(limb)], False, 255, thickness, cv2.LINE_AA, 4)
    for centre, length, width in zip(centres, lengths, widths, strict=True):
        tilt = float(np.degrees(np.arctan(2 * bend * centre)))
        x, y = (_pixels(np.array([centre, bend * centre**2])) // 16).tolist()
        axes = (int(length * 0.25 * SIDE), int(width * 0.42 * SIDE))
        cv2.ellipse(canvas, (x, y), axes, tilt, 0, 360, 255, -1, cv2.LINE_AA)
    return canvas


# the drawer, how many classes it has, and how far its drawings are rotated (letters must stay upright)
FAMILIES: list[tuple[Drawer, int, float]] = [
    (_letter, len(LETTERS), 0.3), (_character, 120, 0.3), (_blob, 32, np.pi),
    (_figure, 23, np.pi), (_fractal, 24, np.pi), (_critter, 32, np.pi),
]  # fmt: skip
SHAPES = sum(count for _, count, _ in FAMILIES)
