"""Files behind a model come back, and nothing else is taken for them."""

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from tfxfer.exports.metadata.archive import packed, unpacked

NAMES = st.text("abcdefghij-.", min_size=1, max_size=12)


@given(st.binary(max_size=200), st.dictionaries(NAMES, st.binary(max_size=50), min_size=1, max_size=4))
def test_what_is_packed_is_unpacked(model, files):
    assert unpacked(packed(model, files)) == (model, files)


def test_equal_files_give_equal_bytes():
    assert packed(b"model", {"a": b"1"}) == packed(b"model", {"a": b"1"})


def test_nothing_is_compressed():
    """MediaPipe refuses a model of which any file is."""
    with zipfile.ZipFile(io.BytesIO(packed(b"model", {"a": b"1" * 1000}))) as archive:
        assert [entry.compress_type for entry in archive.infolist()] == [zipfile.ZIP_STORED]


def test_what_is_compressed_is_not_read():
    stream = io.BytesIO(b"model")
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(10**6))
    assert unpacked(stream.getvalue()) == (b"model", {})


def test_a_damaged_archive_is_none():
    whole = packed(b"model", {"labels.txt": b"ants"})
    damaged = whole.replace(b"ants", b"bees")
    assert unpacked(damaged) == (damaged, {})
