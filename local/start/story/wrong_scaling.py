"""A model with the right shape and the wrong scaling, with golden samples of its own: it installs well and decides badly.

    wrong_scaling.py <package folder> <folder for the new files> <factor>
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

source, target, factor = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
model = onnx.load(str(source / "model.fp32.onnx"))
for tensor in model.graph.initializer:
    if tensor.name == "scale":
        scaled = (numpy_helper.to_array(tensor) * factor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(scaled, "scale"))
        break
else:
    sys.exit(f"{source}/model.fp32.onnx has no scaling to change: expected a constant 'scale'")
target.mkdir(parents=True, exist_ok=True)
path = target / "model.fp32.onnx"
onnx.save(model, str(path))
width = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
golden = np.frombuffer((source / "golden.bin").read_bytes(), dtype="<f4").reshape(-1, width)
answers = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(["y"], {"x": golden})[0][:, 0]
(target / "golden.json").write_text(json.dumps([{"row": i, "expected": float(v)} for i, v in enumerate(answers)]))
