"""Training and quantization, run as SageMaker runs them, in a folder that stands for `/`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import jsonschema
import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "sha256:" + "0" * 64
NAMES = ["level", "trend", "noise"]


def write_channel(folder: Path, runs: int, seed: int, width: int = 3, label: float | None = None) -> None:
    rng = np.random.default_rng(seed)
    rows = []
    for run in range(runs):
        for index in range(1, 41):
            left = 40 - index
            x = [left + rng.normal(), -left / 10 + rng.normal() / 10, rng.normal()][:width]
            rows.append({"asset": f"a{run}", "run": "r", "index": index, "label": float(left if label is None else label), "x": x})
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "part-00000.parquet")


def prepare(root: Path, settings: dict | None = None, runs: int = 6, width: int = 3) -> None:
    config = root / "opt/ml/input/config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(
        json.dumps(
            {
                "algorithm": "mlp-regressor",
                "seed": "3",
                "feature_names": json.dumps(NAMES),
                "feature_set_digest": DIGEST,
                "snapshot_digest": DIGEST,
                "settings": json.dumps({"epochs": 300, "hidden": "16,8", "members": 2, "learningRate": 0.01} | (settings or {})),
            }
        )
    )
    write_channel(root / "opt/ml/input/data/train", runs, 1, width)
    write_channel(root / "opt/ml/input/data/calibration", 2, 2, width)


def run(root: Path, command: str) -> subprocess.CompletedProcess:
    env = os.environ | {"MILLWRIGHT_ML_ROOT": str(root), "PYTHONPATH": str(ROOT / "training")}
    return subprocess.run([sys.executable, "-m", "millwright_training", command], env=env, capture_output=True, text=True, timeout=300)


def failure(root: Path) -> str:
    return (root / "opt/ml/output/failure").read_text()


def to_processing(root: Path) -> None:
    base = root / "opt/ml/processing/input"
    (base / "model").mkdir(parents=True)
    with tarfile.open(base / "model/model.tar.gz", "w:gz") as tar:
        tar.add(root / "opt/ml/model", ".")
    write_channel(base / "calibration", 2, 2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("ml")
    prepare(root)
    done = run(root, "train")
    assert done.returncode == 0, done.stdout + done.stderr
    to_processing(root)
    done = run(root, "quantize")
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def schema(name: str) -> dict:
    return json.loads((ROOT / "docs/contracts" / f"{name}.schema.json").read_text())


@pytest.mark.parametrize(
    ("file", "contract"),
    [
        ("metrics.json", "training-metrics"),
        ("baseline.json", "baseline"),
        ("envelope.json", "envelope"),
        ("quantize.json", "quantize-report"),
    ],
)
def test_what_it_writes_matches_its_contract(trained, file, contract):
    document = json.loads((trained / "opt/ml/processing/output" / file).read_text())
    jsonschema.validate(document, schema(contract))


def test_the_model_learns_the_label(trained):
    metrics = json.loads((trained / "opt/ml/model/metrics.json").read_text())
    assert metrics["calibrationRmse"] < 3


def test_int8_stays_close_to_fp32_on_golden_rows(trained):
    out = trained / "opt/ml/processing/output"
    golden = json.loads((out / "golden.json").read_text())
    rows = np.frombuffer((out / "golden.bin").read_bytes(), dtype="<f4").reshape(-1, 3)
    for file, tolerance in [("model.fp32.onnx", golden["tolerance"]), ("model.int8.onnx", golden["int8Tolerance"])]:
        session = onnxruntime.InferenceSession(str(out / file), providers=["CPUExecutionProvider"])
        answers = session.run(["y"], {"x": rows})[0][:, 0]
        for sample in golden["samples"]:
            assert abs(answers[sample["row"]] - sample["expected"]) <= tolerance


def test_the_same_seed_gives_the_same_bytes(trained, tmp_path):
    prepare(tmp_path)
    run(tmp_path, "train")
    name = "opt/ml/model/model.fp32.onnx"
    assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


def with_season(root: Path, season: dict, times: list[str] | None) -> None:
    prepare(root, {"epochs": 2, "members": 1}, runs=60)
    config = root / "opt/ml/input/config/hyperparameters.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"season": json.dumps(season)}))
    table = root / "opt/ml/input/data/train/part-00000.parquet"
    if times is not None:
        pq.write_table(pq.read_table(table).append_column("source_time", pa.array(times)), table)


def test_a_season_gives_references_by_the_time_of_day_and_the_log_says_which(tmp_path):
    minutes = [(run * 40 + index) * 10 for run in range(60) for index in range(40)]
    times = [str(np.datetime64("2026-01-05T00:00:00.000") + np.timedelta64(m, "m")) + "Z" for m in minutes]
    with_season(tmp_path, {"hours": 12, "weekdays": False}, times)
    done = run(tmp_path, "train")
    assert done.returncode == 0, done.stdout + done.stderr
    baseline = json.loads((tmp_path / "opt/ml/model/baseline.json").read_text())
    jsonschema.validate(baseline, schema("baseline"))
    assert [(c["context"], c["cell"]) for c in baseline["season"]["cells"]] == [("default", "h00"), ("default", "h12")]
    assert "season: 2 cells have a reference, of 8 windows of 100 rows at least" in done.stdout


def test_a_season_without_times_of_rows_is_refused(tmp_path):
    with_season(tmp_path, {"hours": 12}, None)
    assert run(tmp_path, "train").returncode == 1
    assert "expected a column source_time" in failure(tmp_path)


def test_times_that_are_none_are_refused_by_the_name_of_their_table(tmp_path):
    with_season(tmp_path, {"hours": 12}, ["yesterday"] * 2400)
    assert run(tmp_path, "train").returncode == 1
    assert "part-00000.parquet: source_time: expected instants" in failure(tmp_path)


def test_too_few_rows_are_refused_with_the_number(tmp_path):
    prepare(tmp_path, runs=1)
    assert run(tmp_path, "train").returncode == 1
    assert "40 labelled rows" in failure(tmp_path)


def test_a_table_of_another_width_is_refused(tmp_path):
    prepare(tmp_path, width=2)
    assert run(tmp_path, "train").returncode == 1
    assert "expected 3 features" in failure(tmp_path)


def test_a_loss_that_is_not_finite_is_refused(tmp_path):
    prepare(tmp_path, {"learningRate": 1e200})
    assert run(tmp_path, "train").returncode == 1
    assert "lower learningRate" in failure(tmp_path)


def test_an_unknown_setting_is_refused_by_name(tmp_path):
    prepare(tmp_path, {"layers": 3})
    assert run(tmp_path, "train").returncode == 1
    assert "layers" in failure(tmp_path)


def test_a_missing_channel_is_refused_by_name(tmp_path):
    prepare(tmp_path)
    for file in (tmp_path / "opt/ml/input/data/calibration").iterdir():
        file.unlink()
    (tmp_path / "opt/ml/input/data/calibration").rmdir()
    assert run(tmp_path, "train").returncode == 1
    assert "channel 'calibration' is missing" in failure(tmp_path)


def test_no_hyperparameters_means_no_container_contract(tmp_path):
    assert run(tmp_path, "train").returncode == 1
    assert "SageMaker container contract" in failure(tmp_path)


def test_quantize_refuses_when_there_is_no_model(tmp_path):
    assert run(tmp_path, "quantize").returncode == 1
    assert "model.tar.gz is missing" in failure(tmp_path)


@pytest.mark.parametrize("name", ["../outside", "folder/model.fp32.onnx", "/absolute"])
def test_quantize_refuses_an_archive_that_reaches_out_of_its_folder(tmp_path, name):
    model = tmp_path / "opt/ml/processing/input/model"
    model.mkdir(parents=True)
    with tarfile.open(model / "model.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    assert run(tmp_path, "quantize").returncode == 1
    assert "expected plain files" in failure(tmp_path)


def test_an_unknown_command_is_a_usage_error(tmp_path):
    assert run(tmp_path, "serve").returncode == 2


def prepare_folds(root: Path, places: dict[str, int], candidates: list[dict] | None = None) -> None:
    prepare(root)
    plan = {"candidates": candidates or [{"epochs": 60, "hidden": "8", "members": 1}], "folds": places}
    (root / "opt/ml/input/config/folds.json").write_text(json.dumps(plan))


def test_folds_give_the_errors_of_each_candidate_on_the_runs_it_did_not_learn_from(tmp_path):
    learning = {"epochs": 150, "hidden": "16", "members": 1, "learningRate": 0.01}
    prepare_folds(tmp_path, {f"a{k}/r": k % 2 for k in range(6)}, [learning, learning | {"epochs": 1, "learningRate": 1e-6}])
    done = run(tmp_path, "folds")
    assert done.returncode == 0, done.stdout + done.stderr
    good, bad = json.loads((tmp_path / "opt/ml/output/folds.json").read_text())["candidates"]
    assert [fold["rows"] for fold in good] == [120, 120]
    assert sum(fold["sumSquared"] for fold in good) < sum(fold["sumSquared"] for fold in bad) / 4
    assert sorted(line.split(" rmse")[0] for line in done.stdout.splitlines()) == [
        f"candidate={c}; fold={f};" for c in range(2) for f in range(2)
    ]


def test_folds_refuse_a_run_that_is_in_none(tmp_path):
    prepare_folds(tmp_path, {f"a{k}/r": k % 2 for k in range(5)})
    done = run(tmp_path, "folds")
    assert done.returncode == 1
    assert "run a5/r is in no fold" in (tmp_path / "opt/ml/output/failure").read_text()


def test_folds_refuse_one_that_leaves_nothing_to_learn_from(tmp_path):
    prepare_folds(tmp_path, {f"a{k}/r": 0 for k in range(6)})
    done = run(tmp_path, "folds")
    assert done.returncode == 1
    assert "fold 0 has 240 of 240 rows" in (tmp_path / "opt/ml/output/failure").read_text()
