"""The spectral set by scipy: batches of windows, window by window, and written by hand for speed.

Arguments: file of float64 windows, samples of a window, sample rate, number of bands.
"""

import sys

import numpy as np
import scipy.fft
from answers import answer, best_batch, in_batches, rate
from scipy import signal, stats

path, n, sample_rate, bands = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
windows = np.fromfile(path).reshape(-1, n)
hann = signal.windows.hann(n, sym=False)
# First bin of each band; the mean never counts, the last bin of an even length stands for one and not for two, and no
# band ends behind it.
firsts = np.maximum(1, np.ceil(np.arange(bands + 1) * (sample_rate / 2 / bands) * n / sample_rate)).astype(int)
scale = 2 / (0.375 * n * n)


def in_bands(power):
    sums = np.add.reduceat(power, firsts[:-1], axis=-1)
    sums[..., -1] -= power[..., n // 2]
    return np.sqrt(scale * sums)


def vectorised(x):
    centred = x - x.mean(axis=-1, keepdims=True)
    spectrum = in_bands(np.abs(scipy.fft.rfft(centred * hann, axis=-1)) ** 2)
    envelope = np.abs(signal.hilbert(centred, axis=-1))
    envelope -= envelope.mean(axis=-1, keepdims=True)
    of_envelope = in_bands(np.abs(scipy.fft.rfft(envelope * hann, axis=-1)) ** 2)
    rms = np.sqrt(np.mean(x**2, axis=-1))
    kurtosis = stats.kurtosis(x, axis=-1, fisher=False)
    crest = np.abs(x).max(axis=-1) / rms
    return np.concatenate([spectrum, of_envelope, np.stack([rms, kurtosis, crest], axis=-1)], axis=-1)


def by_window(x):
    return [vectorised(window) for window in x]


def power_of(transform):
    return transform.real * transform.real + transform.imag * transform.imag


def hann_power(transform):
    """Hann in the frequency domain, so that one transform serves the spectrum and the envelope."""
    y = 0.5 * transform
    y[:, 1:-1] -= 0.25 * (transform[:, :-2] + transform[:, 2:])
    y[:, -1] -= 0.5 * transform[:, -2].real
    return power_of(y)


def by_hand(x):
    centred = x - x.mean(axis=1, keepdims=True)
    transform = scipy.fft.rfft(centred, axis=1)
    spectrum = in_bands(hann_power(transform))
    transform *= -1j
    transform[:, 0] = 0
    transform[:, -1] = 0
    quadrature = scipy.fft.irfft(transform, n, axis=1, overwrite_x=True)
    squares = centred * centred
    envelope = np.sqrt(squares + quadrature * quadrature)
    envelope -= envelope.mean(axis=1, keepdims=True)
    of_envelope = in_bands(hann_power(scipy.fft.rfft(envelope, axis=1)))
    second = squares.mean(axis=1)
    kurtosis = np.einsum("ij,ij->i", squares, squares) / n / (second * second)
    rms = np.sqrt(np.einsum("ij,ij->i", x, x) / n)
    crest = np.maximum(x.max(axis=1), -x.min(axis=1)) / rms
    return np.concatenate([spectrum, of_envelope, np.stack([rms, kurtosis, crest], axis=1)], axis=1)


works = {"scipy, vectorised": vectorised, "scipy, window by window": by_window, "scipy, by hand": by_hand}
batch = {"scipy, window by window": len(windows)}


def prepare(_):
    for name in ("scipy, vectorised", "scipy, by hand"):
        batch[name] = best_batch(works[name], windows)
    return {"batch": batch}


def measure(request):
    name = request["measure"]
    return {"rate": rate(len(windows), in_batches(works[name], windows, batch[name]), request["seconds"])}


answer({"prepare": prepare, "features": lambda _: {"features": vectorised(windows).tolist()}, "measure": measure})
