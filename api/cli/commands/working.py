"""Working off what the service is asked for."""

from __future__ import annotations

import signal
from threading import Event
from types import FrameType
from typing import Annotated

import typer

from api.cli.console import say
from api.runtime.settings import read_settings


def worker(
    at_once: Annotated[
        int | None, typer.Option("--at-once", min=1, max=64, help="Plans to solve at the same time.", show_default=False)
    ] = None,
) -> None:
    """Make the plans that the service is asked for, send and take in mail, and read calendars elsewhere, until stopped.

    The database is brought to the tables of this version first.

    Any number may run, on any machine that reaches the database (CLINICWEAVE_DATABASE_URL); when one dies, another takes over
    its plans. Ctrl-C or SIGTERM gives unfinished plans back to the queue. The service runs a worker of its own as well.
    """
    from api.background.jobs.worker import Worker
    from api.background.periodic_tasks import run_periodic_tasks
    from api.context import create_context
    from api.runtime.logs import write_logs
    from api.store.migrations import migrate
    from api.store.serving import occupied

    settings = read_settings(jobs_per_worker=at_once)
    write_logs(settings.log_level)
    context = create_context(settings)
    migrate(context.database)
    stopped = Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    working = Worker(context.database, context.queue, settings.jobs_per_worker)
    with occupied(context.database), working, run_periodic_tasks(context):
        say(f"Worker {working.id} takes jobs.")
        stopped.wait()
    context.close()
