"""Runs the local AWS (MiniStack) inside this process, with the patches of `patches.py`.

Started by start-aws.ts, which hands over everything by environment. Ends, with all it started, when it gets SIGTERM,
SIGINT, or when its standard input ends, which happens when whoever started it dies in whatever way.
"""

import asyncio
import fcntl
import logging
import os
import shutil
import signal
import sys
import threading
import time

SAVE_EVERY_S = 5.0
# A save may take this share of the time at most, so that a large state does not starve the requests.
SAVE_SHARE = 0.1
SHUTDOWN_S = 12.0

log = logging.getLogger("launcher")


def lock_state(state_dir: str):
    """Two emulators over one state would overwrite each other's files: the second one is refused."""
    os.makedirs(state_dir, exist_ok=True)
    handle = open(os.path.join(state_dir, "lock"), "a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"Another local AWS already runs on the state in {state_dir}. Stop it, or choose another state folder.")
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


def end_with_parent(stop) -> None:
    """Waits in a thread until the inherited pipe ends, then stops; the parent holds the only other end."""

    def watch() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        log.info("The process that started the local AWS is gone: stopping.")
        stop()

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def kill_own_group() -> None:
    """Ends what is left of the process group (Lambda workers), this process included."""
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


async def serve(port: int, state_dir: str) -> None:
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    import hooks
    import patches
    from counters import CounterFile, Counters
    from faults import Faults
    from ministack.app import app
    from saver import Saver

    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def stop() -> None:
        loop.call_soon_threadsafe(stopping.set)
        # A request that never ends must not keep the emulator alive after its time.
        timer = threading.Timer(SHUTDOWN_S, kill_own_group)
        timer.daemon = True
        timer.start()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop())
    end_with_parent(stop)

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    saver = Saver(SAVE_EVERY_S, SAVE_SHARE)
    counters = Counters()
    counter_file = CounterFile(counters, os.path.join(state_dir, "counters.json"))
    hooks.apply(counters, Faults(os.path.join(os.path.dirname(os.path.abspath(state_dir)), "faults.json")))

    async def app_with_saver(scope, receive, send) -> None:
        async def started_first(message) -> None:
            # Not earlier: a service whose state is not loaded yet would be saved as empty.
            if message["type"] == "lifespan.startup.complete":
                saver.start()
                counter_file.start()
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                threading.Thread(target=patches.tell_interrupted_executions, daemon=True, name="interrupted").start()

        await app(scope, receive, started_first if scope["type"] == "lifespan" else send)

    await hypercorn_serve(app_with_saver, config, shutdown_trigger=stopping.wait)
    saver.stop()
    counter_file.stop()


def main() -> None:
    state_dir = os.environ["MILLWRIGHT_AWS_STATE"]
    lock = lock_state(state_dir)
    # Left over when the last run was killed: code folders of Lambda workers.
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.makedirs(os.environ["TMPDIR"], exist_ok=True)
    import patches

    patches.apply()
    started = time.monotonic()
    try:
        asyncio.run(serve(int(os.environ["GATEWAY_PORT"]), state_dir))
    finally:
        log.info("Stopped after %.0f s.", time.monotonic() - started)
        lock.close()
        logging.shutdown()
        kill_own_group()


if __name__ == "__main__":
    main()
