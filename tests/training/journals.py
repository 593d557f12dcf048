"""Read what a fit logged of its epochs, as others do."""

import csv
import json

import pytest
import tensorflow as tf


def rows_of(file):
    with file.open(newline="") as opened:
        return [
            {name: cell if name == "phase" else json.loads(cell) for name, cell in row.items() if cell}
            for row in csv.DictReader(opened)
        ]


def scalars_of(folder):
    """What TensorBoard itself reads in a run: tag -> step and value of each point."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    assert {events.SummaryMetadata(tag).plugin_data.plugin_name for tag in events.Tags()["tensors"]} == {
        "scalars"
    }
    return {
        tag: [(each.step, tf.make_ndarray(each.tensor_proto).item()) for each in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
    }
