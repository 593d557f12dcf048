"""Procedural textures: a recipe is a class to tell apart, its phase, angle and scale are nuisance."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Field = NDArray[np.float32]
Painter = Callable[[Field, Field, float, float, Generator], Field]

TURN = np.float32(2 * np.pi)


@dataclass(frozen=True)
class Texture:
    """What all pictures of one texture class share.

    Attributes:
        kind: name of the painter, a key of `PAINTERS`.
        frequency: cycles per picture width, 2..14.
        trait: what the painter makes of it (ratio, bandwidth, number of arms), 0..1.
        warp: amplitude of the domain distortion in picture widths, 0..0.08.
        hardness: slope of the final sigmoid, 1.5 (soft) .. 8 (two flat tones).
    """

    kind: str
    frequency: float
    trait: float
    warp: float
    hardness: float


def recipe(index: int, seed: int) -> Texture:
    """Returns texture class `index` of a seeded, endless list."""
    rng = np.random.default_rng([seed, 1, index])
    kinds = list(PAINTERS)
    return Texture(
        kind=kinds[index % len(kinds)],
        frequency=float(2 * 7 ** rng.random()),
        trait=float(rng.random()),
        warp=float(rng.choice([0.0, 0.03, 0.08])),
        hardness=float(rng.choice([1.5, 8.0])),
    )


def render(texture: Texture, rng: Generator, size: int) -> Field:
    """Paints one picture of a texture class: (size, size), 0..1."""
    u, v = _coordinates(rng, size, texture.warp)
    values = PAINTERS[texture.kind](u, v, texture.frequency, texture.trait, rng)
    values = (values - values.mean()) / (values.std() + 1e-4)
    return np.asarray(1 / (1 + np.exp(-texture.hardness * values)), np.float32)


def smooth_noise(rng: Generator, size: int, cells: int) -> Field:
    """Perlin-like noise: a random grid of `cells` x `cells`, magnified; (size, size), about -1..1."""
    grid = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


def _coordinates(rng: Generator, size: int, warp: float) -> tuple[Field, Field]:
    """Rotated, scaled, shifted and warped picture coordinates, 1 = the picture's width."""
    axis = np.linspace(-0.5, 0.5, size, dtype=np.float32) * np.float32(rng.uniform(0.8, 1.25))
    x, y = np.meshgrid(axis, axis)
    if warp:
        x = x + np.float32(warp) * smooth_noise(rng, size, 5)
        y = y + np.float32(warp) * smooth_noise(rng, size, 5)
    cosine, sine = np.float32(np.cos(angle := rng.uniform(0, TURN))), np.float32(np.sin(angle))
    shift = rng.uniform(-0.3, 0.3, 2).astype(np.float32)
    return cosine * x - sine * y + shift[0], sine * x + cosine * y + shift[1]


def _wave(phase: NDArray[Any]) -> Field:
    return np.asarray(np.sin(TURN * phase), np.float32)


def _fraction(values: NDArray[Any]) -> Field:
    return np.asarray(values - np.floor(values), np.float32)


def _spectral(u: Field, rng: Generator, weight: Callable[[Field, Field], Field]) -> Field:
    """White noise whose spectrum is multiplied by weight(fx, fy), frequencies in cycles per width."""
    size = u.shape[0]
    fx = np.fft.rfftfreq(size, 1 / size).astype(np.float32)[None]
    fy = np.fft.fftfreq(size, 1 / size).astype(np.float32)[:, None]
    spectrum = np.fft.rfft2(rng.standard_normal((size, size), np.float32)) * weight(fx, fy)
    return np.asarray(np.fft.irfft2(spectrum, s=(size, size)), np.float32)


def _grating(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    return _wave(frequency * u) + trait * _wave(2 * frequency * u)


def _checks(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    return _wave(frequency * u) * _wave(frequency * (0.4 + trait) * v)


def _plaid(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    return _wave(frequency * u) + (0.4 + trait) * _wave(frequency * v)


def _dots(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    waves = [u, -u / 2 + 0.866 * v, -u / 2 - 0.866 * v]
    field = sum((np.cos(TURN * frequency * wave) for wave in waves), np.zeros_like(u))
    return np.asarray(field if trait < 0.5 else np.abs(field), np.float32)


def _rings(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    return _wave(frequency * np.hypot(u, v * np.float32(1 + trait)))


def _spiral(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    arms = 1 + int(5 * trait)
    return _wave(frequency / 2 * np.hypot(u, v) + arms * np.arctan2(v, u) / TURN)


def _rays(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    return _wave(round(1 + frequency) * np.arctan2(v, u) / TURN)


def _bricks(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    row = np.floor(frequency * v)
    across = _fraction(frequency * u / (1 + 2 * trait) + row / 2)
    edge = np.minimum(np.abs(across - 0.5) * (1 + 2 * trait), np.abs(_fraction(frequency * v) - 0.5))
    return np.asarray(np.minimum(edge, 0.15), np.float32)


def _zigzag(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    tooth = np.abs(_fraction(frequency * v / 2) - 0.5) * 2
    return _wave(frequency * u + (0.4 + trait) * tooth)


def _marble(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    swirl = smooth_noise(rng, u.shape[0], 6) + 0.5 * smooth_noise(rng, u.shape[0], 12)
    return _wave(frequency / 2 * u + (0.3 + trait) * swirl)


def _weave(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    over = (np.floor(frequency * u) + np.floor(frequency * v)) % 2 > 0
    across, along = _fraction(frequency * u) - 0.5, _fraction(frequency * v) - 0.5
    return np.asarray(np.where(over, across**2 + trait * along**2, along**2 + trait * across**2), np.float32)


def _scales(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    row = np.floor(frequency * v)
    across = _fraction(frequency * u + row / 2) - 0.5
    return np.asarray(np.hypot(across, (0.5 + trait) * _fraction(frequency * v)), np.float32)


def _cloud(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    power = 0.4 + 2 * trait
    return _spectral(u, rng, lambda fx, fy: (1 + fx**2 + fy**2) ** np.float32(-power / 2))


def _ridges(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    return -np.abs(_cloud(u, v, frequency, 0.5 + trait / 2, rng))


def _labyrinth(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    width = np.float32(0.6 + 2 * trait)
    return _spectral(u, rng, lambda fx, fy: np.exp(-(((np.hypot(fx, fy) - frequency) / width) ** 2)))


def _fur(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    cosine, sine = np.cos(angle := rng.uniform(0, np.pi)), np.sin(angle)

    def weight(fx: Field, fy: Field) -> Field:
        along, across = cosine * fx + sine * fy, cosine * fy - sine * fx
        spread = np.exp(-((along / (0.5 + 2 * trait)) ** 2) - (across / (1.5 * frequency)) ** 2)
        return np.asarray(spread, np.float32)

    return _spectral(u, rng, weight)


def _seeds(u: Field, frequency: float, rng: Generator) -> NDArray[np.uint8]:
    """A white picture with about frequency**2 / 2 black pixels."""
    size = u.shape[0]
    places = rng.integers(0, size, (max(4, int(frequency**2 / 2)), 2))
    canvas = np.full((size, size), 255, np.uint8)
    canvas[places[:, 0], places[:, 1]] = 0
    return canvas


def _pebbles(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    distance = cv2.distanceTransform(_seeds(u, frequency, rng), cv2.DIST_L2, 5)
    return np.asarray(distance, np.float32) ** np.float32(0.5 + trait)


def _labels(u: Field, frequency: float, rng: Generator) -> NDArray[np.int32]:
    canvas = _seeds(u, frequency, rng)
    kind = cv2.DIST_LABEL_PIXEL
    _, labels = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=kind)
    return np.asarray(labels, np.int32)


def _mosaic(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    labels = _labels(u, frequency, rng)
    tones = rng.standard_normal(int(labels.max()) + 1).astype(np.float32)
    return tones[labels] if trait < 0.6 else np.asarray(tones[labels] > 0, np.float32)


def _walls(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    labels = _labels(u, frequency, rng).astype(np.float32)
    inside = np.asarray(cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) == 0)
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.minimum(distance, 1 + 4 * trait), np.float32)


def _scratches(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    size = u.shape[0]
    canvas, base = np.zeros((size, size), np.uint8), rng.uniform(0, np.pi)
    for _ in range(int(4 * frequency)):
        angle, half = base + trait * rng.uniform(-1.6, 1.6), rng.uniform(0.1, 0.5) * size
        middle, step = rng.uniform(0, size, 2), half * np.array([np.cos(angle), np.sin(angle)])
        start, end = (middle - step).astype(int).tolist(), (middle + step).astype(int).tolist()
        cv2.line(canvas, start, end, int(rng.integers(90, 256)), 1, cv2.LINE_AA)
    return canvas.astype(np.float32)


def _splatter(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    size = u.shape[0]
    canvas, largest = np.zeros((size, size), np.uint8), 2 + 0.4 * size / frequency
    for _ in range(int(5 * frequency)):
        radius = max(1, int(largest * (rng.random() if trait > 0.5 else 0.7)))
        centre = rng.integers(0, size, 2).tolist()
        cv2.circle(canvas, centre, radius, int(rng.integers(0, 256)), -1, cv2.LINE_AA)
    return canvas.astype(np.float32)


def _slope(u: Field, v: Field, frequency: float, trait: float, rng: Generator) -> Field:
    return u if trait < 0.5 else np.hypot(u, v)


PAINTERS: dict[str, Painter] = {
    "grating": _grating, "checks": _checks, "plaid": _plaid, "dots": _dots, "rings": _rings,
    "spiral": _spiral, "rays": _rays, "bricks": _bricks, "zigzag": _zigzag, "marble": _marble,
    "weave": _weave, "scales": _scales, "cloud": _cloud, "ridges": _ridges,
    "labyrinth": _labyrinth, "fur": _fur, "pebbles": _pebbles, "mosaic": _mosaic,
    "walls": _walls, "scratches": _scratches, "splatter": _splatter, "slope": _slope,
}  # fmt: skip
