"""Answers speak as the message does and repeat its control id byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hl7 import siu
from support.mllp import NOW

from api.hl7.acks import AckVerdict, Condition, Refusal, make_ack, read_ack
from api.hl7.charsets import decoded
from api.hl7.codec import InvalidMessage, Message

REFUSAL = Refusal(AckVerdict.ERROR, Condition.DATA_TYPE, "occurs twice|in its zone", "SCH-11.4")


def answered(content: bytes, refusal: Refusal | None = None) -> Message:
    return Message.parse(decoded(make_ack(content, "A-1", NOW, refusal))[0])


@pytest.mark.parametrize("control_id", [" 38762", "M 1", "1^2", "a\\T\\b", "Zoë", ""])
def test_the_control_id_is_repeated_byte_for_byte(control_id: str) -> None:
    for codec in ("utf-8", "latin-1"):
        answer = make_ack(siu(control_id=control_id).encode(codec), "A-1", NOW)
        assert f"MSA|AA|{control_id}\r".encode(codec) in answer or (not control_id and b"MSA|AA\r" in answer)


def test_sender_and_receiver_change_places() -> None:
    header = answered(siu().encode()).header
    assert [header.get(number) for number in (3, 4, 5, 6, 11, 12)] == ["CLINICWEAVE", "CLINIC", "EHR", "HOSPITAL", "P", "2.5.1"]
    assert [header.get(9, part) for part in (1, 2, 3)] == ["ACK", "S12", "ACK"]


def test_the_senders_delimiters_are_used() -> None:
    content = siu().translate(str.maketrans("|^~\\&", "#*!?+")).encode()
    assert b"MSH#*!?+#" in make_ack(content, "A-1", NOW)
    assert read_ack(make_ack(content, "A-1", NOW)).control_id == "M1"


def test_an_error_says_where_and_in_versions_without_err_2_says_it_in_msa_alone() -> None:
    error = answered(siu().encode(), REFUSAL).first("ERR")
    assert error is not None
    assert [error.get(2, part) for part in (1, 3, 5)] == ["SCH", "11", "4"]
    assert (error.get(3), error.get(4), error.get(8)) == ("102", "E", "occurs twice|in its zone")
    old = answered(siu().replace("|2.5.1", "|2.3").encode(), REFUSAL)
    assert old.first("ERR") is None
    assert old.segments[1].get(3) == "occurs twice|in its zone"
    assert old.header.raw(9) == "ACK^S12"


@pytest.mark.parametrize(
    ("modes", "accepted", "refused"),
    [
        ("|", "AA", "AE"),
        ("AL|", "CA", "CE"),
        ("AL|AL", "CA", "CE"),
        ("al|NE", "CA", "CE"),
        ("NE|AL", "AA", "AE"),
        ("|AL", "AA", "AE"),
        ("ER|AL", "AA", "CE"),
        ("SU|AL", "CA", "AE"),
        ("NE|NE", "CA", "CE"),
        ("ER|NE", "CA", "CE"),
        ('""|""', "AA", "AE"),
    ],
)
def test_the_enhanced_mode_is_answered_in_its_codes(modes: str, accepted: str, refused: str) -> None:
    content = siu().replace("|P|2.5.1", f"|P|2.5.1|||{modes}").encode()
    assert (code_of(answered(content)), code_of(answered(content, REFUSAL))) == (accepted, refused)


def code_of(answer: Message) -> str:
    """Return MSA-1."""
    return answer.segments[1].get(1)


@given(st.one_of(st.binary(), st.binary().map(lambda content: b"MSH|^~\\&|" + content)))
def test_anything_is_answered_by_one_acknowledgement(content: bytes) -> None:
    message = Message.parse(decoded(make_ack(content, "A-1", NOW, REFUSAL))[0])
    assert [segment.name for segment in message.segments][:2] == ["MSH", "MSA"]


def test_what_has_no_msa_is_no_answer() -> None:
    with pytest.raises(InvalidMessage, match="MSA"):
        read_ack(siu().encode())
