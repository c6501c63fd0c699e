"""Joins labels with rows of a store by the Python reader: what `test/parity/point-in-time.test.ts` compares with.

Reads one JSON document a line on stdin: {"root", "featureSet", "labels", "knownAt", "maxAge"}; writes the rows as JSON.
"""

import datetime
import json
import sys

import pyarrow as pa

from millwright_training.store import FeatureStore

for line in sys.stdin:
    case = json.loads(line)
    labels = pa.Table.from_pylist(case["labels"])
    age = case["maxAge"]
    frame = FeatureStore(case["root"], site="plant-a").frame(
        case["featureSet"],
        labels,
        known_at=case["knownAt"],
        max_age=None if age is None else datetime.timedelta(milliseconds=age),
    )
    rows = frame.to_pylist()
    print(
        json.dumps(
            [[r["time"], r["label"], r["run"], r["index"], r["valid_time"], r["features_known_time"], r["x0"]] for r in rows]
        )
    )
