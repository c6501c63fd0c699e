"""The faults that are in force: which message is lost, late or doubled, which request is refused.

They stand in `faults.json` of the state folder (core/contracts/local-plant.ts, LocalFaults), which `millwright chaos`
writes and which is read again whenever it changes.
"""

import datetime
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

log = logging.getLogger("launcher")


class Fate(NamedTuple):
    """What becomes of one message: how often it arrives, and how many seconds late."""

    copies: int
    delay_s: float


UNHARMED = Fate(1, 0.0)


def chance(seed: int, kind: str, number: int) -> float:
    """A number in [0, 1) that is the same for the same seed, kind and number, whatever happens beside it."""
    digest = hashlib.sha256(f"{seed}:{kind}:{number}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


class Faults:
    """Answers for each message and request; safe to ask from any thread."""

    def __init__(self, path: str, now: Callable[[], float] = time.time):
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._changed: tuple | None = None
        self._told: dict | None = None
        self._numbers: dict[str, int] = {}

    def fate(self, carrier: str, stream: str) -> Fate:
        """Of the next message of a stream (`<carrier>:<where it goes>`)."""
        faults = self._current()
        fault = faults and faults.get("messages")
        if not fault or carrier not in fault["carriers"] or not self._holds(fault):
            return UNHARMED
        number = self._next(stream)
        seed = faults["seed"]
        if chance(seed, f"drop:{stream}", number) < fault["drop"]:
            return Fate(0, 0.0)
        copies = 2 if chance(seed, f"repeat:{stream}", number) < fault["repeat"] else 1
        return Fate(copies, float(fault["delaySeconds"]))

    def throttles(self, service: str) -> bool:
        """Whether the next request of a service is refused."""
        faults = self._current()
        for fault in faults["throttles"] if faults else ():
            if fault["service"] == service and self._holds(fault):
                return chance(faults["seed"], f"throttle:{service}", self._next(f"throttle:{service}")) < fault["share"]
        return False

    def _holds(self, fault: dict) -> bool:
        until = fault.get("until")
        return until is None or self._now() < datetime.datetime.fromisoformat(until.replace("Z", "+00:00")).timestamp()

    def _next(self, stream: str) -> int:
        with self._lock:
            number = self._numbers.get(stream, 0)
            self._numbers[stream] = number + 1
            return number

    def _current(self) -> dict | None:
        try:
            stat = os.stat(self._path)
        except OSError:
            return None
        changed = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if changed != self._changed:
            with self._lock:
                self._read(changed)
        return self._told

    def _read(self, changed: tuple) -> None:
        if changed == self._changed:
            return
        try:
            with open(self._path, encoding="utf-8") as handle:
                told = json.load(handle)
            if told["schema"] != "local-faults/1":
                raise ValueError(f"schema is {told['schema']}, expected local-faults/1")
            self._told = told
            log.info("Faults in force: %s", json.dumps({k: told[k] for k in ("seed", "messages", "throttles")}))
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("%s cannot be read and is ignored: %s", self._path, error)
            self._told = None
        # Fates are counted from where the faults changed, so that the same order gives the same fates.
        self._numbers = {}
        self._changed = changed
