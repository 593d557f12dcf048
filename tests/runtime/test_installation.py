"""Which distribution is installed is told by what lies beside the package."""

import warnings

import pytest

import tfxfer
from tfxfer.cli.main import main
from tfxfer.errors import MissingExtra, TfxferWarning
from tfxfer.runtime import installation
from tfxfer.runtime.installation import left_out, tell_of_two

MISSING = ModuleNotFoundError("No module named 'keras.layers'", name="keras.layers")
TOLD = (
    "this needs keras, which is not installed: tfxfer-runtime, which is, only predicts. For all the rest, "
    "pip uninstall tfxfer-runtime, and then pip install tfxfer."
)


def installed(home, *folders):
    for name in folders:
        (home / f"{name}.dist-info").mkdir()
    return home


@pytest.mark.parametrize(
    ("folders", "told"),
    [
        (["tfxfer_runtime-0.1.0", "keras-3.15.0"], TOLD),
        (["tfxfer-0.1.0"], None),
        (["tfxfer_runtime-0.1.0", "tfxfer-0.1.0"], None),
        (["tfxfer_tools-2.0"], None),
        ([], None),
    ],
    ids=["runtime", "whole", "both", "other", "checkout"],
)
def test_what_is_missing_is_told_where_the_runtime_is_all_there_is(tmp_path, folders, told):
    missing = left_out(MISSING, installed(tmp_path, *folders))
    assert (missing and str(missing)) == told
    assert missing is None or isinstance(missing, MissingExtra)


def test_both_are_told_of(tmp_path, says):
    home = installed(tmp_path, "tfxfer_runtime-0.2.0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tell_of_two(home)
    installed(home, "tfxfer-0.1.0")
    message = (
        "tfxfer 0.1.0 and tfxfer-runtime 0.2.0 are both installed, and are the same files: the later one "
        "counts, and uninstalling either takes them from the other. pip uninstall tfxfer tfxfer-runtime, and "
        "then install the one you want."
    )
    with pytest.warns(TfxferWarning, match=says(message)):
        tell_of_two(home)


def test_whoever_asks_for_what_is_missing_is_told(monkeypatch, capfd, says):
    def fail(_):
        raise MISSING

    monkeypatch.setattr(installation, "_installed", lambda _: {"tfxfer-runtime": "0.1.0"})
    monkeypatch.setattr(tfxfer, "_attribute", fail)
    monkeypatch.delitem(vars(tfxfer), "demo", raising=False)
    with pytest.raises(MissingExtra, match=says(TOLD)):
        tfxfer.demo  # noqa: B018
    with pytest.raises(SystemExit) as left:
        main(["demo"])
    assert left.value.code == 1
    assert capfd.readouterr().err == f"tfxfer: {TOLD}\n"


def test_elsewhere_the_error_stays_what_it_is(monkeypatch):
    def fail(_):
        raise MISSING

    monkeypatch.setattr(installation, "_installed", lambda _: {"tfxfer": "0.1.0"})
    monkeypatch.setattr(tfxfer, "_attribute", fail)
    monkeypatch.delitem(vars(tfxfer), "demo", raising=False)
    with pytest.raises(ModuleNotFoundError) as raised:
        tfxfer.demo  # noqa: B018
    assert raised.value is MISSING
