"""Point-in-time joins by DuckDB's ASOF join, and by the Python reader of the store; it also makes the data of both sides.

Arguments: folder for the data, rows of the columns, labels, assets, rows of the Parquet files.
"""

import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from answers import answer

sys.path.insert(0, str(Path(__file__).parents[3] / "training"))
from millwright_training.store import FeatureStore  # noqa: E402

folder = Path(sys.argv[1])
rows, labels, assets, in_files = map(int, sys.argv[2:6])
START, MINUTE = 1_700_000_000_000, 60_000
FEATURE_SET = "ab" * 32
WIDTH = 8
random = np.random.default_rng(1)
connection = duckdb.connect()
connection.execute("SET threads = 1")


def history(of):
    """A row a minute of every asset, known up to five seconds later."""
    entity = np.repeat(np.arange(assets, dtype=np.int32), of // assets)
    valid = np.tile(np.arange(of // assets, dtype=np.int64) * MINUTE, assets) + START
    return entity, valid, valid + random.integers(100, 5000, len(valid))


def wanted(of, count):
    last = START + (of // assets) * MINUTE
    return random.integers(0, assets, count).astype(np.int32), random.integers(START, last, count)


def text(milliseconds):
    return np.datetime_as_string(milliseconds.astype("datetime64[ms]"), timezone="UTC")


def write_store():
    entity, valid, known = history(in_files)
    days = valid // 86_400_000
    for asset in range(assets):
        for day in np.unique(days):
            some = np.flatnonzero((entity == asset) & (days == day))
            date = str(np.datetime64(int(day), "D"))
            place = folder / f"features/store/feature_set={FEATURE_SET}/site=plant-a/date={date}"
            place.mkdir(parents=True, exist_ok=True)
            table = pa.table(
                {
                    "asset": [f"asset-{asset}"] * len(some),
                    "run": ["run-1"] * len(some),
                    "index": (some - some[0] + 1 + int(day) * 10_000).astype(np.int64),
                    "valid_time": text(valid[some]),
                    "known_time": text(known[some]),
                    "x": pa.array(list(random.normal(size=(len(some), WIDTH)))),
                    "source": [f"raw/frames/site=plant-a/asset=asset-{asset}/run=run-1/{date}"] * len(some),
                }
            )
            pq.write_table(table, place / f"asset-{asset}.run-1.0000000001-0000001440.{int(day):016x}.parquet")


def prepare(_):
    entity, valid, known = history(rows)
    label_entity, label_time = wanted(rows, labels)
    for name, column in {"entity": entity, "label_entity": label_entity}.items():
        column.tofile(folder / f"{name}.i32")
    for name, column in {"valid": valid, "known": known, "label_time": label_time}.items():
        column.astype(np.float64).tofile(folder / f"{name}.f64")
    table = pa.table({"entity": entity, "known": known, "row": np.arange(len(entity))})
    asked = pa.table({"entity": label_entity, "time": label_time})
    connection.register("given_rows", table)
    connection.register("given_labels", asked)
    connection.execute("CREATE TABLE store AS SELECT * FROM given_rows")
    connection.execute("CREATE TABLE labels AS SELECT * FROM given_labels")
    write_store()
    label_entity, label_time = wanted(in_files, labels // 10)
    asked = pa.table({"asset": [f"asset-{e}" for e in label_entity], "time": text(label_time)})
    pq.write_table(asked, folder / "labels.parquet")
    connection.register("file_labels", asked)
    return {"width": WIDTH}


def columns():
    query = "SELECT count(*), sum(row) FROM labels l ASOF JOIN store s ON l.entity = s.entity AND l.time >= s.known"
    return [int(v) for v in connection.sql(query).fetchall()[0]]


def files():
    query = f"""
        SELECT l.asset, l.time, s.index, s.valid_time, s.known_time, s.x
        FROM file_labels l ASOF JOIN read_parquet('{folder}/features/store/*/*/*/*.parquet') s
        ON l.asset = s.asset AND l.time >= s.known_time"""
    return [connection.sql(query).to_arrow_table().num_rows]


def reader():
    asked = pq.read_table(folder / "labels.parquet")
    return [FeatureStore(folder, site="plant-a").frame(FEATURE_SET, asked).num_rows]


WORKS = {"columns": columns, "files": files, "reader": reader}


def measure(request):
    start = time.process_time()
    found = WORKS[request["measure"]]()
    return {"seconds": time.process_time() - start, "found": found}


answer({"prepare": prepare, "measure": measure})
