"""Features by numpy and scipy, written from their definitions and not from the TypeScript.

Reads cases as JSON lines on stdin, writes one number a line: what `test/parity/features.test.ts` compares with.
"""

import datetime
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


def calendar(case):
    """Turns since the beginning of the period; frames lie an hour apart and the newest is of index 600."""
    newest = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(hours=600)
    local = newest + datetime.timedelta(minutes=case["params"].get("offsetMinutes", 0))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - datetime.timedelta(days=local.weekday())
    since = local - (midnight if case["params"]["hours"] == 24 else monday)
    return 2 * np.pi * since / datetime.timedelta(hours=case["params"]["hours"])


def regimes(case):
    """Every value against mean and deviation of the regime whose centre is nearest."""
    params = case["params"]
    columns = np.array([{"speed": case["speeds"], "inlet": case["others"]}[name] for name in params["by"]])
    centres = np.reshape(params["centres"], (-1, len(columns)))
    scales = np.array(params["scales"])
    far = np.linalg.norm((columns.T[:, None] - centres[None]) / scales, axis=2)
    nearest = far.argmin(axis=1)
    return (np.array(case["values"]) - np.take(params["means"], nearest)) / np.take(params["stds"], nearest)


def since(events, ages):
    """Age of the newest event, or of the oldest value."""
    return ages[1:][events][-1] if events.any() else ages[0]


def inside(f, params, speed):
    unit = speed / 60 if "speed" in params else 1
    return (f >= params["low"] * unit) & (f < params["high"] * unit) & (f > 0)


def band(samples, rate, params, speed, divisor=lambda f: 1):
    # scipy's one-sided spectrum under a window, scaled to squares: over all bins it adds up to the variance.
    f, power = signal.periodogram(samples, rate, "hann", scaling="spectrum")
    within = inside(f, params, speed)
    noise_bandwidth = 1.5
    return np.sqrt((power / noise_bandwidth / np.where(f > 0, divisor(f), 1) ** 2)[within].sum())


def compute(case):
    """One feature of one scalar series (`ages` counts back from the newest) or one waveform; `others` is a second one."""
    v, params = np.asarray(case["values"], dtype=np.float64), case["params"]
    other, speeds = np.asarray(case["others"]), np.asarray(case["speeds"], dtype=np.float64)
    ages = np.asarray(case["ages"], dtype=np.float64)
    speed = speeds[0]
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
        case "decayed-std":
            weights = params["decay"] ** ages
            return np.sqrt(np.average((v - np.average(v, weights=weights)) ** 2, weights=weights))
        case "quantile":
            return np.quantile(v, params["q"])
        case "range":
            return np.ptp(v)
        case "lag":
            return v[ages == params["frames"]][0]
        case "difference":
            return v[-1] - v[ages == params["frames"]][0]
        case "crossings":
            return np.count_nonzero(np.diff(v >= params["level"]))
        case "since-change":
            return since(np.diff(v) != 0, ages)
        case "since-crossing":
            return since(np.diff((v >= params["level"]).astype(int)) == 1, ages)
        case "counter-increase":
            steps = np.diff(v)
            return np.where(steps >= 0, steps, steps + params["wrap"] if "wrap" in params else v[1:]).sum()
        case "baseline-deviation":
            before, recent = v[ages >= params["recent"]], v[ages < params["recent"]]
            return (recent.mean() - before.mean()) / before.std()
        case "good-share":
            return len(v) / case["window"]
        case "pearson":
            return stats.pearsonr(v, speeds).statistic
        case "residual":
            line = stats.linregress(speeds[:-1], v[:-1])
            return v[-1] - (line.intercept + line.slope * speeds[-1])
        case "ratio":
            return v.sum() / speeds.sum()
        case "delta":
            return (v - other / 100).mean()  # kPa to bar
        case "regime-deviation":
            return regimes(case).mean()
        case "calendar-cosine":
            return np.cos(calendar(case))
        case "calendar-sine":
            return np.sin(calendar(case))
        case "rms":
            return np.sqrt(np.mean(v**2))
        case "kurtosis":
            return stats.kurtosis(v, fisher=False)
        case "crest-factor":
            return np.abs(v).max() / np.sqrt(np.mean(v**2))
        case "waveform-mean":
            return np.mean(v)
        case "waveform-std":
            return np.std(v)
        case "waveform-quantile":
            return np.quantile(v, params["q"])
        case "peak":
            return np.abs(v).max()
        case "peak-to-peak":
            return np.ptp(v)
        case "skewness":
            return stats.skew(v)
        case "zero-crossing-rate":
            return np.count_nonzero(np.diff((v >= v.mean()).astype(int)) == 1) * case["rate"] / len(v)
        case "band-rms":
            return band(v, case["rate"], params, speed)
        case "envelope-band-rms":
            return band(np.abs(signal.hilbert(v - v.mean())), case["rate"], params, speed)
        case "velocity-rms":
            return band(v, case["rate"], params, speed, lambda f: 2 * np.pi * f)
        case "coherence":
            segment = params.get("segment", 256)
            f, c = signal.coherence(v, other, case["rate"], nperseg=segment)
            return c[inside(f, params, speed)].mean()
        case "waveform-pearson":
            return stats.pearsonr(v, other).statistic
        case "order-band":
            return amplitude(v, case["rate"], params["order"] * speed / 60)
        case "envelope-order":
            return amplitude(np.abs(signal.hilbert(v - v.mean())), case["rate"], params["order"] * speed / 60)
        case other:
            raise SystemExit(f"no reference for feature {other}: write one here")


for line in sys.stdin:
    print(repr(float(compute(json.loads(line)))))
