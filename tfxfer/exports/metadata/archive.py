"""The ZIP archive behind a model: LiteRT reads a file from its start, and ZIP readers from its end."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

__all__ = ["packed", "unpacked"]

_UNREADABLE = (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError)
"""What ``zipfile`` raises of what is no archive, or damaged, encrypted, cut short or of a later version."""


def packed(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """Append files to a model, uncompressed, as MediaPipe asks; equal files give equal bytes."""
    stream = io.BytesIO()
    stream.write(model)
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return stream.getvalue()


def unpacked(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return a model and the files behind it; all of it, and none, where no archive can be read there.

    >>> unpacked(packed(b"model", {"labels.txt": b"ants"}))
    (b'model', {'labels.txt': b'ants'})
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            # What is compressed was not written here, and could be very large.
            stored = [entry for entry in entries if entry.compress_type == zipfile.ZIP_STORED]
            files = {entry.filename: archive.read(entry) for entry in stored}
            return content[: min(entry.header_offset for entry in entries)], files
    except _UNREADABLE:
        return content, {}
