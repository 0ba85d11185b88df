"""Stands for the solver's process: reports for as long as it may search, and gives the plan that it was to start from.

With the seed ``DEADLY`` it kills itself instead.
"""

import json
import os
import signal
import sys
from threading import Thread
from time import monotonic, sleep

DEADLY = 13


def say(**message: object) -> None:
    """Send a message."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def end_with_owner() -> None:
    """End when the input does."""
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    order = json.loads(sys.stdin.readline())
    Thread(target=end_with_owner, daemon=True).start()
    if order["seed"] == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    begin, cost = monotonic(), 1000
    while (seconds := monotonic() - begin) < order["seconds"]:
        say(progress={"seconds": seconds, "cost": cost, "bound": 100, "phase": "stub", "version": 1}, best=order["start"])
        cost -= 1
        sleep(0.05)
    say(plan=order["start"])
