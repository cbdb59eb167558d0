"""From a fitted scikit-learn classifier to the ONNX graph that is served."""

import onnx
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

import flights

# Old enough for every onnxruntime of the last years, new enough for Unsqueeze with its axes as an input.
OPSETS = {"": 17, "ai.onnx.ml": 3}


def to_onnx(classifier, features: list[str]) -> onnx.ModelProto:
    """One float32 input [N] a feature and one float32 output [N], the probability of class 1.

    skl2onnx makes the trees, which take one matrix [N, F] and give [N, 2]. Around them go the few nodes that join the
    named columns before, and pick the second column after.
    """
    trees = convert_sklearn(
        classifier,
        initial_types=[("matrix", FloatTensorType([None, len(features)]))],
        options={id(classifier): {"zipmap": False}},
        target_opset=OPSETS,
    )
    _, probabilities = (output.name for output in trees.graph.output)  # the label comes first
    nodes = [
        *(helper.make_node("Unsqueeze", [name, "columns_axis"], [f"{name}_column"]) for name in features),
        helper.make_node("Concat", [f"{name}_column" for name in features], ["matrix"], axis=1),
        *trees.graph.node,
        helper.make_node("Gather", [probabilities, "late_column"], [flights.OUTPUT], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "late_arrival",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in features],
        [helper.make_tensor_value_info(flights.OUTPUT, TensorProto.FLOAT, ["N"])],
        [
            *trees.graph.initializer,
            helper.make_tensor("columns_axis", TensorProto.INT64, [1], [1]),
            helper.make_tensor("late_column", TensorProto.INT64, [], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=trees.opset_import, ir_version=trees.ir_version)
    onnx.checker.check_model(model, full_check=True)
    return model
