"""The files of a SavedModel: copied, told apart by digest, and looked through before they are run."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from tfxfer.errors import WeightsError

__all__ = ["GraphFacts", "copy_module", "private_copy", "read_graph"]

PARTS = ("saved_model.pb", "tfhub_module.pb", "variables", "assets")
"""What a SavedModel is made of; whatever else lies in its folder is left behind."""

UNSAFE = re.compile(
    r"PyFunc|ReadFile|WriteFile|MatchingFiles|Reader|Dataset|Rpc|LoadAndRemap|Save|Restore|Checkpoint"
    r"|SummaryFileWriter|SummaryDbWriter|Write\w*Summary|DebugIdentity|DebugNumeric|Dump"
)
"""Operators by which a graph reaches files, the network or Python of the machine it runs on."""

CHECKPOINT = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints"})
SAVER = ("__inference__traced_save", "__inference__traced_restore")


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What the graph file says of itself.

    Attributes:
        tags: Tags of the graph to load.
        objects: Whether it holds objects, as TensorFlow 2 writes them; without, it is of TensorFlow 1.
    """

    tags: tuple[str, ...]
    objects: bool


def copy_module(folder: Path, target: Path) -> Path:
    """Copy what a SavedModel is made of, and nothing beside it, into a folder that is made."""
    target.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = folder / part
        if source.is_dir():
            shutil.copytree(source, target / part)
        elif source.is_file():
            shutil.copyfile(source, target / part)
    return target


def private_copy(folder: Path) -> Path:
    """Copy a SavedModel to a folder that nobody else changes; whoever asked removes it."""
    return copy_module(folder, Path(tempfile.mkdtemp(prefix="tfxfer-module-")))


def read_graph(folder: Path, *, label: str) -> GraphFacts:
    """Read the graph of a SavedModel without running it, and refuse one that leaves its bounds.

    Args:
        folder: The SavedModel.
        label: What people call it, for messages.

    Returns:
        What is needed to load it.

    Raises:
        WeightsError: There is no graph, it is damaged, or an operator in it reaches files, the
            network or Python.
    """
    file = folder / "saved_model.pb"
    if not file.is_file():
        raise WeightsError(
            f"{label} is no SavedModel: it has no saved_model.pb; give the folder or archive that holds one."
        )
    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString(file.read_bytes())
    except DecodeError as error:
        raise WeightsError(_damaged(label)) from error
    if not saved.meta_graphs:
        raise WeightsError(_damaged(label))
    graph = _chosen(saved.meta_graphs)
    for operator in _operators_out_of_bounds(graph):
        raise WeightsError(
            f"{label} is refused: its graph holds the operator {operator}, which reaches files, the network "
            "or Python of the machine it runs on; take a module that only computes."
        )
    return GraphFacts(tuple(graph.meta_info_def.tags), bool(graph.object_graph_def.nodes))


def _damaged(label: str) -> str:
    return f"the graph of {label} is damaged: saved_model.pb cannot be read; get the module again."


def _chosen(graphs: Any) -> Any:
    """Take the graph for inference; TensorFlow 1 wrote another for training beside it."""
    return min(graphs, key=lambda graph: ("train" in graph.meta_info_def.tags, len(graph.meta_info_def.tags)))


def _operators_out_of_bounds(graph: Any) -> Iterator[str]:
    """Yield unsafe operators; those for checkpoints are left to the saver, if no other function calls it."""
    for node in graph.graph_def.node:
        if UNSAFE.search(node.op) and node.op not in CHECKPOINT and not node.op.startswith(SAVER):
            yield node.op
    for function in graph.graph_def.library.function:
        saver = function.signature.name.startswith(SAVER)
        for node in function.node_def:
            if UNSAFE.search(node.op) and not (saver and node.op in CHECKPOINT):
                yield node.op
            yield from (name for name in _functions_called(node) if name.startswith(SAVER))


def _functions_called(node: Any) -> Iterator[str]:
    yield node.op
    for value in node.attr.values():
        yield value.func.name
        yield from (function.name for function in value.list.func)
