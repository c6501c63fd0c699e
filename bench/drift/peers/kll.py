"""KLL sketches of rows (Apache DataSketches), with the k of its default and of whylogs: time, size, and what merging gives.

Arguments: file of float64 rows, columns, rows of a window. Requests: {"k": k, "orders": how many orders to merge windows in,
"long": rows of a long window}. Answers: nanoseconds a value by columns, bytes a feature of a window and of a long one, and
how many different results the orders gave.
"""

import random
import sys
import time

import numpy as np
from answers import answer
from datasketches import kll_doubles_sketch

rows = np.fromfile(sys.argv[1]).reshape(-1, int(sys.argv[2]))
width = int(sys.argv[3])


def sketch(k, values):
    s = kll_doubles_sketch(k)
    s.update(values)
    return s


def nanoseconds(work, values):
    start = time.process_time()
    work()
    return (time.process_time() - start) / values * 1e9


def kll(request):
    k = request["k"]
    windows = [rows[i : i + width, 0].copy() for i in range(0, len(rows) - width + 1, width)]
    whole = nanoseconds(lambda: [sketch(k, rows[:, c].copy()) for c in range(rows.shape[1])], rows.size)
    sketches = [sketch(k, w) for w in windows]
    results = set()
    for seed in range(request["orders"]):
        order = list(range(len(sketches)))
        random.Random(seed).shuffle(order)
        merged = kll_doubles_sketch(k)
        for i in order:
            merged.merge(sketches[i])
        results.add(merged.serialize())
    long = sketch(k, rows[: request["long"], 0].copy())
    size = [len(s.serialize()) for s in (sketches[0], long)]
    return {"nanoseconds": whole, "bytes": size, "results": len(results)}


answer({"k": kll})
