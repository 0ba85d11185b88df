"""The sender brings a partner to what stands, whatever the partner and the connection do meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from threading import Event

import pytest
from support.ehr import Ehr, as_it_stands
from support.mllp import LOOPBACK, NOW, listening
from support.service import SECRET
from support.stored import StoredWeek

from api.background.retry import RetryPolicy
from api.context import AppContext, create_context
from api.hl7.acks import AckVerdict
from api.hl7.channels import MllpChannel
from api.hl7.client import Unanswered
from api.hl7.frames import FrameReader, frame
from api.hl7.partners import Partner, Send
from api.hl7.sender import UNREACHABLE, PartnerSender
from api.runtime.settings import read_settings
from api.store.queries import hl7, tasks

AT_ONCE = RetryPolicy(poll_interval=0.01, initial_backoff=0.01, max_backoff=0.01)


@pytest.fixture
def context(week: StoredWeek) -> AppContext:
    """Return what the processes of a service share, on the week's store."""
    return create_context(read_settings(secret=SECRET, database_url="sqlite://"), week.store, lambda: NOW)


def sender_to(context: AppContext, partner: Partner, port: int, answer_seconds: float = 5.0) -> PartnerSender:
    send = Send(host=LOOPBACK, port=port, answer_seconds=answer_seconds)
    return PartnerSender(context, "hospital", partner, MllpChannel(send), AT_ONCE)


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():
            await asyncio.sleep(0.005)


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await work()

    asyncio.run(main())


def test_a_partner_is_sent_what_stands_over_one_connection(week: StoredWeek, ehr: Ehr, context: AppContext) -> None:
    async def work() -> None:
        async with listening(ehr) as port:
            sender = sender_to(context, ehr.partner, port)
            assert await sender.send_due() == 6
            assert await sender.send_due() == 0
            await sender.close()

    run(work)
    assert ehr.standing() == as_it_stands(week.store)


def test_a_partner_that_comes_back_gets_the_same_message_again(week: StoredWeek, ehr: Ehr, context: AppContext) -> None:
    async def work() -> None:
        async with listening(ehr) as port:
            pass
        sender = sender_to(context, ehr.partner, port)
        with pytest.raises(Unanswered):
            await sender.send_due()
        with week.store.reading() as session:
            kept = hl7.being_sent(session, "hospital")
            assert kept is not None and kept.attempts == 1
        async with listening(ehr, port=port):
            assert await sender.send_due() == 6
            await sender.close()
        assert kept.id in ehr.taken

    run(work)


def test_a_partner_that_answers_too_late_has_it_once(week: StoredWeek, ehr: Ehr, context: AppContext) -> None:
    """The answer is lost after the message was taken; the same message comes again on a new connection."""
    is_slow = Event()

    class Late(Ehr):
        def receive(self, content: bytes, address: str = "") -> bytes:
            answer = super().receive(content, address)
            if not is_slow.is_set():
                is_slow.set()
                may_answer.wait(10)
            return answer

    may_answer, slow = Event(), Late(ehr.partner)

    async def work() -> None:
        async with listening(slow) as port:
            sender = sender_to(context, ehr.partner, port, answer_seconds=0.2)
            with pytest.raises(Unanswered):
                await sender.send_due()
            may_answer.set()
            await sender.send_due()
            await sender.close()

    run(work)
    assert slow.standing() == as_it_stands(week.store)


def test_errors_and_refusals_end_in_what_stands_or_in_a_task(week: StoredWeek, ehr: Ehr, context: AppContext) -> None:
    ehr.answers = [AckVerdict.ERROR, AckVerdict.REJECTED]

    async def work() -> None:
        async with listening(ehr) as port:
            sender = sender_to(context, ehr.partner, port)
            running = asyncio.create_task(sender.run())
            await until(lambda: len(ehr.said) >= 4)
            sender.stopping.set()
            await running

    run(work)
    with week.store.reading() as session:
        assert len(hl7.out_messages(session, "hospital", "parked", 10)) == 1


def test_a_partner_that_is_silent_for_long_is_a_task(week: StoredWeek, ehr: Ehr, context: AppContext) -> None:
    async def work() -> None:
        async with listening(ehr) as port:
            pass
        sender = sender_to(context, ehr.partner, port)
        running = asyncio.create_task(sender.run())
        await until(lambda: bool(open_tasks(week)))
        sender.stopping.set()
        await running

    run(work)
    assert open_tasks(week) == [(UNREACHABLE, "hospital")]


def open_tasks(week: StoredWeek) -> list[tuple[str, str]]:
    with week.store.reading() as session:
        return [(row.kind, row.subject_id) for row in tasks.list_tasks(session, None, 10, False)]


def test_a_server_that_takes_all_of_a_connection_again_gets_each_message_twice_at_most(
    week: StoredWeek, ehr: Ehr, context: AppContext
) -> None:
    taken: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        messages: list[bytes] = []
        frames = FrameReader()
        while content := await reader.read(65536):
            messages += frames.feed(content)
            taken.extend(messages)
            writer.writelines(frame(ehr.receive(message)) for message in messages)
        writer.close()

    async def work() -> None:
        server = await asyncio.start_server(serve, LOOPBACK, 0)
        sender = sender_to(context, ehr.partner, server.sockets[0].getsockname()[1])
        assert await sender.send_due() == 6
        await sender.close()
        server.close()

    run(work)
    assert ehr.standing() == as_it_stands(week.store)
    assert max(Counter(taken).values()) == 2
