"""DICOM files become pictures: Pillow is taught to open them, through pydicom."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from tfxfer.errors import DataError

__all__ = ["DICOM"]

DICOM = "DICOM"
"""The name of the format, as Pillow lists its own."""

_MARK = b"DICM"
_MARKED_AT = 128
_BELOW_AND_ABOVE = np.array([-1e12, 1e12])

T = TypeVar("T")


class _DicomFile(ImageFile.ImageFile):
    """The first frame of a DICOM file: its header is read when it is opened, its pixels when asked for.

    Stored values become what the file says they stand for (rescale slope and intercept), then what its
    first window shows of them, or all from the least to the greatest where it has none. MONOCHROME1 is
    turned over, so that more is brighter.
    """

    format = DICOM
    format_description = "Digital Imaging and Communications in Medicine"

    def _open(self) -> None:
        file = self._file
        file.seek(_MARKED_AT)
        if file.read(len(_MARK)) != _MARK:
            raise SyntaxError("no DICOM file")
        try:
            import pydicom
        except ImportError:
            raise DataError(
                f"{os.fsdecode(self.filename)} is a DICOM file; pip install 'tfxfer[dicom]' to read it."
            ) from None
        file.seek(0)
        header = _told(lambda: pydicom.dcmread(file, stop_before_pixels=True))
        if "Rows" not in header or "Columns" not in header:
            raise OSError("DICOM: it holds no picture")
        self._size = _told(lambda: (int(header.Columns), int(header.Rows)))
        self._mode = "RGB" if _in_colour(header) else "L"

    @property
    def _file(self) -> IO[bytes]:
        assert self.fp is not None  # Pillow opens it, and closes it after the pixels are there
        return self.fp

    def load(self) -> Any:
        if self._im is None:
            self._file.seek(0)
            self.im = Image.fromarray(_told(lambda: _pixels(self._file))).im
        return super().load()


def _told(read: Callable[[], T]) -> T:
    """Have whatever pydicom stumbles over in a damaged file said as Pillow's own decoders say it."""
    try:
        return read()
    except Exception as error:
        raise OSError(f"DICOM: {' '.join(str(error).split())}") from error


def _in_colour(header: Any) -> bool:
    """Say whether pixels have three values, as they are stored or by the file's palette."""
    palette = header.get("PhotometricInterpretation") == "PALETTE COLOR"
    return bool(palette or header.get("SamplesPerPixel", 1) == 3)


def _pixels(file: Any) -> npt.NDArray[np.uint8]:
    import pydicom
    from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

    header = pydicom.dcmread(file)
    values: npt.NDArray[Any] = pixel_array(header, index=0)
    if header.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, header)
    if _in_colour(header):
        return (values >> 8 * (values.dtype.itemsize - 1)).astype(np.uint8)
    values = np.asarray(apply_voi_lut(apply_modality_lut(values, header), header), np.float64)
    windowed = "WindowWidth" in header and "VOILUTSequence" not in header
    ends = apply_voi_lut(_BELOW_AND_ABOVE.copy(), header) if windowed else (values.min(), values.max())
    least, greatest = map(float, ends)
    shown = (values - least) * (255 / (greatest - least or 1))
    if header.PhotometricInterpretation == "MONOCHROME1":
        shown = 255 - shown
    return shown.round().clip(0, 255).astype(np.uint8)


Image.register_open(DICOM, _DicomFile)
