"""Features by numpy and scipy, written from their definitions and not from the TypeScript.

Reads cases as JSON lines on stdin, writes one number a line: what `test/parity/features.test.ts` compares with.
"""

import json
import sys

import numpy as np
from scipy import signal, stats


def amplitude(samples, rate, hz):
    n = len(samples)
    power = np.abs(np.fft.rfft((samples - samples.mean()) * signal.windows.hann(n, sym=False))) ** 2
    centre = int(np.floor(hz * n / rate + 0.5))
    low, high = max(1, centre - 1), min(n // 2, centre + 1)
    return 4 * np.sqrt(power[low : high + 1].sum()) / n


def compute(case):
    """One feature of one scalar series (`ages` counts back from the newest) or one waveform."""
    v, params = np.asarray(case["values"], dtype=np.float64), case["params"]
    ages = np.asarray(case.get("ages", []), dtype=np.float64)
    match case["feature"]:
        case "latest":
            return v[-1]
        case "mean":
            return np.mean(v)
        case "std":
            return np.std(v)
        case "slope":
            return stats.linregress(-ages, v).slope
        case "decayed-mean":
            return np.average(v, weights=params["decay"] ** ages)
        case "rms":
            return np.sqrt(np.mean(v**2))
        case "kurtosis":
            return stats.kurtosis(v, fisher=False)
        case "crest-factor":
            return np.abs(v).max() / np.sqrt(np.mean(v**2))
        case "order-band":
            return amplitude(v, case["rate"], params["order"] * case["speed"] / 60)
        case "envelope-order":
            return amplitude(np.abs(signal.hilbert(v - v.mean())), case["rate"], params["order"] * case["speed"] / 60)
        case other:
            raise SystemExit(f"no reference for feature {other}: write one here")


for line in sys.stdin:
    print(repr(float(compute(json.loads(line)))))
