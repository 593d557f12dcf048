"""ai-edge-quantizer: from a float32 .tflite file to int8 or int16x8, some operations left as they are."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any, Literal

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import calibrator, qtyping, quantizer, recipe, recipe_manager
from ai_edge_quantizer.utils import qsv_utils

__all__ = ["Operation", "Quantizer", "quiet"]

_SIGNATURE = "serving_default"
_FIRST = 0.02
"""Share of the constants that the first operations have."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a network.

    Attributes:
        kind: What it does, such as ``"CONV_2D"``.
        output: The name of the tensor that comes out.
    """

    kind: str
    output: str


class Quantizer:
    """int8 or int16x8 files of one float32 file; ranges are taken from pictures once.

    What is no part of the way to the scores, but says what is known, is in float32 in all of them: squares,
    roots and logarithms in 8 bits say nothing, and LiteRT has no square of a difference in 16. Checked on
    ai-edge-quantizer 0.10.0.

    Attributes:
        operations: All that may stay in float32, from the pixels to the scores.
        first: The first of these, which have a fiftieth of all constants: they do most harm for their bytes.
        apart: Bytes of the constants of what is float32 in any case.

    Args:
        model: A float32 .tflite file's content, with raw RGB, float32, in.
        representative: Pictures that ranges are taken from, shape (pictures, height, width, 3), uint8.
        numbers: ``"int8"``, with uint8 pixels in; or ``"int16x8"``, int16 activations and int8 weights, with
            float32 pixels in. Scores come out in float32.
    """

    def __init__(
        self,
        model: bytes,
        representative: npt.NDArray[np.uint8],
        numbers: Literal["int8", "int16x8"] = "int8",
    ) -> None:
        self._model, self._numbers = model, numbers
        interpreter = Interpreter(model_content=model)
        interpreter.allocate_tensors()
        self._input = next(iter(interpreter.get_signature_list()[_SIGNATURE]["inputs"]))
        tensors = {each["index"]: each for each in interpreter.get_tensor_details()}
        pixels = interpreter.get_input_details()[0]["index"]
        (scores,) = [each["index"] for each in interpreter.get_output_details() if len(each["shape"]) == 2]
        # LiteRT tells operations through no public function. What reads the pixels is int8, as they are.
        found = [each for each in interpreter._get_ops_details() if each["op_name"] != "DELEGATE"]
        needed = _needed(found, scores)
        made = {tensor for each in found for tensor in each["outputs"]} | {pixels, -1}  # -1: there is none
        sizes = {index: int(np.prod(each["shape"])) for index, each in tensors.items() if index not in made}
        self.operations: list[Operation] = []
        self._apart: list[Operation] = []
        constants = []
        for each in found:
            if pixels not in each["inputs"]:
                onward = needed.intersection(each["outputs"])
                where = self.operations if onward else self._apart
                where.append(Operation(each["op_name"], tensors[each["outputs"][0]]["name"]))
                if onward:
                    constants.append(sum(sizes.get(tensor, 0) for tensor in each["inputs"]))
        read = {tensor for each in found if not needed & set(each["outputs"]) for tensor in each["inputs"]}
        self.apart = 4 * sum(sizes[each] for each in read - made - needed)
        few = np.cumsum(constants) <= _FIRST * sum(constants)
        self.first = self.operations[: int(few.sum())]
        with quiet():
            self._ranges: Any = self._whole_ranges(representative)

    def quantized(self, floating: Sequence[Operation] = ()) -> bytes:
        """Return a file in these numbers.

        Args:
            floating: The operations that stay in float32.
        """
        with quiet():
            result = self._quantizer(floating).quantize(self._ranges, enable_progress_report=False)
        return _changed(
            bytes(result.quantized_model), _take_bytes if self._numbers == "int8" else _take_any_scale
        )

    def _quantizer(self, floating: Sequence[Operation] = ()) -> quantizer.Quantizer:
        plan = recipe.static_wi8_ai8() if self._numbers == "int8" else recipe.static_wi8_ai16()
        made = quantizer.Quantizer(self._model, plan)
        kept = qtyping.TFLOperationName
        for name, kind in [(".*", kept.INPUT), (".*", kept.OUTPUT)] + [
            (re.escape(each.output), kept.ALL_SUPPORTED) for each in (*floating, *self._apart)
        ]:
            made.update_quantization_recipe(name, kind, algorithm_key=recipe.AlgorithmName.NO_QUANTIZE)
        return made

    def _whole_ranges(self, images: npt.NDArray[np.uint8]) -> Any:
        """Take ranges whole, as TensorFlow does; the quantizer's own, running averages, cut some off."""
        plan = recipe_manager.RecipeManager()
        plan.load_quantization_recipe(self._quantizer().get_quantization_recipe())
        looking = calibrator.Calibrator(self._model, qsv_update_func=qsv_utils.min_max_update)
        looking.calibrate(self._samples(images), plan)
        return looking.get_model_qsvs()

    def _samples(self, images: npt.NDArray[np.uint8]) -> dict[str, list[dict[str, npt.NDArray[np.float32]]]]:
        return {_SIGNATURE: [{self._input: image[np.newaxis].astype(np.float32)} for image in images]}


def _needed(operations: Sequence[Any], output: int) -> set[int]:
    """Return the tensors that one is computed from, itself among them; operations come in order."""
    needed = {output}
    for each in reversed(operations):
        if needed.intersection(each["outputs"]):
            needed.update(each["inputs"])
    return needed


def _changed(model: bytes, change: Callable[[schema.SubGraphT], None]) -> bytes:
    unpacked = schema.ModelT.InitFromPackedBuf(model, 0)
    for buffer in unpacked.buffers:
        if buffer.offset and buffer.size:  # what is kept behind the table is taken into it
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    change(unpacked.subgraphs[0])
    builder = flatbuffers.Builder(len(model))
    builder.Finish(unpacked.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _take_bytes(graph: schema.SubGraphT) -> None:
    """Have the first operation, which turns float32 pixels to int8, turn uint8 pixels to int8."""
    (first,) = [each for each in graph.operators if graph.inputs[0] in each.inputs]
    pixels, inner = graph.tensors[graph.inputs[0]], graph.tensors[first.outputs[0]]
    pixels.type = schema.TensorType.UINT8
    pixels.quantization = schema.QuantizationParametersT()
    pixels.quantization.scale = list(inner.quantization.scale)
    pixels.quantization.zeroPoint = [int(inner.quantization.zeroPoint[0]) + 128]


def _take_any_scale(graph: schema.SubGraphT) -> None:
    """Have sums of int16 take any scale, as TensorFlow's converter does; else LiteRT asks for powers of 2."""
    for each in graph.operators:
        if isinstance(each.builtinOptions, schema.AddOptionsT | schema.SubOptionsT):
            each.builtinOptions.potScaleInt16 = False


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the quantizer: it tells its progress, and casts NaN where an operation never runs."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        yield
