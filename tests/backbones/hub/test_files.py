"""read_graph refuses what reaches beyond the graph; copy_module takes the SavedModel and no more."""

import pytest

from tests import hub_modules
from tfxfer.backbones.hub.files import copy_module, private_copy, read_graph
from tfxfer.errors import WeightsError


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    return hub_modules.reusable(tmp_path_factory.mktemp("hub") / "module")


def test_a_module_of_tensorflow_2_holds_objects(module):
    facts = read_graph(module, label="it")
    assert facts.objects
    assert facts.tags == ("serve",)


def test_a_module_of_tensorflow_1_does_not(tmp_path):
    facts = read_graph(hub_modules.tf1_format(tmp_path / "module"), label="it")
    assert not facts.objects
    assert facts.tags == ()


def test_strangers_in_the_folder_are_left_behind(module, tmp_path):
    source = copy_module(module, tmp_path / "source")
    (source / "keras_metadata.pb").write_bytes(b"marshalled code")
    (source / "setup.py").write_text("raise SystemExit")
    copied = sorted(path.name for path in copy_module(source, tmp_path / "copy").iterdir())
    assert copied == ["assets", "saved_model.pb", "variables"]


def test_a_private_copy_is_somewhere_else(module):
    copy = private_copy(module)
    assert (copy / "saved_model.pb").read_bytes() == (module / "saved_model.pb").read_bytes()
    assert copy != module


def test_a_graph_that_reads_files_is_refused(tmp_path, says):
    folder = hub_modules.reading_files(tmp_path / "module")
    message = (
        "it is refused: its graph holds the operator ReadFile, which reaches files, the network or "
        "Python of the machine it runs on; take a module that only computes."
    )
    with pytest.raises(WeightsError, match=says(message)):
        read_graph(folder, label="it")


def test_a_graph_that_calls_the_saver_is_refused(module, tmp_path, says):
    """The saver may write checkpoints; a call of it from the network would write where a module says."""
    from tensorflow.core.protobuf import saved_model_pb2

    folder = copy_module(module, tmp_path / "module")
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    functions = saved.meta_graphs[0].graph_def.library.function
    saver = next(f for f in functions if f.signature.name.startswith("__inference__traced_save"))
    other = next(f for f in functions if "call" in f.signature.name)
    node = other.node_def.add(name="hidden", op="StatefulPartitionedCall")
    node.attr["f"].func.name = saver.signature.name
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    message = (
        f"it is refused: its graph holds the operator {saver.signature.name}, which reaches files, the "
        "network or Python of the machine it runs on; take a module that only computes."
    )
    with pytest.raises(WeightsError, match=says(message)):
        read_graph(folder, label="it")


def test_a_folder_without_a_graph_is_none(tmp_path, says):
    message = "it is no SavedModel: it has no saved_model.pb; give the folder or archive that holds one."
    with pytest.raises(WeightsError, match=says(message)):
        read_graph(tmp_path, label="it")


@pytest.mark.parametrize("content", [b"", b"\xff\xff\xff"], ids=["empty", "noise"])
def test_a_damaged_graph_says_so(tmp_path, content, says):
    (tmp_path / "saved_model.pb").write_bytes(content)
    message = "the graph of it is damaged: saved_model.pb cannot be read; get the module again."
    with pytest.raises(WeightsError, match=says(message)):
        read_graph(tmp_path, label="it")
