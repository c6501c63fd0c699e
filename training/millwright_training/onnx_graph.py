"""A regressor as one ONNX graph: scaling, an ensemble of perceptrons, their mean, the label's bounds."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def build_graph(
    members: list[list[tuple[np.ndarray, np.ndarray]]],
    mean: np.ndarray,
    scale: np.ndarray,
    cap: float,
    target_scale: float,
) -> onnx.ModelProto:
    """Input `x` float32 [N, F] in feature units, output `y` float32 [N, 1] in label units.

    `members`: weights [in, out] and biases [out] of each layer of each member, ReLU between them.
    """
    width = len(mean)
    nodes, constants = [], []

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value, dtype=np.float32), name))
        return name

    nodes.append(helper.make_node("Sub", ["x", constant("mean", mean)], ["centred"], name="centre"))
    nodes.append(helper.make_node("Div", ["centred", constant("scale", scale)], ["scaled"], name="scale_input"))
    # A value far outside training must not drive the network anywhere it has never been.
    nodes.append(
        helper.make_node("Clip", ["scaled", constant("low", np.array(-8.0)), constant("high", np.array(8.0))], ["z"], name="bound")
    )
    outputs = []
    for m, layers in enumerate(members):
        current = "z"
        for k, (weight, bias) in enumerate(layers):
            out = f"m{m}_l{k}"
            nodes.append(
                helper.make_node(
                    "Gemm",
                    [current, constant(f"m{m}_w{k}", weight), constant(f"m{m}_b{k}", bias)],
                    [out],
                    name=f"gemm_{m}_{k}",
                )
            )
            current = out
            if k < len(layers) - 1:
                nodes.append(helper.make_node("Relu", [out], [f"{out}_r"], name=f"relu_{m}_{k}"))
                current = f"{out}_r"
        outputs.append(current)
    nodes.append(helper.make_node("Mean", outputs, ["average"], name="average"))
    nodes.append(helper.make_node("Mul", ["average", constant("target_scale", np.array(target_scale))], ["raw"], name="unscale"))
    nodes.append(
        helper.make_node("Clip", ["raw", constant("zero", np.array(0.0)), constant("cap", np.array(cap))], ["y"], name="label_bounds")
    )
    graph = helper.make_graph(
        nodes,
        "millwright-mlp-regressor",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="millwright")
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model
