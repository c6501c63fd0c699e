"""What a job's program may do, for the tests: the mode is a hyperparameter or the first argument."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

root = Path(os.environ["MILLWRIGHT_ML_ROOT"])
ml = root / "opt/ml"


def train() -> int:
    parameters = json.loads((ml / "input/config/hyperparameters.json").read_text())
    mode = parameters.get("mode", "learn")
    print(f"mode {mode}", flush=True)
    if mode == "learn":
        train_dir = Path(os.environ["SM_CHANNEL_TRAIN"])
        names = sorted(str(p.relative_to(train_dir)) for p in train_dir.rglob("*") if p.is_file())
        total = sum(float(p.read_text()) for p in train_dir.rglob("*") if p.is_file())
        print(f"loss=9.5;\nloss={total};\nodd=nan;", flush=True)
        model = Path(os.environ["SM_MODEL_DIR"])
        (model / "sub").mkdir()
        (model / "model.json").write_text(json.dumps({"total": total, "names": names}))
        (model / "sub/config.json").write_text((ml / "input/config/inputdataconfig.json").read_text())
        (Path(os.environ["SM_OUTPUT_DATA_DIR"]) / "env.json").write_text(json.dumps(dict(os.environ)))
        return 0
    if mode == "count":
        file = ml / "checkpoints/count.txt"
        file.write_text(str(int(file.read_text()) + 1 if file.exists() else 1))
        return 0
    if mode == "fail":
        (ml / "output").mkdir(exist_ok=True)
        (ml / "output/failure").write_text("loss is not a number: NaN at epoch 3")
        return 1
    if mode == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "gentle":

        def stop(*_):
            (ml / "model/half.txt").write_text("half")
            sys.exit(0)

        signal.signal(signal.SIGTERM, stop)
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(parameters["pid_file"]).write_text(f"{os.getpid()} {helper.pid}")
    time.sleep(600)
    return 0


def process(arguments: list[str]) -> int:
    if arguments[:1] == ["fail"]:
        (ml / "output/message").write_text("nothing to do")
        return 3
    source = ml / "processing/input/data"
    target = ml / "processing/output"
    for path in source.rglob("*"):
        if path.is_file():
            (target / "deep").mkdir(exist_ok=True)
            (target / "deep" / path.name).write_text(path.read_text().upper() + os.environ.get("SUFFIX", ""))
    (target / "job.json").write_text((ml / "config/processingjobconfig.json").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(train() if sys.argv[1] == "train" else process(sys.argv[2:]))
