"""file_sha256 agrees with the standard's own example; folder_sha256 sees names and contents."""

from tfxfer.runtime import file_sha256, folder_sha256


def test_abc(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(tmp_path / "abc") == expected


def test_a_folder_changes_with_the_name_and_content_of_any_file(tmp_path):
    (tmp_path / "inner").mkdir()
    file = tmp_path / "inner" / "one"
    file.write_bytes(b"1")
    digests = [folder_sha256(tmp_path)]
    file.write_bytes(b"2")
    digests.append(folder_sha256(tmp_path))
    file.rename(tmp_path / "inner" / "two")
    digests.append(folder_sha256(tmp_path))
    assert len(set(digests)) == 3
    assert folder_sha256(tmp_path) == digests[-1]
