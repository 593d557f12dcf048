"""benchmark: each file and number of threads is timed in a process of its own."""

import shutil
import subprocess
import sys

import pytest

from tfxfer.errors import BundleError, SettingError
from tfxfer.exports import benchmark
from tfxfer.exports.timing import Timing


def test_each_file_is_timed_with_each_number_of_threads(bundle):
    one, two = benchmark(bundle[0], threads=(1, 2), runs=5)
    assert (one.threads, two.threads) == (1, 2)
    for each in (one, two):
        assert each.format == "tflite"
        assert each.path == bundle[0] / "model.tflite"
        assert each.size == each.path.stat().st_size
        assert 0 < each.median <= each.p90
        assert 10e6 < each.memory < 500e6
        assert list(each.to_dict()) == ["format", "file", "bytes", "threads", "median", "p90", "memory"]


def test_a_line_tells_all_of_it(tmp_path):
    timing = Timing("tflite-int8", tmp_path, 1_200_000, 2, 0.0123, 0.02, 61_000_000)
    assert str(timing) == (
        "tflite-int8      2 threads     12.30 ms, nine of ten within 20.00 ms     1.20 MB on disk      61 MB "
        "in memory"
    )


def test_tensorflow_is_not_needed(bundle):
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "import tfxfer; print(tfxfer.benchmark(sys.argv[1], runs=2))"
    )
    subprocess.run([sys.executable, "-c", code, str(bundle[0])], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("settings", "got"),
    [({"threads": (1, 0)}, "1, 0 and 100"), ({"threads": ()}, "none and 100"), ({"runs": 0}, "1 and 0")],
)
def test_less_than_one_is_refused(bundle, says, settings, got):
    with pytest.raises(SettingError, match=says(f"threads and runs must be 1 or more, got {got}.")):
        benchmark(bundle[0], **settings)


def test_a_bundle_without_such_files_is_refused(bundle, tmp_path, says):
    folder = shutil.copytree(bundle[0], tmp_path / "bundle")
    (folder / "model.tflite").unlink()
    message = f"{folder} has no .tflite file; tfxfer export {folder} --formats tflite makes it."
    with pytest.raises(BundleError, match=says(message)):
        benchmark(folder)
