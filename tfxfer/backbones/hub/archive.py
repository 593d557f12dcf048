"""An archive from elsewhere is unpacked: nothing leads out of its folder, and it weighs what it may."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path
from typing import IO

from tfxfer.errors import WeightsError

__all__ = ["broken", "unpack"]

MAX_BYTES = 4 << 30
"""What an archive may weigh, packed or unpacked."""


def unpack(stream: IO[bytes], folder: Path, *, label: str) -> None:
    """Unpack a tar archive, compressed or not, as it is read.

    Args:
        stream: The archive's bytes.
        folder: Where to; it is there.
        label: What people call the module, for messages.

    Raises:
        WeightsError: It is damaged or too heavy, or holds a path or link that leads out, or a device.
        OSError: The stream itself fails, as a silent server's does.
    """
    weight = 0
    source = _Counted(stream, label)
    try:
        # A stream needs read and nothing else, whatever typeshed asks.
        with tarfile.open(fileobj=source, mode="r|*") as archive:  # type: ignore[call-overload]
            for member in archive:
                weight += member.size
                _require_light(weight, label)
                archive.extract(member, folder, filter="data")
    except tarfile.FilterError as error:
        raise WeightsError(
            f"{label} is refused: its archive holds {error.tarinfo.name!r}, a path or link that leads out of "
            "its folder, or no plain file; get it from whoever made it."
        ) from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        source.raise_failure()
        raise WeightsError(broken(label)) from error


def broken(label: str) -> str:
    """Word the message for an archive that is not whole."""
    return (
        f"{label} is no whole .tar.gz archive: it is cut short, damaged, or something else; get it "
        "again, or check the address."
    )


class _Counted:
    """A stream that stops at what an archive may weigh, and remembers what broke it."""

    def __init__(self, stream: IO[bytes], label: str) -> None:
        self._stream, self._label, self._read = stream, label, 0
        self._failure: Exception | None = None

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        try:
            piece = self._stream.read(size)
            self._read += len(piece)
            _require_light(self._read, self._label)
        except Exception as error:
            # tarfile takes many an error for the end of the archive.
            self._failure = error
            raise
        return piece

    def raise_failure(self) -> None:
        """Raise what broke the stream, if anything did."""
        if self._failure:
            raise self._failure


def _require_light(weight: int, label: str) -> None:
    if weight > MAX_BYTES:
        raise WeightsError(
            f"{label} is refused: it weighs more than {MAX_BYTES:,} bytes; unpack it yourself if you trust "
            "it, and give the folder."
        )
