"""Messages are read as they were meant, and nothing in a value can become structure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hl7 import EVIL_NAME, peers, siu

from api.hl7.charsets import decoded
from api.hl7.codec import STANDARD, Delimiters, InvalidMessage, Message, make_segment

HEADER = "MSH|^~\\&|A|B|C|D|20261130||SIU^S12|1|P|2.5.1"


def test_a_message_is_read_by_its_fields() -> None:
    message = Message.parse(siu("S13", control_id=" 38762", visit="v-7"))
    assert (message.code, message.trigger, message.control_id) == ("SIU", "S13", " 38762")
    schedule = message.first("SCH")
    assert schedule is not None
    assert (schedule.get(2), schedule.get(2, 2), schedule.get(25), schedule.get(99)) == ("v-7", "CLINICWEAVE", "Booked", "")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_segments_end_in_any_line_end(end: str) -> None:
    assert Message.parse(siu().replace("\r", end)) == Message.parse(siu())


def test_a_line_that_begins_no_segment_goes_on_with_the_one_before() -> None:
    note = Message.parse(f"{HEADER}\rNTE|1||one\ntwo\rPV1|1").first("NTE")
    assert note is not None
    assert note.get(3) == "one\ntwo"


def test_the_senders_delimiters_are_used() -> None:
    message = Message.parse("MSH#*!?+#A#B#C#D#20261130##SIU*S12#1#P#2.5.1\rPID#1##p?S?1**+sub#")
    patient = message.first("PID")
    assert patient is not None
    assert (patient.get(3), patient.get(3, 3, 2)) == ("p*1", "sub")


def test_repetitions_and_subcomponents_are_parted_before_they_are_unescaped() -> None:
    patient = Message.parse(f"{HEADER}\rPID|1||a\\R\\b^^^x&y~c").first("PID")
    assert patient is not None
    first, second = patient.repetitions(3)
    assert (first.get(), first.get(4, 2), second.get()) == ("a~b", "y", "c")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\F\\S\\T\\R\\E", "|^&~\\E"),
        (r"a\.br\b", "a\nb"),
        (r"a\.sp2\b", "a\nb"),
        ("\\.in+4\\a\\.sk3\\b\\.fi\\", "a b"),
        (r"a\.xx\b", r"a\.xx\b"),
        ("\\H\\bold\\N\\", "bold"),
        ("caf\\XE9\\", "café"),
        ("caf\\XC3A9\\", "café"),
        ("\\Xzz\\", "\\Xzz\\"),
        ("\\Q9\\", "\\Q9\\"),
        ('""', ""),
    ],
)
def test_escapes_are_read(written: str, meant: str) -> None:
    segment = Message.parse(f"{HEADER}\rNTE|1||{written}").segments[1]
    assert segment.get(3) == meant


def test_a_name_cannot_begin_a_field_or_a_segment() -> None:
    segment = make_segment("PID", {1: "1", 5: (EVIL_NAME, "Zoë 日本")})
    message = Message.parse(f"{HEADER}\r" + STANDARD.field.join(segment.fields))
    assert [part.name for part in message.segments] == ["MSH", "PID"]
    patient = message.segments[1]
    assert (patient.get(5), patient.get(5, 2)) == (EVIL_NAME.replace("\r", " "), "Zoë 日本")


DELIMITERS = st.sampled_from((STANDARD, Delimiters("#", "*", "!", "?", "+")))
PLAIN = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"))).filter(lambda text: text != '""')


@given(DELIMITERS, st.lists(st.tuples(PLAIN, st.tuples(PLAIN, PLAIN)), min_size=1))
def test_whatever_is_written_is_read_again(delimiters: Delimiters, values: list[tuple[str, tuple[str, str]]]) -> None:
    header = make_segment("MSH", {9: ("SIU", "S12"), 10: "1"}, delimiters)
    segment = make_segment("ZZZ", {2: list(values)}, delimiters)
    message = Message.parse(str(Message((header, segment))))
    given = [value for value in values if any((value[0], *value[1]))]
    got = message.segments[1].repetitions(2) if len(message.segments) > 1 else []
    assert [(part.get(), (part.get(2), part.get(2, 2))) for part in got] == given


@given(st.text())
def test_any_text_is_a_message_or_says_where_it_is_none(text: str) -> None:
    for candidate in (text, f"{HEADER}\r{text}", f"MSH{text}"):
        try:
            message = Message.parse(candidate)
        except InvalidMessage as error:
            assert str(error).startswith(("line ", "MSH-"))
        else:
            assert message.segments[0].name == "MSH"


def test_a_message_of_endless_segments_is_refused() -> None:
    with pytest.raises(InvalidMessage, match=r"line 5001: more than 5000 segments"):
        Message.parse(HEADER + "\rNTE|1" * 5_000)


def test_what_is_empty_at_an_end_is_not_written() -> None:
    assert make_segment("PID", {3: ("p", "", "", ""), 5: "", 9: ""}).fields == ("PID", "", "", "p")


def test_samples_of_others_are_read() -> None:
    files = peers("hl7v2-microsoft", "*.hl7")
    assert len(files) >= 10
    for file in files:
        message = Message.parse(decoded(file.read_bytes())[0])
        assert [message.code, message.trigger] == file.name.split("-")[:2]
        assert message.control_id, file.name
        assert message.first("PID") is not None, file.name
