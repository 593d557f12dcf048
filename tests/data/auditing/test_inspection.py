"""inspect_file: a look at any file gives facts or a reason, never an error, and never much memory."""

import hashlib
import io
import os
import struct
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import draw
from tests.data.pixels.test_decode import bomb
from tfxfer.data import content_sha256, read_image
from tfxfer.data.auditing import inspection
from tfxfer.data.auditing.inspection import Facts, inspect_content, inspect_file
from tfxfer.data.pixels.decode import MAX_PIXELS
from tfxfer.errors import DataError


def look(path):
    return inspect_file(path, max_pixels=MAX_PIXELS)


def encoded(suffix):
    buffer = io.BytesIO()
    draw("green", 2).save(buffer, {"jpg": "JPEG"}.get(suffix, suffix))
    return buffer.getvalue()


def test_a_good_picture_gives_its_facts(tmp_path):
    draw("red", 1, size=50).crop((0, 0, 50, 40)).save(tmp_path / "a.png")
    facts = look(tmp_path / "a.png")
    assert (facts.state, facts.reason, facts.format) == ("readable", "", "PNG")
    assert (facts.width, facts.height, facts.blank) == (50, 40, False)
    assert facts.sha256 == hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    assert 0 < facts.look < 2**64
    assert len(bytes.fromhex(facts.small)) == 256


def test_what_counts_is_the_picture_as_people_see_it(tmp_path):
    image = draw("red", 1, size=60).crop((0, 0, 60, 30))
    image.save(tmp_path / "a.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    image.rotate(90, expand=True).save(tmp_path / "b.png", exif=exif)
    first, second = look(tmp_path / "a.png"), look(tmp_path / "b.png")
    assert (second.width, second.height) == (60, 30)
    assert first.look == second.look


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_truncated_file_is_unreadable(tmp_path, suffix):
    draw("red", 0, size=200).save(tmp_path / f"a.{suffix}")
    content = (tmp_path / f"a.{suffix}").read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(content[: len(content) // 2])
    facts = look(tmp_path / f"a.{suffix}")
    assert facts.state == "unreadable"
    assert facts.reason.startswith("is damaged (")
    assert str(tmp_path) not in facts.reason


def test_other_things_have_their_reasons(tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    reasons = {
        "text.jpg": "is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its name says.",
        "empty.png": "is an empty file.",
        "lost.png": "does not exist.",
        "pipe.png": "is no regular file.",
    }
    for name, reason in reasons.items():
        assert look(tmp_path / name) == Facts("unreadable", reason)


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        (10_000, "claims 100 megapixels; at most 64 are read. Shrink or remove it."),
        (100_000, "claims more pixels than any picture should; shrink or remove it."),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_header_that_claims_too_much_is_oversized(tmp_path, side, reason):
    (tmp_path / "a.png").write_bytes(bomb(side, side))
    assert look(tmp_path / "a.png") == Facts("oversized", reason)


def test_the_cap_can_be_lowered(tmp_path):
    draw("red", 1).save(tmp_path / "a.png")
    assert inspect_file(tmp_path / "a.png", max_pixels=1600).state == "readable"
    assert inspect_file(tmp_path / "a.png", max_pixels=1599).state == "oversized"


def webp_bomb():
    """Write an extended WebP whose canvas claims 16383 x 16383, with one small frame."""
    body = encoded("webp")[12:]
    side = (16_382).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + side + side + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux alone")
def test_memory_does_not_grow_with_the_claim(tmp_path):
    (tmp_path / "a.png").write_bytes(bomb(100_000, 100_000))
    (tmp_path / "b.png").write_bytes(bomb(13_000, 13_000))
    (tmp_path / "c.webp").write_bytes(webp_bomb())
    draw("red", 0).save(tmp_path / "good.png")
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from tfxfer.data.auditing.inspection import inspect_file\n"
        "good, *bad = map(Path, sys.argv[1:])\n"
        "inspect_file(good, max_pixels=64_000_000)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "states = [inspect_file(each, max_pixels=64_000_000).state for each in bad]\n"
        "assert 'readable' not in states, states\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    paths = [tmp_path / name for name in ("good.png", "a.png", "b.png", "c.webp")]
    command = [sys.executable, "-c", code, *map(str, paths)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 20_000


def test_blank_means_every_single_pixel(tmp_path):
    image = Image.new("RGB", (2000, 2000), (200, 200, 200))
    image.save(tmp_path / "blank.jpg")
    image.paste((199, 199, 199), (1000, 1000, 1002, 1001))
    image.save(tmp_path / "dot.png")
    image.paste((190, 190, 190), (1000, 1000, 1002, 1001))
    image.save(tmp_path / "dot.jpg", quality=100)
    assert look(tmp_path / "blank.jpg").blank
    assert not look(tmp_path / "dot.png").blank
    assert not look(tmp_path / "dot.jpg").blank


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "needs more memory to decode than there is."),
        (KeyError("tag"), "is damaged (KeyError: 'tag')."),
    ],
    ids=["memory", "decoder"],
)
def test_what_no_decoder_should_raise_is_a_reason_too(tmp_path, monkeypatch, error, reason):
    def fail(_):
        raise error

    draw("red", 0).save(tmp_path / "a.png")
    monkeypatch.setattr(inspection, "upright_rgb", fail)
    assert look(tmp_path / "a.png") == Facts("unreadable", reason)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow's words about damaged EXIF
@given(data=st.data())
@settings(max_examples=170, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_used_or_named(tmp_path, suffix, data):
    content = bytearray(encoded(suffix))
    content = content[: data.draw(st.integers(len(content) // 3, len(content)))]
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    facts = look(path)
    if facts.state == "readable":
        assert facts.width > 0
        assert read_image(path, height=8, width=8).shape == (8, 8, 3)
    else:
        assert facts.reason.endswith(".")
        with pytest.raises(DataError):
            read_image(path, height=8, width=8)


def test_bytes_and_pixels_are_looked_at_as_files_are(tmp_path):
    path = tmp_path / "a.png"
    draw("red", 3).save(path)
    of_file = look(path)
    assert inspect_content(path.read_bytes(), name="it", max_pixels=MAX_PIXELS) == of_file
    pixels = np.asarray(draw("red", 3))
    of_pixels = inspect_content(pixels, name="it", max_pixels=MAX_PIXELS)
    assert of_pixels == replace(of_file, format="", sha256=content_sha256(pixels))
    cut = inspect_content(path.read_bytes()[:200], name="it", max_pixels=MAX_PIXELS)
    assert (cut.state, cut.reason[:10]) == ("unreadable", "is damaged")
    assert inspect_content(pixels, name="it", max_pixels=1599) == Facts(
        "oversized", "claims 0.0016 megapixels; at most 0.0016 are read. Shrink or remove it."
    )
