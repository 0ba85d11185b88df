"""Sends clinicians the mail about changes of their day."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from api.background.mail.smtp import DeliveryOutcome, Unreachable, connect
from api.context import AppContext
from api.services.messages.day_mails import DayNews, claim_news, note_refused, note_told
from api.store.queries import day_mails

log = logging.getLogger(__name__)


def send_day_news(context: AppContext) -> int:
    """Send what is due now, and return how many mails a server has taken; the others are due again after their lease."""
    now = context.clock()
    with context.database.reading() as session:
        if not day_mails.list_free(session, now):
            return 0
    with context.database.writing() as session:
        news = claim_news(session, context.settings, now)
    return asyncio.run(_send(context, news)) if news else 0


async def _send(context: AppContext, news: Sequence[DayNews]) -> int:
    sent = 0
    try:
        async with connect(context.settings) as connection:
            for each in news:
                outcome, words = await connection.hand_over(context.settings.mail_from, each.recipient, each.content)
                sent += outcome is DeliveryOutcome.TAKEN
                _record(context, each, outcome, words)
    except Unreachable as error:
        log.warning("clinicians are not told of their day now: the mail server does not answer (%s)", error)
    return sent


def _record(context: AppContext, news: DayNews, outcome: DeliveryOutcome, words: str) -> None:
    with context.database.writing() as session:
        if outcome is DeliveryOutcome.TAKEN:
            note_told(session, news)
        elif outcome is DeliveryOutcome.NEVER:
            note_refused(session, news, words, context.clock())
