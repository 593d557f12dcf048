"""Features on disk: rows of numbers by picture, policy and view, which appear whole shard by whole shard."""

from __future__ import annotations

import hashlib
import shutil
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tfxfer import runtime
from tfxfer.errors import TfxferWarning
from tfxfer.features.budget import unkept

__all__ = ["LONGEST_UNWRITTEN", "SHARD_BYTES", "FeatureStore", "row_key"]

SHARD_BYTES = 32 << 20
"""A shard is written when so much has come together, or ..."""
LONGEST_UNWRITTEN = 10.0
"""... when so many seconds have gone by: at most so much work is lost to whoever kills the process."""

_ABANDONED = 3600.0
"""Seconds after which a draft's writer is taken to be gone."""

# Arrow's file format: one file holds keys and numbers, says itself what is in it, and is mapped into memory
# as it is. 2,000 rows of 7 x 7 x 320 float16 (63 MB) written with fsync, then all read at random, 32 at a
# time, on two busy cores: Arrow 0.14 and 0.11 s; a bare .npy, which holds no keys, 0.15 and 0.10 s; HDF5
# with checksums 0.21 and 2.2 s; ArrayRecord, which is for Linux alone, 0.22 and 0.22 s. A shard's name is
# the SHA-256 of its content (0.05 s to compute): a checksum that cannot be lost, and no two writers in each
# other's way.


def row_key(picture: str, policy: str | None, view: int) -> bytes:
    """Name a row: 32 bytes.

    Args:
        picture: SHA-256 of the picture's content.
        policy: Digest of what views go through; no matter for view 0, which is the picture as it is.
        view: Number of the view, at least 0.

    Returns:
        The key, the same in every process.

    >>> row_key("ab", "strong", 0) == row_key("ab", None, 0), row_key("ab", "strong", 1)[:4].hex()
    (True, 'f7aa0e3e')
    """
    text = f"{picture}\n{policy if view else ''}\n{view}"
    return hashlib.sha256(text.encode()).digest()


class FeatureStore:
    """Rows of float16 in a folder; what a process adds, the next one finds.

    One thread may write, and others look up rows meanwhile.

    Args:
        folder: Where the shards lie; made with the first of them.
        width: Numbers in a row.

    Warns:
        TfxferWarning: A shard is damaged, and is removed.
    """

    def __init__(self, folder: Path, width: int) -> None:
        self.folder, self.width = folder, width
        self._place: dict[bytes, int] = {}
        self._shards: list[npt.NDArray[np.float16]] = []
        self._starts: list[int] = [0]
        self._keys: list[bytes] = []
        self._rows: list[npt.NDArray[np.float16]] = []
        self._written = time.monotonic()
        for path in sorted(folder.glob("*.arrow")):
            with suppress(FileNotFoundError):  # another process made room
                self._open(path)
        for draft in folder.glob(".*.part"):
            with suppress(FileNotFoundError):  # another process is done with it
                if time.time() - draft.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(draft, ignore_errors=True)

    def __len__(self) -> int:
        return self._starts[-1] + len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._place

    def add(self, key: bytes, row: npt.NDArray[np.float16]) -> None:
        """Add a row, unless it is there already.

        Args:
            key: From ``row_key``.
            row: Shape (width,).
        """
        if key in self._place:
            return
        self._place[key] = len(self)
        self._keys.append(key)
        self._rows.append(row)
        full = len(self._rows) * self.width * 2 >= SHARD_BYTES
        if full or time.monotonic() - self._written > LONGEST_UNWRITTEN:
            self.flush()

    def flush(self) -> None:
        """Write what is not written yet.

        Raises:
            SettingError: The folder takes no more.
        """
        self._written = time.monotonic()
        if not self._rows:
            return
        content = _encoded(self._keys, np.stack(self._rows))
        path = self.folder / f"{hashlib.sha256(content).hexdigest()}.arrow"
        try:
            with runtime.whole_file(path) as draft:
                draft.write_bytes(content)
        except OSError as error:
            raise unkept(error) from error
        self._keys, self._rows = [], []
        self._shards.append(_numbers(_table(path)))
        self._starts.append(self._starts[-1] + len(self._shards[-1]))

    def places(self, keys: Sequence[bytes]) -> npt.NDArray[np.int64]:
        """Return where rows are, for ``gather``."""
        return np.asarray([self._place[key] for key in keys], np.int64)

    def gather(self, places: npt.NDArray[np.int64], columns: slice = slice(None)) -> npt.NDArray[np.float16]:
        """Read rows.

        Args:
            places: From ``places``, in any order, shape (rows,); flushed ones.
            columns: Which of their numbers.

        Returns:
            Shape (rows, columns).
        """
        shards = np.searchsorted(self._starts, places, side="right") - 1
        found = np.empty((len(places), len(range(self.width)[columns])), np.float16)
        for shard in np.unique(shards):
            chosen = shards == shard
            found[chosen] = self._shards[shard][places[chosen] - self._starts[shard], columns]
        return found

    def _open(self, path: Path) -> None:
        if runtime.file_sha256(path) != path.stem:
            warnings.warn(
                f"kept features are damaged ({path}): the file is removed, and what was in it computed anew.",
                TfxferWarning,
                stacklevel=4,
            )
            path.unlink(missing_ok=True)
            return
        table = _table(path)
        numbers = _numbers(table)
        for row, key in enumerate(table["key"].to_pylist()):
            self._place.setdefault(key, self._starts[-1] + row)
        self._shards.append(numbers)
        self._starts.append(self._starts[-1] + len(numbers))


def _encoded(keys: Sequence[bytes], rows: npt.NDArray[np.float16]) -> bytes:
    width = rows.shape[1]
    numbers = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), width)
    table = pa.table({"key": pa.array(keys, pa.binary(32)), "numbers": numbers})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _numbers(table: pa.Table) -> npt.NDArray[np.float16]:
    """Return the rows as an array that is mapped to the file: nothing is read before it is looked at."""
    column = table["numbers"].chunk(0)
    numbers: npt.NDArray[np.float16] = column.flatten().to_numpy(zero_copy_only=True)
    return numbers.reshape(len(column), column.type.list_size)
