"""unpack: archives that lead out, weigh too much or are damaged are refused."""

import io
import tarfile

import pytest

from tfxfer.backbones.hub import archive as hub_archive
from tfxfer.backbones.hub.archive import unpack
from tfxfer.errors import WeightsError


def archive(*members, mode="w:gz"):
    """Make an archive of (name, settings) pairs; a member is a file of ten bytes unless said otherwise."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:
        for name, settings in members:
            member = tarfile.TarInfo(name)
            member.size = 10
            for key, value in settings.items():
                setattr(member, key, value)
            tar.addfile(member, io.BytesIO(b"0123456789") if member.isfile() else None)
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["w:gz", "w"], ids=["gzip", "plain"])
def test_files_and_folders_are_unpacked(tmp_path, mode):
    unpack(io.BytesIO(archive(("./inner/file", {}), mode=mode)), tmp_path, label="it")
    assert (tmp_path / "inner" / "file").read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("../outside", {}),
        ("inner/../../outside", {}),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0}),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "../outside", "size": 0}),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "../outside", "size": 0}),
        ("device", {"type": tarfile.CHRTYPE, "size": 0}),
    ],
    ids=["parent", "hidden parent", "absolute link", "link out", "hard link out", "device"],
)
def test_what_leads_out_is_refused(tmp_path, name, settings, says):
    folder = tmp_path / "folder"
    folder.mkdir()
    message = (
        f"it is refused: its archive holds {name!r}, a path or link that leads out of its folder, or no "
        "plain file; get it from whoever made it."
    )
    with pytest.raises(WeightsError, match=says(message)):
        unpack(io.BytesIO(archive((name, settings))), folder, label="it")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_name_from_the_root_lands_in_the_folder(tmp_path):
    unpack(io.BytesIO(archive(("/file", {}))), tmp_path, label="it")
    assert (tmp_path / "file").is_file()


WHOLE = archive(("file", {}))


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>not found</html>", WHOLE[: len(WHOLE) // 2], WHOLE[:40] + b"\x00\x01" + WHOLE[42:]],
    ids=["empty", "a page", "cut short", "damaged"],
)
def test_what_is_not_whole_says_so(tmp_path, content, says):
    message = (
        "it is no whole .tar.gz archive: it is cut short, damaged, or something else; get it again, or check "
        "the address."
    )
    with pytest.raises(WeightsError, match=says(message)):
        unpack(io.BytesIO(content), tmp_path, label="it")


@pytest.mark.parametrize("limit", [15, 30], ids=["packed", "unpacked"])
def test_weight_is_capped(tmp_path, limit, monkeypatch, says):
    monkeypatch.setattr(hub_archive, "MAX_BYTES", limit)
    message = (
        f"it is refused: it weighs more than {limit} bytes; unpack it yourself if you trust it, and give the "
        "folder."
    )
    content = archive(*((f"file{number}", {}) for number in range(4)), mode="w")
    with pytest.raises(WeightsError, match=says(message)):
        unpack(io.BytesIO(content), tmp_path, label="it")


def test_a_broken_stream_says_itself_what_broke(tmp_path):
    class Broken(io.BytesIO):
        def read(self, size=-1):  # noqa: ARG002 the signature of a stream
            raise TimeoutError("silent")

    with pytest.raises(TimeoutError, match=r"^silent$"):
        unpack(Broken(), tmp_path, label="it")
