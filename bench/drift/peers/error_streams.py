"""Errors of a model that learnt one concept of SEA or Agrawal and meets another, as float64 in a file.

Request: {"concepts": [kind, before, after], "seed": n, "train": n, "labels": [n, …], "stable": n, "changed": n, "file": path}.
Answer: {"errors": among the first so many labels of the validation, for each number}; the file has the errors of the stable records, then of the changed.
"""

import itertools
import warnings

import numpy as np
from answers import answer
from river.datasets import synth
from sklearn.ensemble import HistGradientBoostingClassifier

warnings.filterwarnings("ignore")


def sea(threshold, seed, count):
    """Street & Kim 2001: the third feature says nothing; a tenth of the labels is wrong."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 10, (count, 3))
    y = x[:, 0] + x[:, 1] > threshold
    return x, y ^ (rng.random(count) < 0.1)


def agrawal(function, seed, count):
    """Agrawal, Imielinski & Swami 1993, by river; values perturbed by 5 %."""
    rows = itertools.islice(synth.Agrawal(classification_function=int(function), seed=seed, perturbation=0.05), count)
    pairs = [(list(x.values()), y) for x, y in rows]
    return np.array([x for x, _ in pairs], float), np.array([y for _, y in pairs], bool)


KINDS = {"sea": sea, "agrawal": agrawal}


def make(request):
    kind, before, after = request["concepts"]
    of, seed = KINDS[kind], request["seed"]
    train, labels = request["train"], max(request["labels"])
    x, y = of(before, seed, train + labels + request["stable"])
    model = HistGradientBoostingClassifier(random_state=0).fit(x[:train], y[:train])
    errors = (model.predict(x[train:]) != y[train:]).astype(float)
    changed_x, changed_y = of(after, seed + 1_000_000, request["changed"])
    changed = (model.predict(changed_x) != changed_y).astype(float)
    np.concatenate([errors[labels:], changed]).tofile(request["file"])
    return {"errors": [float(errors[:n].sum()) for n in request["labels"]]}


answer({"concepts": make})
