"""Saves the emulator's state while it runs. Upstream saves only when it is stopped gracefully."""

import hashlib
import json
import logging
import os
import threading
import time

from ministack import app
from ministack.core import persistence

log = logging.getLogger("launcher")
TRIES = 5


class Saver(threading.Thread):
    """Writes every service's state whose content changed, each file whole or not at all."""

    def __init__(self, every_s: float, share: float):
        super().__init__(daemon=True, name="saver")
        self._every_s = every_s
        self._share = share
        self._written: dict[str, bytes] = {}
        self._stop = threading.Event()

    def run(self) -> None:
        took = 0.0
        while not self._stop.wait(max(self._every_s, took / self._share)):
            began = time.monotonic()
            try:
                self.save()
                # Says when the state on disk was last brought up to date.
                with open(os.path.join(os.path.dirname(persistence.STATE_DIR), "saved"), "w"):
                    pass
            except OSError as error:
                # A full disk may have room again at the next try.
                log.error("The state could not be saved: %s; next try in %.0f s.", error, self._every_s)
            took = time.monotonic() - began

    def stop(self) -> None:
        """Ends the thread; the shutdown of the app itself has saved already."""
        self._stop.set()

    def save(self) -> None:
        for name, get_state in app._build_persistence_save_dict().items():
            text = self._text(name, get_state)
            if text is None:
                continue
            digest = hashlib.sha256(text).digest()
            if self._written.get(name) == digest:
                continue
            path = os.path.join(persistence.STATE_DIR, f"{name}.json")
            os.makedirs(persistence.STATE_DIR, exist_ok=True)
            part = path + ".part"
            with open(part, "wb") as handle:
                handle.write(text)
            os.replace(part, path)
            self._written[name] = digest

    def _text(self, name: str, get_state) -> bytes | None:
        for attempt in range(TRIES):
            try:
                state = get_state()
                if state is None:
                    return None
                wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
                return json.dumps(wrapped, default=persistence._json_default).encode()
            except RuntimeError:
                # A request changed a dictionary while it was read.
                time.sleep(0.02 * (attempt + 1))
            except Exception as error:
                log.error("State of %s could not be saved: %s", name, error)
                return None
        log.warning("State of %s is too busy to be saved now; next try in %.0f s.", name, self._every_s)
        return None
