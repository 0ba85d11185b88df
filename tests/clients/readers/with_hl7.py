"""Reads scheduling messages with python-hl7, hl7apy (strict) and hl7types; prints what each found, a line for each file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import hl7
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hl7types import decode_er7, encode_er7


def by_python_hl7(text: str) -> list[str]:
    message = hl7.parse(text)
    names = [str(message.unescape(part)) for part in map(str, message["PID"][0][5][0])]
    return [str(message["SCH"][0][2][0][0]), *names, str(message["SCH"][0][11][0][3]), str(len(message["PID"]))]


def by_hl7apy(text: str) -> list[str]:
    message = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT, find_groups=True)
    message.validate()
    structure = message.name.lower()
    people = getattr(message, f"{structure}_patient")
    plain = hl7.parse(text)
    names = [str(plain.unescape(part)) for part in people.pid.pid_5.value.split("^")]
    return [message.sch.sch_2.sch_2_1.value, *names, message.sch.sch_11.sch_11_4.value, str(len(people.pid))]


def by_hl7types(text: str) -> list[str]:
    segments = [segment for segment in encode_er7(decode_er7(text)).split("\r") if segment]
    fields = {segment[:3]: segment.split("|") for segment in segments}
    plain = hl7.parse(text)
    names = [str(plain.unescape(part)) for part in fields["PID"][5].split("^")]
    people = [segment for segment in segments if segment.startswith("PID")]
    return [fields["SCH"][2].split("^")[0], *names, fields["SCH"][11].split("^")[3], str(len(people))]


READERS = {"python-hl7": by_python_hl7, "hl7apy": by_hl7apy, "hl7types": by_hl7types}

for argument in sys.argv[1:]:
    content = Path(argument).read_bytes().decode()
    print(json.dumps({name: read(content) for name, read in READERS.items()}))
