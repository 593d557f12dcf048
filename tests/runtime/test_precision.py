"""choose_precision: by the hardware, where nobody says. What GPUs say is faked here, where there is none."""

import pytest
import tensorflow as tf

from tfxfer.errors import SettingError
from tfxfer.runtime import choose_precision, precision_for, whole_float32


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [
        ([], "float32"),
        ([(6, 1)], "float32"),
        ([(7, 0)], "mixed_float16"),
        ([(7, 5), (8, 6)], "mixed_float16"),
        ([(8, 0)], "mixed_bfloat16"),
        ([(10, 0), (9, 0)], "mixed_bfloat16"),
        ([(8, 0), (0, 0)], "float32"),
    ],
)
def test_the_least_of_all_gpus_decides(capabilities, precision):
    assert precision_for(capabilities) == precision


def test_it_asks_each_gpu(monkeypatch):
    details = {"old": {"compute_capability": (7, 5)}, "new": {"compute_capability": (9, 0)}, "other": {}}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", details.get)
    found = {("old", "new"): "mixed_float16", ("new",): "mixed_bfloat16", ("other",): "float32"}
    for gpus, precision in found.items():
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda _, gpus=gpus: gpus)
        assert choose_precision() == precision
        assert choose_precision("float32") == "float32"


def test_another_is_refused(says):
    message = (
        "no precision 'float16'; did you mean 'float32'? There are auto, float32, mixed_float16, "
        "mixed_bfloat16."
    )
    with pytest.raises(SettingError, match=says(message)):
        choose_precision("float16")


@pytest.mark.parametrize("enabled", [True, False])
def test_float32_is_whole_for_a_while(enabled):
    tf32 = tf.config.experimental
    before = tf32.tensor_float_32_execution_enabled()
    tf32.enable_tensor_float_32_execution(enabled)
    try:
        with whole_float32():
            assert not tf32.tensor_float_32_execution_enabled()
        assert tf32.tensor_float_32_execution_enabled() == enabled
    finally:
        tf32.enable_tensor_float_32_execution(before)
