"""Point-in-time correct features for notebooks: labels joined with what was known at their time.

    from millwright_training.store import FeatureStore

    store = FeatureStore("s3://mw-prod-lake-222222222222-eu-central-1", site="plant-a")
    frame = store.frame("sha256:3f…", labels, known_at="2026-03-01T00:00:00.000Z")

Reads the offline store that the platform writes, with the semantics of core/point-in-time: the same rows as
`millwright training-set` gives.
"""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from .container import Refused
from .instants import milliseconds
from .point_in_time import NEVER, newest_rows, superseded_at

STORE = "features/store"
KEY = re.compile(
    r"feature_set=(?P<feature_set>[0-9a-f]{64})/site=(?P<site>[a-z0-9-]+)/date=(?P<date>\d{4}-\d\d-\d\d)/"
    r"(?P<asset>[a-z0-9-]+)\.(?P<run>[a-z0-9-]+)\.\d+-\d+\.[0-9a-f]+\.parquet$"
)
DAY = 86_400_000
#: Days around what is asked for in which a correction may lie that moved a row.
MOVED_DAYS = 1
ROW = ["run", "index", "valid_time", "known_time", "source"]


def _instant(value: str | datetime.datetime, what: str) -> int:
    return int(milliseconds(pa.chunked_array([pa.array([value])]), what)[0])


def _day(milliseconds: int) -> str:
    return str(np.datetime64(milliseconds, "ms").astype("datetime64[D]"))


def _text(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.to_pylist(), dtype=object)


def _places_of(texts: np.ndarray) -> dict[Any, np.ndarray]:
    """Where each text stands, ascending: in one pass, however many different ones there are."""
    places: dict[Any, list[int]] = {}
    for i, text in enumerate(texts.tolist()):
        places.setdefault(text, []).append(i)
    return {text: np.asarray(some, dtype=np.int64) for text, some in places.items()}


def read_feature_set(file: str | Path) -> dict:
    """A feature set from a file: what `millwright feature-set ID --json` prints, or the manifest of a training set."""
    document = json.loads(Path(file).read_text())
    names = document.get("features")
    digest = document.get("featureSetDigest") or document.get("digest")
    if not names or not digest:
        raise Refused(f"{file}: expected the JSON of a feature set with its digest, or the manifest of a training set")
    return {"digest": digest, "features": [n if isinstance(n, str) else n["name"] for n in names]}


class FeatureStore:
    """The offline store of one site: a bucket, or a folder with a copy of it.

    root: `s3://bucket`, or a folder; below it are the keys of the lake.
    site: the only one to read; None: every site of the lake, whose assets then need distinct ids.
    endpoint: URL of an S3 that is not AWS, for example the local plant's; more settings with `filesystem`.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        site: str | None = None,
        endpoint: str | None = None,
        region: str | None = None,
        filesystem: pafs.FileSystem | None = None,
    ) -> None:
        root = str(root).rstrip("/")
        if root.startswith("s3://"):
            options = {"region": region} if region else {}
            if endpoint is not None:
                scheme, _, host = endpoint.partition("://")
                options |= {"endpoint_override": host.rstrip("/"), "scheme": scheme}
            self._fs, self._root = filesystem or pafs.S3FileSystem(**options), root[len("s3://") :]
        else:
            self._fs, self._root = filesystem or pafs.LocalFileSystem(), root
        self._site = site

    def _objects(self, feature_set: str | None = None) -> list[dict[str, Any]]:
        base = f"{self._root}/{STORE}" + ("" if feature_set is None else f"/feature_set={feature_set}")
        found = self._fs.get_file_info(pafs.FileSelector(base, recursive=True, allow_not_found=True))
        objects = []
        for info in found:
            match = KEY.search(info.path)
            if match and (self._site is None or match["site"] == self._site):
                objects.append({**match.groupdict(), "path": info.path, "bytes": info.size})
        return sorted(objects, key=lambda o: o["path"])

    def catalogue(self) -> pa.Table:
        """What is there: a row a feature set and site, with days of valid time, assets, runs, objects and bytes."""
        groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for o in self._objects():
            groups.setdefault((o["feature_set"], o["site"]), []).append(o)
        return pa.Table.from_pylist(
            [
                {
                    "feature_set": f"sha256:{feature_set}",
                    "site": site,
                    "first_day": min(o["date"] for o in some),
                    "last_day": max(o["date"] for o in some),
                    "assets": len({o["asset"] for o in some}),
                    "runs": len({(o["asset"], o["run"]) for o in some}),
                    "objects": len(some),
                    "bytes": sum(o["bytes"] for o in some),
                }
                for (feature_set, site), some in sorted(groups.items())
            ],
            schema=pa.schema(
                [(n, pa.string()) for n in ("feature_set", "site", "first_day", "last_day")]
                + [(n, pa.int64()) for n in ("assets", "runs", "objects", "bytes")]
            ),
        )

    def frame(
        self,
        feature_set: str | Mapping[str, Any],
        labels: Any,
        known_at: str | datetime.datetime | None = None,
        max_age: datetime.timedelta | None = None,
        keep_missing: bool = False,
    ) -> pa.Table:
        """Labels with the features that were known at their time.

        feature_set: digest, or `read_feature_set`, which also gives the features their names (else x0, x1, …).
        labels: a pyarrow Table, a pandas DataFrame, or columns by name: `asset`, `time`, and if wanted `run` (all rows or
            none), `as_of` (by when features had to be known; else by `time`), `known_time` (when the label was known;
            else at `time`); any other column is kept. Of one machine, run and time the label that was known last counts.
        known_at: nothing known later enters, no row, no correction, no label; None: everything that is there.
        max_age: a row may be so old at the time of its label.
        keep_missing: keep labels without a row, with nulls.

        Returns the columns of the labels, then `run`, `index`, `valid_time`, `source` and
        `features_known_time` of the row, then
        one float64 column a feature. In the order of the labels. Raises Refused naming what is wrong with the labels.
        """
        digest = feature_set if isinstance(feature_set, str) else feature_set["digest"]
        names = None if isinstance(feature_set, str) else list(feature_set["features"])
        hexadecimal = digest.removeprefix("sha256:")
        if not re.fullmatch(r"[0-9a-f]{64}", hexadecimal):
            raise Refused(f"feature set {digest!r}: expected a digest, sha256: and 64 hex digits")
        until = NEVER if known_at is None else _instant(known_at, "known_at")
        oldest = None if max_age is None else int(max_age.total_seconds() * 1000)
        labels, time, as_of = _labels_known_at(labels, until)
        asset = _text(labels["asset"])
        run = _text(labels["run"]) if "run" in labels.column_names else None

        days = ("", "")
        if len(time) > 0:
            first = "" if oldest is None else _day(int(time.min()) - oldest - MOVED_DAYS * DAY)
            days = (first, _day(int(time.max()) + MOVED_DAYS * DAY))
        by_asset: dict[str, list[dict[str, Any]]] = {}
        of_asset = _places_of(asset)
        for o in self._objects(hexadecimal):
            if o["asset"] in of_asset and days[0] <= o["date"] <= days[1]:
                by_asset.setdefault(o["asset"], []).append(o)

        found: list[pa.Table] = []
        of_label: list[np.ndarray] = []
        for name, objects in by_asset.items():
            rows, columns = self._rows(objects, until)
            own = of_asset[name]
            groups = [(own, np.arange(len(columns["valid"])))]
            if run is not None:
                of_run = _places_of(columns["run"])
                groups = [(own[some], of_run[r]) for r, some in _places_of(run[own]).items() if r in of_run]
            for places, some in groups:
                at = newest_rows({k: v[some] for k, v in columns.items()}, time[places], as_of[places], oldest)
                found.append(rows.take(pa.array(some[at[at >= 0]])))
                of_label.append(places[at >= 0])
        return _joined(labels, found, of_label, names, keep_missing)

    def _rows(self, objects: Sequence[Mapping[str, Any]], until: int) -> tuple[pa.Table, dict[str, np.ndarray]]:
        """Rows of one asset that were known by then and not none, and the columns that the join works on."""
        tables = []
        for o in objects:
            table = pq.read_table(o["path"], filesystem=self._fs, partitioning=None, columns=[*ROW, "x"])
            tables.append(table.cast(_SCHEMA))
        table = pa.concat_tables(tables).combine_chunks()
        known = milliseconds(table["known_time"], "known_time of the store")
        there = known <= until
        table, known = table.filter(pa.array(there)), known[there]
        columns = {
            "known": known,
            "valid": milliseconds(table["valid_time"], "valid_time of the store"),
            "index": table["index"].to_numpy(),
            "source": _text(table["source"]).astype(str),
            "run": _text(table["run"]),
        }
        until_of = np.full(len(known), NEVER, dtype=np.int64)
        for own in _places_of(columns["run"]).values():
            until_of[own] = superseded_at(columns["index"][own], known[own], columns["source"][own])
        columns["until"] = until_of
        full = pc.list_value_length(table["x"]).to_numpy(zero_copy_only=False) > 0
        return table.filter(pa.array(full)), {k: v[full] for k, v in columns.items()}


_SCHEMA = pa.schema(
    [(n, pa.int64() if n == "index" else pa.string()) for n in ROW] + [("x", pa.list_(pa.float64()))],
)


def _labels_known_at(labels: Any, until: int) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Labels as known at an instant, each the newest of its machine, run and time, with time and as-of time."""
    if isinstance(labels, Mapping):
        labels = pa.table(dict(labels))
    elif not isinstance(labels, pa.Table):
        labels = pa.Table.from_pandas(labels, preserve_index=False)
    missing = [n for n in ("asset", "time") if n not in labels.column_names]
    if missing:
        raise Refused(f"labels have no column {', '.join(missing)}; they have: {', '.join(labels.column_names)}")
    if "run" in labels.column_names:
        without = labels["run"].null_count
        if without == labels.num_rows:
            labels = labels.drop_columns(["run"])
        elif without > 0:
            raise Refused(f"{labels.num_rows - without} of {labels.num_rows} labels name a run; expected all or none")
    time = milliseconds(labels["time"], "column time of the labels")

    def or_time(name: str) -> np.ndarray:
        if name not in labels.column_names:
            return time
        column = labels[name]
        there = column.is_valid().to_numpy()
        values = time.copy()
        if there.any():
            values[there] = milliseconds(column.filter(pa.array(there)), f"column {name} of the labels")
        return values

    known, as_of = or_time("known_time"), np.minimum(or_time("as_of"), until)
    keys = [labels["asset"].to_pylist(), time.tolist()]
    if "run" in labels.column_names:
        keys.append(labels["run"].to_pylist())
    newest: dict[tuple, int] = {}
    for i, key in enumerate(zip(*keys)):
        if known[i] <= until and (key not in newest or known[i] >= known[newest[key]]):
            newest[key] = i
    kept = np.asarray(sorted(newest.values()), dtype=np.int64)
    return labels.take(pa.array(kept)), time[kept], as_of[kept]


def _joined(
    labels: pa.Table,
    found: list[pa.Table],
    of_label: list[np.ndarray],
    names: list[str] | None,
    keep_missing: bool,
) -> pa.Table:
    rows = pa.concat_tables(found).combine_chunks() if found else _SCHEMA.empty_table()
    place = np.concatenate(of_label) if of_label else np.empty(0, dtype=np.int64)
    at = np.full(labels.num_rows, -1, dtype=np.int64)
    at[place] = np.arange(len(place))
    if not keep_missing:
        labels, at = labels.filter(pa.array(at >= 0)), at[at >= 0]
    lengths = set(pc.list_value_length(rows["x"]).unique().to_pylist())
    if names is not None and lengths - {len(names)}:
        raise Refused(f"rows have {sorted(lengths)} features, the feature set {len(names)}: they do not belong together")
    if len(lengths) > 1:
        raise Refused(f"rows have {sorted(lengths)} features; the store was written by something else")
    width = len(names) if names is not None else next(iter(lengths), 0)
    x = rows["x"].combine_chunks()
    x = np.asarray(x.flatten() if len(rows) else [], dtype=np.float64).reshape(len(rows), width)
    take = pa.array(at, mask=at < 0)
    columns = {n: labels[n] for n in labels.column_names}
    for name in ("run", "index", "valid_time", "source"):
        columns[name] = rows[name].take(take)
    columns["features_known_time"] = rows["known_time"].take(take)
    taken = [n for n in names or [] if n in columns]
    if taken:
        raise Refused(f"labels have columns that are features too: {', '.join(taken)}; rename them")
    for i, name in enumerate(names or [f"x{n}" for n in range(width)]):
        columns[name] = pa.array(np.ascontiguousarray(x[:, i])).take(take)
    return pa.table(columns)
