"""read_image: every kind of picture becomes the same kind of array; what is none is named."""

import contextlib
import io
import os
import re
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import draw
from tfxfer.contracts import RESIZES
from tfxfer.data import check_pictures, read_image
from tfxfer.data.pixels.decode import decoding_threads
from tfxfer.errors import DataError, TfxferWarning

RED = (210, 50, 40)


def test_lossless_kinds_give_the_pixels_they_hold(tmp_path):
    image = draw("red", 1)
    for suffix in ("png", "bmp", "PNG", "webp"):
        image.save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
        pixels = read_image(tmp_path / f"a.{suffix}", height=40, width=40)
        assert pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, np.asarray(image))


def test_bytes_and_pixels_are_read_as_files_are(tmp_path):
    image = draw("red", 1)
    image.save(tmp_path / "a.jpg")
    expected = read_image(tmp_path / "a.jpg", height=24, width=20)
    np.testing.assert_array_equal(
        read_image((tmp_path / "a.jpg").read_bytes(), height=24, width=20), expected
    )
    image.save(tmp_path / "a.png")
    expected = read_image(tmp_path / "a.png", height=24, width=20)
    np.testing.assert_array_equal(read_image(np.asarray(image), height=24, width=20), expected)
    grey = np.asarray(image.convert("L"))
    for pixels in (grey, grey[..., None]):
        assert (read_image(pixels, height=40, width=40) == grey[..., None]).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "shard 7 is empty."),
        (
            b"no picture",
            "shard 7 is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its name says.",
        ),
    ],
)
def test_what_is_no_file_is_called_by_its_name(content, message, says):
    with pytest.raises(DataError, match=says(message)):
        read_image(content, height=8, width=8, name="shard 7")
    with pytest.raises(DataError, match=says(message.replace("shard 7", "the picture"))):
        read_image(content, height=8, width=8)


def test_jpeg_comes_near(tmp_path):
    image = Image.new("RGB", (64, 48), RED)
    image.save(tmp_path / "a.jpg", quality=95)
    pixels = read_image(tmp_path / "a.jpg", height=16, width=16).astype(int)
    assert np.abs(pixels - RED).max() <= 3


def test_the_first_frame_of_a_gif_counts(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 0, 255))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert tuple(read_image(tmp_path / "a.gif", height=8, width=8)[4, 4]) == RED


def test_exif_orientation_is_honoured(tmp_path):
    image = Image.new("RGB", (32, 16), (0, 0, 0))
    image.paste(RED, (0, 0, 16, 16))  # left half
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise: left becomes top
    image.save(tmp_path / "a.png", exif=exif)
    pixels = read_image(tmp_path / "a.png", height=32, width=16)
    assert tuple(pixels[4, 8]) == RED
    assert tuple(pixels[28, 8]) == (0, 0, 0)


def test_transparency_is_laid_on_white(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png", height=8, width=8) == 255).all()


def test_sixteen_bit_grey_is_scaled_down(tmp_path):
    Image.fromarray(np.full((8, 8), 257 * 100, np.uint16)).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png", height=8, width=8) == 100).all()


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA"])
def test_other_modes_become_rgb(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new("RGB", (8, 8), (255, 255, 255)).convert(mode).save(path)
    assert (read_image(path, height=8, width=8) >= 253).all()


def test_crop_keeps_shapes_and_stretch_keeps_edges(tmp_path):
    image = Image.new("RGB", (30, 10), (0, 0, 0))
    image.paste(RED, (10, 0, 20, 10))  # the middle third
    image.save(tmp_path / "a.png")
    cropped = read_image(tmp_path / "a.png", height=10, width=10, resize="crop")
    stretched = read_image(tmp_path / "a.png", height=10, width=10, resize="stretch")
    assert (cropped == RED).all()
    assert tuple(stretched[5, 0]) == (0, 0, 0)
    assert tuple(stretched[5, 5]) == RED


@pytest.mark.parametrize("resize", RESIZES)
@given(width=st.integers(1, 90), height=st.integers(1, 90), wanted=st.integers(1, 64))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_shape_comes_out_as_asked(tmp_path, resize, width, height, wanted):
    Image.new("RGB", (width, height), RED).save(tmp_path / "a.png")
    pixels = read_image(tmp_path / "a.png", height=wanted, width=wanted + 3, resize=resize)
    assert pixels.shape == (wanted, wanted + 3, 3)
    assert (pixels == RED).all()


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp"])
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_gives_our_error_or_a_picture_and_nothing_else(tmp_path, suffix, data):
    draw("green", 2).save(tmp_path / f"a.{suffix}")
    content = bytearray((tmp_path / f"a.{suffix}").read_bytes())
    content = content[: data.draw(st.integers(0, len(content)))]
    for _ in range(data.draw(st.integers(0, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / f"b.{suffix}").write_bytes(bytes(content))
    with contextlib.suppress(DataError):
        assert read_image(tmp_path / f"b.{suffix}", height=8, width=8).shape == (8, 8, 3)


def bad_files(folder):
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.png").touch()
    draw("red", 0, size=200).save(folder / "short.jpg")
    content = (folder / "short.jpg").read_bytes()
    (folder / "short.jpg").write_bytes(content[: len(content) // 2])
    return folder


def test_every_kind_of_bad_file_is_named(tmp_path, says):
    bad_files(tmp_path)
    reasons = {
        "text.jpg": "is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its name says.",
        "empty.png": "is an empty file.",
        "missing.png": "does not exist.",
        ".": "is a folder; give picture files.",
    }
    for name, reason in reasons.items():
        with pytest.raises(DataError, match=says(f"{tmp_path / name} {reason}")):
            read_image(tmp_path / name, height=8, width=8)
    with pytest.raises(DataError, match=f"^{re.escape(str(tmp_path / 'short.jpg'))} is damaged \\(.+\\)\\.$"):
        read_image(tmp_path / "short.jpg", height=8, width=8)


def test_check_pictures_names_them_all(tmp_path, says):
    bad_files(tmp_path)
    draw("red", 0).save(tmp_path / "good.png")
    paths = [tmp_path / name for name in ("good.png", "text.jpg", "empty.png")]
    message = (
        "2 files cannot be read as pictures; mend or remove them:\n"
        f"  {tmp_path / 'text.jpg'} is not a JPEG, PNG, GIF, BMP, WebP or DICOM picture, whatever its name "
        "says.\n"
        f"  {tmp_path / 'empty.png'} is an empty file."
    )
    with pytest.raises(DataError, match=says(message)):
        check_pictures((str(path), path) for path in paths)
    check_pictures([("good", tmp_path / "good.png")])


def test_check_pictures_stops_listing_at_ten(tmp_path):
    with pytest.raises(DataError, match=r"^12 files cannot .*\n  … and 2 more$".replace(".*", r"[\s\S]*")):
        check_pictures((f"{index}.png", tmp_path / f"{index}.png") for index in range(12))


def bomb(width: int, height: int) -> bytes:
    """Write the header of a PNG that claims a size, and next to no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_header_that_claims_too_much_is_refused_before_decoding(tmp_path, says):
    (tmp_path / "a.png").write_bytes(bomb(10_000, 10_000))
    message = f"{tmp_path / 'a.png'} claims 100 megapixels; at most 64 are read. Shrink or remove it."
    with pytest.raises(DataError, match=says(message)):
        read_image(tmp_path / "a.png", height=8, width=8)
    (tmp_path / "b.png").write_bytes(bomb(100_000, 100_000))
    message = f"{tmp_path / 'b.png'} claims more pixels than any picture should; shrink or remove it."
    with pytest.raises(DataError, match=says(message)):
        read_image(tmp_path / "b.png", height=8, width=8)


def test_where_warnings_are_errors_pillow_s_own_limit_refuses(tmp_path, says):
    (tmp_path / "a.png").write_bytes(bomb(10_000, 10_000))
    message = f"{tmp_path / 'a.png'} claims more pixels than any picture should; shrink or remove it."
    with pytest.raises(DataError, match=says(message)):
        read_image(tmp_path / "a.png", height=8, width=8)
    # Within threads that decode, Pillow says nothing.
    with pytest.raises(DataError, match=r"\n  a claims 100 megapixels; at most 64 are read\."):
        check_pictures([("a", tmp_path / "a.png")])


def test_decoders_alone_are_unheard_in_threads_that_decode():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with decoding_threads() as pool:
            pool.submit(warnings.warn_explicit, "unheard", UserWarning, "a.py", 1, "PIL.Image").result()
            warnings.warn("heard", TfxferWarning, stacklevel=1)
    assert [str(each.message) for each in heard] == ["heard"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="nothing else lets a picture be slow to open")
def test_opening_in_a_thread_leaves_what_others_hear_alone(tmp_path):
    """One that sets filters in a thread sets them back when it is done, under whoever has come since."""
    os.mkfifo(tmp_path / "slow.png")
    buffer = io.BytesIO()
    draw("red", 0).save(buffer, "PNG")
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_image, tmp_path / "slow.png", height=8, width=8)
        pipe = (tmp_path / "slow.png").open("wb")  # waits until the thread opens it too
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            with pipe:
                pipe.write(buffer.getvalue())
            assert reading.result().shape == (8, 8, 3)
            warnings.warn("anything", UserWarning, stacklevel=1)
    assert "anything" in [str(each.message) for each in heard]  # beside Pillow's, of the pipe it leaves open
