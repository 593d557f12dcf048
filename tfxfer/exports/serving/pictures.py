"""A picture file becomes pixels as in training, in TensorFlow's operations."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfxfer.contracts import Resize
from tfxfer.exports.serving.orientation import orientation_of, turned

__all__ = ["pixels_of"]

_JPEG, _PNG, _BMP = b"\xff\xd8", b"\x89PNG", b"BM"
_REDUCTIONS = (1, 2, 4, 8)


def pixels_of(files: tf.Tensor, *, height: int, width: int, resize: Resize) -> tf.Tensor:
    """Read picture files as ``tfxfer`` does where it predicts.

    JPEG (turned as its EXIF says), PNG (transparency laid on white), the first frame of a GIF, and BMP.

    Args:
        files: Their bytes, strings, shape (pictures,).
        height: Rows wanted, in pixels.
        width: Columns wanted, in pixels.
        resize: ``"crop"`` keeps the middle of what does not fit, ``"stretch"`` distorts it.

    Returns:
        RGB pixels, shape (pictures, height, width, 3), uint8.
    """

    def one(file: tf.Tensor) -> tf.Tensor:
        return _resized(_decoded(file, height, width), height, width, resize)

    plain = tf.autograph.experimental.do_not_convert(one)  # converting warns on Python 3.13
    return tf.map_fn(plain, files, fn_output_signature=tf.TensorSpec((height, width, 3), tf.uint8))


def _decoded(file: tf.Tensor, height: int, width: int) -> tf.Tensor:
    def begins(mark: bytes) -> tf.Tensor:
        return tf.equal(tf.strings.substr(file, 0, len(mark)), mark)

    return tf.case(
        [
            (begins(_JPEG), lambda: _jpeg(file, height, width)),
            (begins(_PNG), lambda: _png(file)),
            (begins(_BMP), lambda: _rgb(tf.io.decode_bmp(file, channels=0))),
        ],
        default=lambda: tf.io.decode_image(file, channels=3, expand_animations=False),
        exclusive=True,
    )


def _jpeg(file: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Decode as Pillow does in its draft mode: reduced, but still at least twice the size wanted."""
    shape = tf.io.extract_jpeg_shape(file)
    spare = tf.minimum(shape[1] // (2 * width), shape[0] // (2 * height))
    place = sum(tf.cast(spare >= reduction, tf.int32) for reduction in _REDUCTIONS[1:])

    def reduced(reduction: int) -> Callable[[], tf.Tensor]:
        return lambda: tf.io.decode_jpeg(
            file, channels=3, ratio=reduction, dct_method="INTEGER_ACCURATE", fancy_upscaling=True
        )

    image = tf.switch_case(place, [reduced(reduction) for reduction in _REDUCTIONS])
    return turned(image, orientation_of(file))


def _png(file: tf.Tensor) -> tf.Tensor:
    # Of fewer than 8 bits, TensorFlow fills an opacity that is not there with less than 255.
    depth = tf.io.decode_raw(tf.strings.substr(file, 0, 32), tf.uint8)[24]
    as_kept = tf.io.decode_png(file, channels=0)
    plain = (depth < 8) & (tf.shape(as_kept)[-1] < 4)
    return tf.cond(plain, lambda: _rgb(as_kept), lambda: _on_white(tf.io.decode_png(file, channels=4)))


def _on_white(image: tf.Tensor) -> tf.Tensor:
    colour, opacity = tf.split(tf.cast(image, tf.int32), (3, 1), axis=-1)
    # Halves up, as Pillow does.
    return tf.cast((2 * (colour * opacity + 255 * (255 - opacity)) + 255) // 510, tf.uint8)


def _rgb(image: tf.Tensor) -> tf.Tensor:
    """Take three channels of one, three or four."""
    return tf.cond(
        tf.shape(image)[-1] == 1, lambda: tf.repeat(image[..., :1], 3, axis=-1), lambda: image[..., :3]
    )


def _resized(image: tf.Tensor, height: int, width: int, resize: Resize) -> tf.Tensor:
    """Bring to a size as Pillow does: columns first, then rows, rounded each time.

    Some versions of Pillow take tall pictures the other way round; then one in ten values differs by 1.
    """
    rows, columns = tf.unstack(tf.cast(tf.shape(image)[:2], tf.float64))
    tall, wide = rows, columns
    if resize == "crop":
        tall, wide = tf.minimum(rows, columns * height / width), tf.minimum(columns, rows * width / height)
    pixels = tf.cast(image, tf.float32)[tf.newaxis]
    pixels = _along(pixels, 1, columns, wide, width)
    pixels = _along(pixels, 0, rows, tall, height)
    return tf.ensure_shape(tf.cast(pixels[0], tf.uint8), (height, width, 3))


def _along(pixels: tf.Tensor, axis: int, length: tf.Tensor, kept: tf.Tensor, wanted: int) -> tf.Tensor:
    """Resize one axis, of whose length the middle is kept."""
    scale = wanted / kept
    shift = -(length - kept) / 2 * scale
    size, scales, shifts = list(tf.unstack(tf.shape(pixels)[1:3])), [1.0, 1.0], [0.0, 0.0]
    size[axis], scales[axis], shifts[axis] = wanted, tf.cast(scale, tf.float32), tf.cast(shift, tf.float32)
    found = tf.raw_ops.ScaleAndTranslate(
        images=pixels,
        size=tf.stack(size),
        scale=tf.stack(scales),
        translation=tf.stack(shifts),
        kernel_type="triangle",
        antialias=True,
    )
    return tf.floor(tf.clip_by_value(found, 0.0, 255.0) + 0.5)
