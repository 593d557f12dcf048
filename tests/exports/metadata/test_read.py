"""read_metadata: what was written comes back, and what was edited is named."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tfxfer
from tfxfer.contracts import RESIZES, TASKS, InputContract
from tfxfer.errors import BundleError
from tfxfer.exports import FileFacts, GoldenVector, read_metadata, with_metadata
from tfxfer.exports.metadata.archive import packed, unpacked

GOLDEN = (GoldenVector(b"a picture", (0.25, 0.5, 0.25)), GoldenVector(b"another", (1.0, 0.0, 0.0)))
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def written(facts, plain):
    return with_metadata(plain, facts, GOLDEN)


def edited(written, **changes):
    """The same file with another card."""
    model, files = unpacked(written)
    card = json.loads(files["tfxfer.json"]) | changes
    return packed(model, files | {"tfxfer.json": json.dumps(card).encode()})


def test_all_comes_back(written, facts):
    metadata = read_metadata(written)
    assert metadata.facts == facts
    assert metadata.golden == GOLDEN
    assert metadata.input == InputContract(12, 20)
    assert (metadata.dtype, metadata.tfxfer) == ("float32", tfxfer.__version__)
    assert metadata.sha256 == hashlib.sha256(unpacked(written)[0]).hexdigest()


def test_quantized_files_take_bytes(quantized, facts):
    assert read_metadata(with_metadata(quantized, facts)).dtype == "uint8"


@given(
    st.builds(
        FileFacts,
        name=WORDS,
        task=st.sampled_from(TASKS),
        labels=st.tuples(WORDS, WORDS, WORDS),
        resize=st.sampled_from(RESIZES),
        temperature=st.none() | st.floats(0.01, 100),
        reject_threshold=st.none() | st.floats(0, 1),
        card_sha256=st.none() | st.just("0" * 64),
    )
)
def test_any_facts_come_back(plain, facts):
    assert read_metadata(with_metadata(plain, facts)).facts == facts


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_that_is_turned_over_is_noticed_or_changes_nothing(written, place, bit):
    damaged = bytearray(written)
    damaged[int(place * len(damaged))] ^= 1 << bit
    try:
        metadata = read_metadata(bytes(damaged))
    except BundleError:
        return
    assert metadata == read_metadata(written)


def test_a_file_is_read_by_its_name(written, tmp_path):
    (tmp_path / "model.tflite").write_bytes(written)
    assert read_metadata(tmp_path / "model.tflite") == read_metadata(written)


def test_a_model_that_was_edited_is_named(written, says, tmp_path):
    model, files = unpacked(written)
    other = bytearray(model)
    other[-1] ^= 1
    (tmp_path / "model.tflite").write_bytes(packed(bytes(other), files))
    found, said = hashlib.sha256(other).hexdigest(), hashlib.sha256(model).hexdigest()
    message = (
        f"the model in {tmp_path / 'model.tflite'} is not the one that was exported (its SHA-256 is "
        f"{found[:12]}…, and tfxfer.json says {said[:12]}…); export it again."
    )
    with pytest.raises(BundleError, match=says(message)):
        read_metadata(tmp_path / "model.tflite")


def test_labels_that_were_edited_are_named(written, says):
    model, files = unpacked(written)
    message = "labels.txt in this file is not the one that was exported; export the model again."
    with pytest.raises(BundleError, match=says(message)):
        read_metadata(packed(model, files | {"labels.txt": b"rose\ndaisy\n"}))


@pytest.mark.parametrize("cut", [0, 1], ids=["no archive", "an archive without a card"])
def test_a_file_without_metadata_is_refused(plain, says, cut):
    content = packed(plain, {"notes.txt": b"by hand"}) if cut else plain
    message = (
        "this file has no tfxfer.json behind its model, or none that can be read; give a .tflite file that "
        "tfxfer wrote."
    )
    with pytest.raises(BundleError, match=says(message)):
        read_metadata(content)


def test_a_missing_file_is_named(tmp_path, says):
    message = (
        f"{tmp_path / 'none.tflite'} cannot be read (No such file or directory); give a .tflite file that "
        "tfxfer wrote."
    )
    with pytest.raises(BundleError, match=says(message)):
        read_metadata(tmp_path / "none.tflite")


def test_a_newer_file_is_refused(written, says):
    message = "this file was written by tfxfer 99.0, which is newer; take that one."
    with pytest.raises(BundleError, match=says(message)):
        read_metadata(edited(written, format=2, tfxfer="99.0"))


def test_a_card_that_lacks_a_part_is_damaged(written, says):
    message = "tfxfer.json in this file is damaged (TypeError"
    with pytest.raises(BundleError, match=says(message).removesuffix("$")):
        read_metadata(edited(written, input=None))
