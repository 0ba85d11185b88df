"""A worker that tells the time fast and has the stub solve, for as long as it is let live: ``fast_worker.py URL``."""

import signal
import sys
from pathlib import Path
from threading import Event

sys.path.insert(0, str(Path.cwd()))

from api.background.jobs import solving
from api.background.jobs.worker import Worker, WorkerIntervals
from api.runtime.job_queue import JobQueue
from api.store.database import Database

FAST = WorkerIntervals(poll=0.1, hold=0.1, tell=0.1, beat=0.2, watch=0.2, lost=1.0)

if __name__ == "__main__":
    solving.SOLVER = (str(Path(__file__).with_name("stub_solver.py")),)
    stopped = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    database = Database(sys.argv[1])
    queue = JobQueue(database)
    with Worker(database, queue, intervals=FAST):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        stopped.wait()
    queue.close()
    database.close()
