"""Counts what the local AWS is asked and does, for `counters.json` (core/contracts/local-plant.ts, LocalCounters)."""

import datetime
import json
import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable

log = logging.getLogger("launcher")
EVERY_S = 1.0


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _zeros(*names: str) -> Callable[[], dict]:
    return lambda: dict.fromkeys(names, 0)


class Counters:
    """Counts; safe to call from any thread, and cheap: a lock and some additions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since = _now()
        self._lambda = defaultdict(_zeros("count", "errors", "throttled", "ms", "memoryMb"))
        self._requests = defaultdict(_zeros("count", "errors", "throttled", "bytesIn", "bytesOut"))
        self._states = {"executions": 0, "transitions": 0}
        self._events = {"dispatched": 0, "bytes": 0}
        self._mqtt = {"published": 0, "bytes": 0}
        self._messages = defaultdict(_zeros("delivered", "dropped", "delayed", "repeated"))

    def request(self, root: bool, service: str, action: str, status: int, throttled: bool, sizes: tuple) -> None:
        with self._lock:
            counted = self._requests[(root, service, action)]
            counted["count"] += 1
            counted["errors"] += status >= 400 and not throttled
            counted["throttled"] += throttled
            counted["bytesIn"] += sizes[0]
            counted["bytesOut"] += sizes[1]

    def invocation(self, function: str, memory_mb: int, ms: float, failed: bool) -> None:
        with self._lock:
            counted = self._lambda[function]
            counted["count"] += 1
            counted["errors"] += failed
            counted["ms"] += round(ms)
            counted["memoryMb"] = memory_mb

    def throttled_invocation(self, function: str) -> None:
        with self._lock:
            self._lambda[function]["throttled"] += 1

    def execution(self) -> None:
        with self._lock:
            self._states["executions"] += 1

    def transition(self) -> None:
        with self._lock:
            self._states["transitions"] += 1

    def event(self, size: int) -> None:
        with self._lock:
            self._events["dispatched"] += 1
            self._events["bytes"] += size

    def published(self, size: int) -> None:
        with self._lock:
            self._mqtt["published"] += 1
            self._mqtt["bytes"] += size

    def message(self, stream: str, copies: int, late: bool) -> None:
        with self._lock:
            counted = self._messages[stream]
            counted["delivered"] += copies
            counted["dropped"] += copies == 0
            counted["repeated"] += max(0, copies - 1)
            counted["delayed"] += late

    def document(self, stores: dict) -> dict:
        with self._lock:
            requests: dict[bool, dict] = {False: {}, True: {}}
            for (root, service, action), counted in sorted(self._requests.items()):
                requests[root].setdefault(service, {})[action] = dict(counted)
            return {
                "schema": "local-counters/1",
                "pid": os.getpid(),
                "since": self._since,
                "at": _now(),
                "lambda": {name: dict(counted) for name, counted in sorted(self._lambda.items())},
                "requests": requests[False],
                "rootRequests": requests[True],
                "states": dict(self._states),
                "events": dict(self._events),
                "mqtt": dict(self._mqtt),
                "messages": {stream: dict(counted) for stream, counted in sorted(self._messages.items())},
                "stores": stores,
            }


def stores() -> dict:
    """How much every table and bucket holds."""
    from ministack.services import dynamodb, s3

    return {
        "tables": {
            scope[-1]: sum(len(of_key) for of_key in list(table["items"].values()))
            for scope, table in list(dynamodb._tables._data.items())
        },
        "buckets": {scope[-1]: len(bucket["objects"]) for scope, bucket in list(s3._buckets._data.items())},
    }


class CounterFile(threading.Thread):
    """Writes the counts each second, the file whole or not at all. Start it when all state is loaded."""

    def __init__(self, counters: Counters, path: str, every_s: float = EVERY_S):
        super().__init__(daemon=True, name="counters")
        self._counters = counters
        self._path = path
        self._every_s = every_s
        self._stop = threading.Event()

    def run(self) -> None:
        while True:
            self.write()
            if self._stop.wait(self._every_s):
                return

    def stop(self) -> None:
        self._stop.set()
        self.write()

    def write(self) -> None:
        try:
            part = f"{self._path}.{threading.get_ident()}.part"
            with open(part, "w", encoding="utf-8") as handle:
                json.dump(self._counters.document(stores()), handle)
            os.replace(part, self._path)
        except RuntimeError:
            # A request changed a table while it was counted: the next second counts again.
            pass
        except OSError as error:
            log.error("The counts could not be written: %s", error)
