"""DICOM files are read as pictures: windows, inversion, depth, and what is damaged."""

import builtins

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from tfxfer.data import from_folder, read_image
from tfxfer.data.auditing.inspection import inspect_file
from tfxfer.errors import DataError


def write_dicom(path, values, **attributes):
    """Write an array as pydicom writes it: grey of up to 16 bits, or RGB."""
    values = np.asarray(values)
    file = pydicom.Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.SOPClassUID = SecondaryCaptureImageStorage
    file.Rows, file.Columns = values.shape[:2]
    file.SamplesPerPixel = 3 if values.ndim == 3 else 1
    file.PhotometricInterpretation = "RGB" if values.ndim == 3 else "MONOCHROME2"
    if values.ndim == 3:
        file.PlanarConfiguration = 0
    file.BitsAllocated = file.BitsStored = values.dtype.itemsize * 8
    file.HighBit = file.BitsStored - 1
    file.PixelRepresentation = int(values.dtype.kind == "i")
    file.PixelData = values.tobytes()
    for name, value in attributes.items():
        setattr(file, name, value)
    file.save_as(path, enforce_file_format=True)
    return path


# What pydicom itself brings: whether it is grey.
REAL = {
    "CT_small.dcm": True,
    "MR_small_RLE.dcm": True,
    "MR_small_bigendian.dcm": True,
    "JPEG2000.dcm": True,
    "liver_1frame.dcm": True,
    "rtdose_1frame.dcm": True,
    "examples_palette.dcm": False,
    "examples_rgb_color.dcm": False,
    "examples_ybr_color.dcm": False,
    "SC_rgb_rle_16bit_2frame.dcm": False,
}

RAMP = np.arange(0, 4000, 250, np.uint16).reshape(4, 4)


def grey(path, side=4):
    pixels = read_image(path, height=side, width=side).astype(int)
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


def test_grey_of_many_bits_runs_from_its_least_to_its_greatest(tmp_path):
    np.testing.assert_array_equal(
        grey(write_dicom(tmp_path / "a.dcm", RAMP)), (np.arange(16) * 17).reshape(4, 4)
    )


def test_monochrome1_is_turned_over(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RAMP, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(grey(path), 255 - (np.arange(16) * 17).reshape(4, 4))


def test_a_window_shows_what_it_says_of_rescaled_values(tmp_path):
    hounsfield = np.array([[-1000, -160, 40, 240]], np.int16)
    path = write_dicom(
        tmp_path / "a.dcm",
        (hounsfield + 1024).astype(np.uint16).repeat(4, axis=0),
        RescaleSlope=1,
        RescaleIntercept=-1024,
        WindowCenter=40,
        WindowWidth=400,
        VOILUTFunction="LINEAR_EXACT",
    )
    # (value - (centre - width / 2)) / width, clipped, of 255.
    assert grey(path)[0].tolist() == [0, 0, 128, 255]


def test_a_picture_within_a_wide_window_is_not_stretched(tmp_path):
    values = np.full((4, 4), 1000, np.uint16)
    values[0] = 1100
    window = {"WindowCenter": 2048, "WindowWidth": 4096, "VOILUTFunction": "LINEAR_EXACT"}
    pixels = grey(write_dicom(tmp_path / "a.dcm", values, **window))
    assert pixels[:, 0].tolist() == [68, 62, 62, 62]  # 1100 and 1000 of 4096


def test_colour_of_sixteen_bits_is_scaled_down(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (6, 6, 3), dtype=np.uint16)
    path = write_dicom(tmp_path / "a.dcm", values)
    np.testing.assert_array_equal(read_image(path, height=6, width=6), values >> 8)


def test_colour_stays_as_it_is(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        read_image(write_dicom(tmp_path / "a.dcm", values), height=6, width=6), values
    )


def test_one_value_throughout_is_black(tmp_path):
    assert not grey(write_dicom(tmp_path / "a.dcm", np.full((4, 4), 700, np.uint16))).any()


def test_real_files_of_several_kinds_are_read():
    """Files that pydicom itself brings."""
    ours = {name: read_image(pydicom.data.get_testdata_file(name), height=64, width=64) for name in REAL}
    assert {name: bool((pixels == pixels[..., :1]).all()) for name, pixels in ours.items()} == REAL
    assert all(pixels.std() > 10 for pixels in ours.values())


def test_an_audit_and_a_folder_take_them(tmp_path):
    for label in ("ill", "well"):
        (tmp_path / label).mkdir()
        for index in range(8):
            write_dicom(tmp_path / label / f"{index}.dcm", np.roll(RAMP, index + 1))
    photos = from_folder(tmp_path)
    photos.check()
    assert len(photos) == 16
    facts = inspect_file(photos.paths("train")[0], max_pixels=1000)
    assert (facts.state, facts.format, facts.width, facts.height) == ("readable", "DICOM", 4, 4)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_header_that_claims_too_much_is_refused_before_pixels_are_read(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RAMP, Rows=10_000, Columns=10_000)
    facts = inspect_file(path, max_pixels=64_000_000)
    assert (facts.state, facts.reason) == (
        "oversized",
        "claims 100 megapixels; at most 64 are read. Shrink or remove it.",
    )


@pytest.mark.parametrize("keep", [132, 150, 300, -5])
def test_a_damaged_one_is_named(tmp_path, keep):
    path = write_dicom(tmp_path / "a.dcm", RAMP)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=rf"^{path} is damaged \(DICOM: "):
        read_image(path, height=4, width=4)


def test_one_without_a_picture_is_named(says):
    path = pydicom.data.get_testdata_file("rtplan.dcm")
    with pytest.raises(DataError, match=says(f"{path} is damaged (DICOM: it holds no picture).")):
        read_image(path, height=4, width=4)


def test_without_pydicom_the_extra_is_named(tmp_path, monkeypatch, says):
    path = write_dicom(tmp_path / "a.dcm", RAMP)
    real = builtins.__import__

    def without(name, *rest):
        if name == "pydicom":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    message = f"{path} is a DICOM file; pip install 'tfxfer[dicom]' to read it."
    with pytest.raises(DataError, match=says(message)):
        read_image(path, height=4, width=4)
