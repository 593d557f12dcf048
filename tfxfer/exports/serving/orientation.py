"""How a JPEG is to be turned, as its EXIF says, in TensorFlow's operations."""

from __future__ import annotations

from functools import partial

import tensorflow as tf

__all__ = ["orientation_of", "turned"]

_LOOKED_AT = 1 << 18
"""EXIF stands in the first segments, none of which is longer than 64 KiB."""
_TAG, _SHORT = 0x0112, 3


def orientation_of(jpeg: tf.Tensor) -> tf.Tensor:
    """Read the orientation of a JPEG.

    Args:
        jpeg: Its bytes, a scalar string.

    Returns:
        1 to 8, a scalar int32; 1, as it is, where there is none that makes sense.

    Source:
        EXIF 2.3, sections 4.5 and 4.7: the segment APP1 holds a TIFF, and its first directory this tag.
    """
    data = _Bytes(tf.strings.substr(jpeg, 0, _LOOKED_AT))
    return _in_tiff(data, _tiff_in(data))


def turned(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turn an image upright.

    Args:
        image: Shape (height, width, channels).
        orientation: 1 to 8, a scalar int32.

    Returns:
        The same pixels; from 5 on, height and width have changed places.
    """

    def other(flipped: tuple[int, ...], *, transposed: bool) -> tf.Tensor:
        return tf.reverse(tf.transpose(image, (1, 0, 2)) if transposed else image, flipped)

    flips: list[tuple[int, ...]] = [(), (1,), (0, 1), (0,)]
    ways = [partial(other, flip, transposed=across) for across in (False, True) for flip in flips]
    return tf.switch_case(orientation - 1, ways)


class _Bytes:
    """Bytes that are read as numbers; behind the last there are zeros."""

    def __init__(self, content: tf.Tensor) -> None:
        raw = tf.cast(tf.io.decode_raw(content, tf.uint8), tf.int64)
        self._padded = tf.concat([raw, tf.zeros(1, tf.int64)], 0)
        self.size = tf.size(raw, tf.int64)

    def at(self, place: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._padded, tf.clip_by_value(place, 0, self.size))

    def number(self, place: tf.Tensor, count: int, *, little: tf.Tensor | bool = False) -> tf.Tensor:
        """Put so many bytes together, in either order."""
        read = [self.at(place + index) for index in range(count)]
        large = sum(byte * 256 ** (count - 1 - index) for index, byte in enumerate(read))
        small = sum(byte * 256**index for index, byte in enumerate(read))
        return tf.where(little, small, large)


def _tiff_in(data: _Bytes) -> tf.Tensor:
    """Return where the TIFF of EXIF begins, 0 if nowhere."""
    exif = int.from_bytes(b"Exif\0\0", "big")

    def going_on(place: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
        # Behind 0xDA there is the picture itself.
        segment = (data.at(place) == 0xFF) & (data.at(place + 1) != 0xDA)
        return segment & (place < data.size) & (found == 0)

    def step(place: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        marker = data.at(place + 1)
        here = (marker == 0xE1) & (data.number(place + 4, 6) == exif)
        length = tf.where(marker == 0xFF, tf.constant(-1, tf.int64), data.number(place + 2, 2))  # 0xFF fills
        return place + 2 + length, tf.where(here, place + 10, found)

    begin = (tf.constant(2, tf.int64), tf.constant(0, tf.int64))
    return tf.while_loop(going_on, step, begin)[1]


def _in_tiff(data: _Bytes, tiff: tf.Tensor) -> tf.Tensor:
    little = data.at(tiff) == ord("I")
    directory = tiff + data.number(tiff + 4, 4, little=little)
    count = data.number(directory, 2, little=little)
    entries = directory + 2 + 12 * tf.range(count)
    tags = data.number(entries, 2, little=little)
    kinds = data.number(entries + 2, 2, little=little)
    values = data.number(entries + 8, 2, little=little)
    fitting = (tags == _TAG) & (kinds == _SHORT) & (values >= 1) & (values <= 8) & (tiff > 0)
    return tf.cast(tf.reduce_max(tf.concat([tf.where(fitting, values, 1), [1]], 0)), tf.int32)
