"""What is done again and again beside the requests: one thread for each chore, which no failure ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from api.context import AppContext

if TYPE_CHECKING:
    from api.background.mail.lmtp import LmtpListener

STOP_SECONDS = 30.0
"""Longest wait for a chore that is being done when it is told to stop."""

READ_SECONDS = 30.0
"""Between two looks for calendars elsewhere that are due."""

DAY_SECONDS = 20.0
"""Between two looks for clinicians whose day has changed."""

REMIND_SECONDS = 300.0
"""Between two looks for patients who are to be reminded."""

FORGET_SECONDS = 3600.0
"""Between two looks for plans whose making is told of no more, and for messages of visits long over."""

log = logging.getLogger(__name__)


class PeriodicTask:
    """Does something every so many seconds within its ``with`` block.

    Parameters
    ----------
    name
        What the log calls it.
    seconds
        Between two times.
    act
        What is done; whatever it raises is logged, and it is done again the next time.
    """

    def __init__(self, name: str, seconds: float, act: Callable[[], object]) -> None:
        self._name = name
        self._seconds = seconds
        self._act = act
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while True:
            try:
                self._act()
            except Exception:  # whatever it is, the next time may go well
                log.exception("%s went wrong", self._name)
            if self._stopping.wait(self._seconds):
                return


@contextmanager
def run_periodic_tasks(context: AppContext) -> Iterator[None]:
    """Do what the settings ask for beside the requests, within the ``with`` block.

    Mail is sent and taken in, patients are reminded, calendars elsewhere are read, and what was told of plans long made, and of
    visits long over, is forgotten.
    """
    from api.background.mail.day_sender import send_day_news
    from api.background.mail.lmtp import LmtpListener
    from api.background.mail.mailbox import fetch_replies
    from api.background.mail.sender_supervisor import SenderSupervisor
    from api.services.anchoring import note_end
    from api.services.bookings.replies import receive_mail
    from api.services.calendars.outside import refresh
    from api.services.messages.letters import delete_old_words
    from api.services.messages.notifications import delete_old_messages
    from api.services.messages.reminders import write_due_reminders

    settings = context.settings

    def answered(content: bytes) -> None:
        receive_mail(context, content)

    def forget() -> None:
        context.queue.forget(context.clock() - timedelta(days=settings.job_days))

    with ExitStack() as stack:
        if settings.smtp_host is not None:
            stack.enter_context(SenderSupervisor())
            stack.enter_context(PeriodicTask("telling clinicians of their day", DAY_SECONDS, lambda: send_day_news(context)))
            stack.enter_context(PeriodicTask("reminding patients", REMIND_SECONDS, lambda: write_due_reminders(context)))
        if settings.imap_host is not None:
            stack.enter_context(PeriodicTask("the mailbox", settings.imap_seconds, lambda: fetch_replies(settings, answered)))
        if settings.lmtp_port is not None:
            _listen(stack, LmtpListener(settings, answered))
        stack.enter_context(PeriodicTask("forgetting ended plans", FORGET_SECONDS, forget))
        stack.enter_context(PeriodicTask("forgetting old messages", FORGET_SECONDS, lambda: delete_old_messages(context)))
        anchoring = PeriodicTask("noting the audit's end", settings.audit_anchor_seconds, lambda: note_end(context))
        stack.enter_context(anchoring)
        stack.enter_context(PeriodicTask("forgetting words", FORGET_SECONDS, lambda: delete_old_words(context)))
        stack.enter_context(PeriodicTask("reading outside calendars", READ_SECONDS, lambda: refresh(context, context.fetcher)))
        yield


def _listen(stack: ExitStack, delivery: LmtpListener) -> None:
    """Take mail in until the stack is left, unless another process on this machine does already."""
    try:
        delivery.start()
    except OSError as error:
        log.warning("answers are not taken in here by LMTP: %s", error.strerror)
    else:
        stack.callback(delivery.stop)
