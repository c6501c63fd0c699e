"""What peers share: one line of JSON in, one line out."""

import json
import sys
import time


def rate(units, work, seconds):
    """Units of work a second of CPU time; work() does `units` and is repeated for at least `seconds`."""
    start, done = time.process_time(), 0
    while True:
        work()
        done += units
        elapsed = time.process_time() - start
        if elapsed >= seconds:
            return done / elapsed


def best_batch(work, windows, sizes=(1, 4, 8, 16, 32, 64, 128, 256, 1000)):
    """The batch size at which work(batch) is fastest."""
    def speed(size):
        return max(rate(size, lambda: work(windows[:size]), 0.05) for _ in range(3))

    return max(sizes, key=speed)


def in_batches(work, windows, size):
    return lambda: [work(windows[i : i + size]) for i in range(0, len(windows), size)]


def answer(handlers):
    """Answers every request by the handler of its first key; ends with its input."""
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(handlers[next(iter(request))](request)), flush=True)
