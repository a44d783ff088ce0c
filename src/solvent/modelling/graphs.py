"""Models as ONNX graphs, the whole pipeline: one named input per feature, (n, 1), one output, the probability (n, 1).

Numbers are doubles, NaN for null: a float32 would flip a value beside an edge into the next bin. Texts have
`solvent.trees.NULL` for null. Built from onnx.helper alone: converters bring packages that the training container would
need wheels of, and know neither one scorecard's bins nor the calibration.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from solvent.modelling.boosted import Boosted
from solvent.scorecard import CategoricalFeature, Feature, NumericFeature, Scorecard
from solvent.trees import NULL

_OPSETS = {"": 17, "ai.onnx.ml": 3}
_IR_VERSION = 8


class _Graph:
    """Nodes and constants under way; `add` returns the name of a node's output."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, values: Any, kind: Any = np.float64) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"node_{len(self.nodes)}"
        domain = "ai.onnx.ml" if operator in ("LabelEncoder", "TreeEnsembleRegressor") else ""
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, domain=domain, **attributes))
        return name

    def codes(self, name: str, levels: Sequence[str], codes: Sequence[int], null: int, unseen: int) -> str:
        """Integers for the levels of a text input, (n, 1)."""
        return self.add(
            "LabelEncoder", name, keys_strings=[*levels, NULL], values_int64s=[*codes, null], default_int64=unseen
        )

    def model(self, log_odds: str, inputs: Sequence[tuple[str, bool]]) -> bytes:
        """The serialised model. `inputs`: name, whether it is a number."""
        self.nodes.append(helper.make_node("Sigmoid", [log_odds], ["probability"], "probability"))
        kinds = [(name, TensorProto.DOUBLE if numeric else TensorProto.STRING) for name, numeric in inputs]
        graph = helper.make_graph(
            self.nodes,
            "solvent",
            [helper.make_tensor_value_info(name, kind, [None, 1]) for name, kind in kinds],
            [helper.make_tensor_value_info("probability", TensorProto.DOUBLE, [None, 1])],
            self.constants,
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
        made: ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        return bytes(made.SerializeToString(deterministic=True))


def scorecard(card: Scorecard) -> bytes:
    """Each value to the place of its bin in one vector of weights; their sum, the intercept, the sigmoid."""
    graph, weights, places = _Graph(), [0.0], []
    for feature in card.features:
        places.append(_place(graph, feature, len(weights)))
        extra = [feature.other] if isinstance(feature, CategoricalFeature) else []
        weights += [*feature.weights, *extra, feature.missing]
    place = graph.add("Concat", *places, axis=1)
    weight = graph.add("Gather", graph.constant(weights), place)
    total = graph.add("ReduceSum", weight, graph.constant([1], np.int64), keepdims=1)
    log_odds = graph.add("Add", total, graph.constant([card.intercept]))
    return graph.model(log_odds, [(f.name, isinstance(f, NumericFeature)) for f in card.features])


def _place(graph: _Graph, feature: Feature, start: int) -> str:
    bins = len(feature.weights)
    if isinstance(feature, CategoricalFeature):
        return graph.codes(feature.name, feature.levels, range(start, start + bins), start + bins + 1, start + bins)
    place = graph.constant([[start]], np.int64)
    if feature.edges:
        above = graph.add("Greater", feature.name, graph.constant([feature.edges]))
        count = graph.add("Cast", above, to=TensorProto.INT64)
        number = graph.add("ReduceSum", count, graph.constant([1], np.int64), keepdims=1)
        place = graph.add("Add", number, place)
    missing = graph.constant([[start + bins]], np.int64)
    return graph.add("Where", graph.add("IsNaN", feature.name), missing, place)


def boosted(model: Boosted) -> bytes:
    """Numbers cast to the trees' float32, levels one-hot, the trees, the calibration."""
    graph, columns = _Graph(), []
    for one in model.inputs:
        if one.kind == "numeric":
            columns.append(graph.add("Cast", one.name, to=TensorProto.FLOAT))
            continue
        levels = len(one.levels)
        code = graph.codes(one.name, one.levels, range(levels), levels, levels + 1)  # the last: all columns 0
        flat = graph.add("Reshape", code, graph.constant([-1], np.int64))
        depth, values = graph.constant(levels + 1, np.int64), graph.constant([0, 1], np.float32)
        columns.append(graph.add("OneHot", flat, depth, values, axis=-1))
    matrix = graph.add("Concat", *columns, axis=1)
    margin = graph.add("Cast", graph.add("TreeEnsembleRegressor", matrix, **_ensemble(model)), to=TensorProto.DOUBLE)
    scaled = graph.add("Mul", margin, graph.constant([model.calibration.slope]))
    log_odds = graph.add("Add", scaled, graph.constant([model.calibration.intercept]))
    return graph.model(log_odds, [(i.name, i.kind == "numeric") for i in model.inputs])


def _ensemble(model: Boosted) -> dict[str, Any]:
    """XGBoost's own JSON as attributes: a row goes to the true branch below a threshold, null where the tree says."""
    learner = json.loads(model.booster.save_raw("json"))["learner"]
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    found: dict[str, list[Any]] = {key: [] for key in (
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
        "nodes_falsenodeids", "nodes_missing_value_tracks_true", "target_treeids", "target_nodeids", "target_weights",
    )}  # fmt: skip
    for number, tree in enumerate(learner["gradient_booster"]["model"]["trees"]):
        left = tree["left_children"]
        size = len(left)
        leaf = [child == -1 for child in left]
        found["nodes_treeids"] += [number] * size
        found["nodes_nodeids"] += range(size)
        found["nodes_featureids"] += tree["split_indices"]
        found["nodes_values"] += tree["split_conditions"]
        found["nodes_modes"] += ["LEAF" if end else "BRANCH_LT" for end in leaf]
        found["nodes_truenodeids"] += [0 if end else child for end, child in zip(leaf, left, strict=True)]
        found["nodes_falsenodeids"] += [0 if end else c for end, c in zip(leaf, tree["right_children"], strict=True)]
        found["nodes_missing_value_tracks_true"] += tree["default_left"]
        ends = [node for node in range(size) if leaf[node]]
        found["target_treeids"] += [number] * len(ends)
        found["target_nodeids"] += ends
        found["target_weights"] += [tree["split_conditions"][node] for node in ends]
    return {
        **found, "target_ids": [0] * len(found["target_nodeids"]), "n_targets": 1,
        "base_values": [math.log(base / (1 - base))],
    }  # fmt: skip


def feeds(frame: pd.DataFrame, numeric: Sequence[bool], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """A frame as a graph's inputs, (n, 1) each: for the gate that compares a graph with what it was made from."""
    found: dict[str, NDArray[Any]] = {}
    for name, is_number in zip(names, numeric, strict=True):
        values = frame[name]
        if is_number:
            numbers = pd.to_numeric(values.astype("object").where(values.notna(), np.nan))
            found[name] = np.asarray(numbers, dtype=np.float64).reshape(-1, 1)
        else:
            found[name] = values.astype("object").where(values.notna(), NULL).to_numpy(dtype=object).reshape(-1, 1)
    return found
