"""Calendar files and replies that nobody should send, made from a seed: bombs, broken structure, noise."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

Make = Callable[[random.Random], bytes]

STAMPS = ("20260306T090000", "20260306T090000Z", "20260306", "00010101T000000", "99991231T235959Z", "20260229T250061", "", "x")
RULES = (
    "FREQ=SECONDLY",
    "FREQ=MINUTELY;INTERVAL=1;COUNT=999999999",
    "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,1,2,3,4,5,6,7,8,9",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4,6",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;INTERVAL=4",
    "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=366",
    "FREQ=DAILY;INTERVAL=7;BYDAY=SU",
    "FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 5000),
    "FREQ=DAILY;COUNT=0",
    "FREQ=DAILY;COUNT=-1",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;INTERVAL=99999999999999999999",
    "FREQ=DAILY;UNTIL=20250101T000000Z;COUNT=4",
    "FREQ=DAILY;UNTIL=99999999T999999",
    "FREQ=YEARLY;BYEASTER=0",
    "FREQ=DAILY;FREQ=WEEKLY",
    "FREQ=MONTHLY;BYDAY=+99MO",
    "FREQ=YEARLY",
    "FREQ=MONTHLY",
    "FREQ=WEEKLY;WKST=XX",
    "FREQ=DAILY",
    "",
    ";;;;=",
)
ZONES = (
    "America/New_York",
    "Eastern Standard Time",
    "/example.org/20230101/Europe/Berlin",
    "../../etc/passwd",
    "Mars/Olympus",
    "\x00",
    "A" * 500,
)
LENGTHS = ("PT1H", "P99999D", "-P1W", "P", "PT", "P1Y", "PT99999999S", "P1DT", "")


def structure(rng: random.Random) -> bytes:
    """Return components that nest, do not end, or end what has not begun."""
    names = [rng.choice(("VCALENDAR", "VEVENT", "VALARM", "VTIMEZONE", "X-A", "")) for _ in range(rng.choice((2, 5, 4000)))]
    lines = [f"{rng.choice(('BEGIN', 'BEGIN', 'END'))}:{name}" for name in names]
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]).encode()


def event(rng: random.Random, rule: str | None = None) -> list[str]:
    """Return an event's lines, some of them nonsense."""
    zone = rng.choice(ZONES)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{rng.choice(('one', 'two', '', rng.getrandbits(60)))}",
        f"DTSTAMP:{rng.choice(STAMPS)}",
        rng.choice(
            (
                f"DTSTART;TZID={zone}:{rng.choice(STAMPS)}",
                f"DTSTART;VALUE=DATE:{rng.choice(STAMPS)}",
                f"DTSTART:{rng.choice(STAMPS)}",
                "DTSTART:20260306T090000",
                "DTSTART;TZID=America/New_York:19010306T090000",
            )
        ),
        rng.choice((f"DTEND:{rng.choice(STAMPS)}", f"DURATION:{rng.choice(LENGTHS)}", "DURATION:PT1H")),
        f"RRULE:{rng.choice(RULES) if rule is None else rule}",
    ]
    extra = (
        f"RECURRENCE-ID;RANGE=THISANDFUTURE:{rng.choice(STAMPS)}",
        "EXDATE:" + ",".join(rng.choice(STAMPS) for _ in range(rng.choice((1, 3, 3000)))),
        "RDATE;VALUE=PERIOD:20260307T090000/PT1H,20260308T090000/x",
        f"SEQUENCE:{rng.choice(('-1', '1' * 5000, '²', '3'))}",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:" + "x" * rng.choice((1, 70_000)),
        "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "A" * rng.choice((10, 300_000)),
        "X-" + "Y" * 3000 + ":" + "z" * 3000,
        "DESCRIPTION:" + "folded\r\n " * rng.choice((1, 2000)),
        'ATTENDEE;CN="' + 'a";b="' * rng.choice((1, 2000)) + ":mailto:x",
        "ATTENDEE" + ";A=b" * rng.choice((1, 20_000)) + "c",
    )
    lines += rng.sample(extra, rng.randint(0, 4))
    for _ in range(rng.choice((0, 0, 0, 1, 1, 1, 300))):
        lines += ["BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT1M", "REPEAT:999999999", "DURATION:PT1S", "END:VALARM"]
    return [*lines, "END:VEVENT"]


def zone(rng: random.Random) -> list[str]:
    """Return a zone's lines, some of them nonsense; often of a name that is there already."""
    lines = ["BEGIN:VTIMEZONE", f"TZID:{rng.choice(ZONES)}"]
    parts = rng.choice((0, 1, 2, 2, 2, 50))
    for _ in range(parts):
        lines += [
            "BEGIN:STANDARD",
            f"DTSTART:{rng.choice(('16010101T020000', '20250301T020000', *STAMPS))}",
            f"TZOFFSETFROM:{rng.choice(('-0500', '+9999', '+0000', '-2359', 'x'))}",
            f"TZOFFSETTO:{rng.choice(('-0400', '+2400', '', '+235959'))}",
            f"RRULE:{rng.choice(RULES)}",
            "RDATE:" + ",".join(["20260101T000000"] * rng.choice((1, 3, 2000 // parts))),
            "END:STANDARD",
        ]
    return [*lines, "END:VTIMEZONE"]


def whole(rng: random.Random) -> bytes:
    """Return a calendar with a sane frame and whatever inside."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{rng.choice(('REPLY', 'REQUEST', 'COUNTER', '', 'reply'))}"]
    for _ in range(rng.choice((0, 1, 2, 3, 120))):
        lines += zone(rng)
    for _ in range(rng.choice((1, 1, 2, 2, 2, 40))):
        lines += event(rng)
    if rng.random() < 0.3:
        lines += ["BEGIN:VFREEBUSY", "FREEBUSY:" + ",".join(["20260306T090000Z/PT1H"] * 3000), "END:VFREEBUSY"]
    return _encoded(rng, "\r\n".join([*lines, "END:VCALENDAR"]))


def bomb(rng: random.Random) -> bytes:
    """Return many events with one rule, each of which is harmless or not by itself."""
    rule = rng.choice(RULES)
    lines = ["BEGIN:VCALENDAR"]
    for number in range(rng.choice((1, 2, 5, 50, 50, 50, 3000))):
        start = f"{rng.choice((1601, 1999, 2025))}0{rng.randint(1, 9)}{rng.randint(10, 31)}T090000"
        lines += ["BEGIN:VEVENT", f"UID:{number}", f"DTSTART:{start}", "DURATION:PT1H", f"RRULE:{rule}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR"]).encode()


def long(rng: random.Random) -> bytes:
    """Return something huge: a line, lines without end, or folds without content."""
    kind = rng.choice(("line", "lines", "folds", "begins", "bytes"))
    size = rng.choice((*[100_000] * 8, 2_900_000, 7_900_000, 9_000_000))
    body = {
        "line": b"SUMMARY:" + b"x" * size,
        "lines": b"UID:x\r\n" * (size // 7),
        "folds": b"\r\n " * (size // 3),
        "begins": b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * (size // 26),
        "bytes": rng.randbytes(size // 10),
    }[kind]
    return b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + body + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


def damaged(rng: random.Random) -> bytes:
    """Return a calendar with bytes lost, doubled and changed."""
    content = bytearray(whole(rng)[:50_000])
    for _ in range(rng.randint(1, 40)):
        at = rng.randrange(len(content))
        match rng.randrange(3):
            case 0:
                del content[at : at + rng.randint(1, 30)]
            case 1:
                content[at:at] = content[at : at + rng.randint(1, 30)]
            case _:
                content[at] = rng.randrange(256)
        if not content:
            break
    return bytes(content)


def mail(rng: random.Random) -> bytes:
    """Return a mail around any of these, its headers and structure no better."""
    inner = rng.choice((structure, whole, damaged, bomb))(rng)[:400_000]
    kind = rng.choice(("text/calendar; method=REPLY", "application/ics", "text/calendar; charset=klingon", "message/rfc822"))
    coding = rng.choice(("base64", "quoted-printable", "8bit", "x-uuencode", ""))
    boundary = rng.choice(("b", "", "b" * 2000, "\x00"))
    headers = [
        rng.choice(("From: a@example.org", "From: a@x, b@y", "From: =?utf-8?b?////?= <@>", "From: " + "(" * 3000, "")),
        rng.choice(("Message-ID: <x@y>", "Message-ID: " + "<" * 5000, "")),
        "Auto-Submitted: auto-replied",
        f'Content-Type: multipart/mixed; boundary="{boundary}"',
    ]
    depth = rng.choice((1, 3, 150))
    opening = "".join(f'--{boundary}\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n' for _ in range(depth))
    part = f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
    return "\r\n".join([*filter(None, headers), "", opening + part]).encode("latin-1") + inner + f"\r\n--{boundary}--".encode()


def _encoded(rng: random.Random, text: str) -> bytes:
    return text.encode(rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")), "replace")


KINDS: tuple[Make, ...] = (structure, whole, bomb, long, damaged, mail)


def hostile(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield ``count`` files with what each is, always the same ones for a seed."""
    for number in range(count):
        make = KINDS[number % len(KINDS)]
        yield f"{make.__name__}-{seed}-{number}", make(random.Random(f"{seed}-{number}"))
