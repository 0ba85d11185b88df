"""What arrives in the mailbox, or is delivered, is taken in once it is whole, and not lost when it cannot be."""

from __future__ import annotations

import imaplib
import smtplib
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from support.imapserver import PASSWORD, USER, Mailbox, mailbox
from support.mailserver import free_port
from support.service import SECRET

from api.background.mail import MAX_MAIL_BYTES
from api.background.mail.lmtp import MAX_CONNECTIONS, LmtpListener
from api.background.mail.mailbox import fetch_replies
from api.runtime.settings import Settings
from api.store.errors import StoreBusy

FROM = "appointments@clinic.example"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


def settings(box: Mailbox, password: str = PASSWORD) -> Settings:
    return Settings(
        database_url="sqlite://",
        secret=SECRET,
        mail_from=FROM,
        imap_host="127.0.0.1",
        imap_port=box.port,
        imap_tls="none",
        imap_user=USER,
        imap_password=password,
    )


def test_what_is_new_is_taken_in_once(box: Mailbox) -> None:
    contents = [b"Subject: 1\r\n\r\none\r\n", b"Subject: 2\r\n\r\ntwo\r\n"]
    for content in contents:
        box.put(content)
    taken: list[bytes] = []
    assert [fetch_replies(settings(box), taken.append), fetch_replies(settings(box), taken.append)] == [2, 0]
    assert (taken, box.seen) == (contents, {1, 2})


def test_a_message_that_cannot_be_taken_in_stays_new(box: Mailbox) -> None:
    box.put(b"Subject: 1\r\n\r\none\r\n")

    def busy(_: bytes) -> None:
        raise StoreBusy

    with pytest.raises(StoreBusy):
        fetch_replies(settings(box), busy)
    assert box.seen == set()
    taken: list[bytes] = []
    assert (fetch_replies(settings(box), taken.append), len(taken)) == (1, 1)


def test_a_message_that_meets_a_defect_stays_new_and_keeps_no_other(box: Mailbox) -> None:
    box.put(b"Subject: DEFECT\r\n\r\none\r\n")
    box.put(b"Subject: 2\r\n\r\ntwo\r\n")
    taken: list[bytes] = []

    def take_in(content: bytes) -> None:
        if b"DEFECT" in content:
            raise ValueError("a defect")
        taken.append(content)

    fetch_replies(settings(box), take_in)
    assert (len(taken), box.seen) == (1, {2})


def test_a_message_that_is_too_long_is_left_and_keeps_no_other(box: Mailbox) -> None:
    box.put(b"x" * (MAX_MAIL_BYTES + 1))
    box.put(b"Subject: 2\r\n\r\ntwo\r\n")
    taken: list[bytes] = []
    assert fetch_replies(settings(box), taken.append) == 2
    assert (len(taken), box.seen) == (1, {1, 2})


def test_a_wrong_password_is_told(box: Mailbox) -> None:
    with pytest.raises(imaplib.IMAP4.error):
        fetch_replies(settings(box, "wrong"), lambda _: None)


@pytest.fixture
def taken() -> list[bytes]:
    return []


@pytest.fixture
def delivery(box: Mailbox, taken: list[bytes]) -> Iterator[smtplib.LMTP]:
    """Return a client of the delivery; a message that says BUSY or DEFECT cannot be taken in."""

    def take_in(content: bytes) -> None:
        if b"BUSY" in content:
            raise StoreBusy
        if b"DEFECT" in content:
            raise ValueError("a defect")
        taken.append(content)

    listening = LmtpListener(settings(box).model_copy(update={"lmtp_port": free_port()}), take_in)
    listening.start()
    assert listening.server is not None
    with smtplib.LMTP("127.0.0.1", listening.server.sockets[0].getsockname()[1]) as client:
        yield client
    listening.stop()


def test_what_is_delivered_is_taken_in(delivery: smtplib.LMTP, taken: list[bytes]) -> None:
    for recipient in (FROM, "Appointments+v17@Clinic.example"):
        assert delivery.sendmail("robin@patients.example", recipient, b"Subject: 1\r\n\r\none\r\n") == {}
    assert taken == [b"Subject: 1\r\n\r\none\r\n"] * 2


@pytest.mark.parametrize("word", [b"BUSY", b"DEFECT"])
def test_what_cannot_be_taken_in_is_to_be_delivered_again(delivery: smtplib.LMTP, taken: list[bytes], word: bytes) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        delivery.sendmail("robin@patients.example", FROM, b"Subject: 1\r\n\r\n" + word)
    assert refused.value.smtp_code == 451 and taken == []
    assert delivery.sendmail("robin@patients.example", FROM, b"Subject: 1\r\n\r\none\r\n") == {}


def test_nobody_elses_mail_is_taken(delivery: smtplib.LMTP, taken: list[bytes]) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        delivery.sendmail("robin@patients.example", "dana@clinic.example", b"Subject: 1\r\n\r\none\r\n")
    with pytest.raises(smtplib.SMTPResponseException):
        delivery.sendmail("robin@patients.example", FROM, b"x" * (MAX_MAIL_BYTES + 1))
    assert taken == []


@pytest.mark.parametrize("begun", [b"", b"LHLO", b"LHLO patients.example\r\n", b"x" * 5_000])
def test_who_floods_the_delivery_keeps_nobody_out(delivery: smtplib.LMTP, taken: list[bytes], begun: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(2 * MAX_CONNECTIONS):
            flooding = stack.enter_context(socket.create_connection(("127.0.0.1", delivery.sock.getpeername()[1]), timeout=60))
            assert flooding.recv(3) == b"220"
            flooding.sendall(begun)
        with pytest.raises(smtplib.SMTPServerDisconnected):  # it came first, and gave way
            delivery.noop()
        delivery.connect("127.0.0.1", flooding.getpeername()[1])
        assert delivery.sendmail("robin@patients.example", FROM, b"Subject: 1\r\n\r\none\r\n") == {}
    assert taken == [b"Subject: 1\r\n\r\none\r\n"]
