"""Anchors of SKAB's leaderboard, stated again from their descriptions: each file alone, fitted on its first rows.

Request: {"rows": [[...]], "fit": rows to fit on, "seed": n}. Answers, from row `fit` on unless said otherwise:
- t2, q: Hotelling's T2 and the squared residual of principal components that explain 85 %, of all rows;
- predictions of "t2-q" (limits at 99.9 %: F distribution; Jackson & Mudholkar 1979) and of "isolation-forest"
  (scikit-learn, contamination 0.005), each smoothed by a median of three as the leaderboard's notebooks do.
"""

import numpy as np
from answers import answer
from scipy import stats
from sklearn.ensemble import IsolationForest


def median_of_three(flags):
    padded = np.concatenate([[0, 0], flags.astype(int)])
    return np.stack([padded[:-2], padded[1:-1], padded[2:]]).sum(axis=0) >= 2


def principal(train):
    mean, scale = train.mean(axis=0), train.std(axis=0)
    scale[scale == 0] = 1
    values, vectors = np.linalg.eigh(np.cov(((train - mean) / scale).T))
    values, vectors = np.maximum(values[::-1], 1e-12), vectors[:, ::-1]
    k = int(np.searchsorted(np.cumsum(values) / values.sum(), 0.85)) + 1
    return mean, scale, values, vectors, k


def judge(request):
    x, n = np.array(request["rows"]), request["fit"]
    train = x[:n]
    mean, scale, values, vectors, k = principal(train)
    z = (x - mean) / scale
    scores = z @ vectors[:, :k]
    t2 = (scores**2 / values[:k]).sum(axis=1)
    q = ((z - scores @ vectors[:, :k].T) ** 2).sum(axis=1)
    t2_limit = k * (n - 1) * (n + 1) / (n * (n - k)) * stats.f.ppf(0.999, k, n - k)
    rest = values[k:]
    t = [float((rest**i).sum()) for i in (1, 2, 3)]
    h = 1 - 2 * t[0] * t[2] / (3 * t[1] ** 2)
    c = stats.norm.ppf(0.999)
    q_limit = t[0] * (1 + c * np.sqrt(2 * t[1] * h**2) / t[0] + t[1] * h * (h - 1) / t[0] ** 2) ** (1 / h)
    forest = IsolationForest(random_state=request["seed"], contamination=0.005).fit(train)
    predictions = {
        "t2-q": median_of_three((t2[n:] > t2_limit) | (q[n:] > q_limit)),
        "isolation-forest": median_of_three(forest.predict(x[n:]) < 0),
    }
    return {
        "t2": t2.tolist(),
        "q": q.tolist(),
        "predictions": {name: flags.tolist() for name, flags in predictions.items()},
    }


answer({"rows": judge})
