"""Quantization: static int8 (QDQ) with calibration rows; fp32 is kept beside it."""

from __future__ import annotations

import json
import logging
import tarfile
from pathlib import Path, PurePosixPath

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from .container import Refused, root
from .features import read_features

GOLDEN_ROWS = 32
MAX_CALIBRATION_ROWS = 2000
#: fp32 on another CPU may sum in another order; label units.
FP32_TOLERANCE = 0.05


class _Rows(CalibrationDataReader):
    def __init__(self, x: np.ndarray):
        self._batches = iter([{"x": x[i : i + 256]} for i in range(0, len(x), 256)])

    def get_next(self):
        return next(self._batches, None)


def _run(path: Path, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": x})[0][:, 0]


def unpack(archive: Path, to: Path) -> None:
    """Plain files of a model archive into one folder. Raises Refused on anything else in it.

    Not `extractall`: before Python 3.11.4 it follows paths out of the folder.
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            name = PurePosixPath(member.name)
            if member.isdir() and name == PurePosixPath("."):
                continue
            if not member.isfile() or len(name.parts) != 1 or name.parts[0] == "..":
                raise Refused(f"{archive.name} holds '{member.name}': expected plain files and no folders")
            (to / name.name).write_bytes(tar.extractfile(member).read())


def quantize() -> None:
    """Inputs `processing/input/model` (model.tar.gz) and `processing/input/calibration`, output `processing/output`, plain files."""
    base = root() / "processing"
    archive = base / "input/model/model.tar.gz"
    if not archive.exists():
        raise Refused(f"{archive} is missing: name the training job's artifact as input 'model'")
    out = base / "output"
    out.mkdir(parents=True, exist_ok=True)
    unpack(archive, out)
    fp32, int8 = out / "model.fp32.onnx", out / "model.int8.onnx"
    if not fp32.exists():
        raise Refused("model.tar.gz holds no model.fp32.onnx: did the training job end well?")
    width = len(json.loads((out / "envelope.json").read_text())["ranges"])
    x, *_ = read_features(base / "input/calibration", width)
    if len(x) < GOLDEN_ROWS:
        raise Refused(f"{len(x)} calibration rows, at least {GOLDEN_ROWS} are needed; raise seal.calibrationShare of the use case")
    x = x[np.linspace(0, len(x) - 1, min(len(x), MAX_CALIBRATION_ROWS)).astype(int)].astype(np.float32)
    # Its advice on shape inference does not apply: the graph is written by us, with its shapes.
    logging.getLogger().setLevel(logging.ERROR)
    quantize_static(
        str(fp32),
        str(int8),
        _Rows(x),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=False,
        calibrate_method=CalibrationMethod.MinMax,
        op_types_to_quantize=["Gemm", "MatMul"],
    )
    a, b = _run(fp32, x), _run(int8, x)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise Refused("the model answers NaN on calibration rows; nothing was quantized")
    golden = x[np.linspace(0, len(x) - 1, GOLDEN_ROWS).astype(int)]
    expected, quantized = _run(fp32, golden), _run(int8, golden)
    (out / "golden.bin").write_bytes(np.ascontiguousarray(golden, dtype="<f4").tobytes())
    documents = {
        "golden.json": {
            "samples": [{"row": i, "expected": float(v)} for i, v in enumerate(expected)],
            "tolerance": FP32_TOLERANCE,
            "int8Tolerance": float(np.abs(expected - quantized).max() * 1.5 + FP32_TOLERANCE),
        },
        "quantize.json": {
            "schema": "quantize-report/1",
            "method": "static-qdq-int8",
            "calibrationRows": len(x),
            "fp32Bytes": fp32.stat().st_size,
            "int8Bytes": int8.stat().st_size,
            "maxAbsDifference": float(np.abs(a - b).max()),
        },
    }
    for name, document in documents.items():
        (out / name).write_text(json.dumps(document))
    print(f"max_abs_difference={np.abs(a - b).max():.4f}; int8_bytes={int8.stat().st_size};", flush=True)
