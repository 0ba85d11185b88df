"""The page of a patient's link: one visit, what to know before it, and what may be answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from api.web.plain import make_card, make_form, make_list, make_page
from api.web.words import load_words
from calendars.appointments import Appointment
from calendars.wording import flatten, format_clock, format_day

MAX_WORDS = 1_000
"""Characters that a patient may write to the desk."""


Standing = Literal["booked", "offered", "waiting", "over"]


@dataclass(frozen=True, slots=True)
class PatientVisit:
    """What a patient's page tells.

    Attributes
    ----------
    standing
        ``booked``; ``offered`` until ``offered_until``; ``waiting`` for a place; or ``over``: begun, missed or past.
    appointment : Appointment or None
        Where and when; None while it waits, and when it is over.
    participation
        What the patient has answered, as calendars call it.
    version : int
        The booking's: what an answer is to; 0 without one.
    """

    clinic: str
    service: str
    standing: Standing
    appointment: Appointment | None = None
    participation: str | None = None
    offered_until: datetime | None = None
    version: int = 0


def make_visit_page(visit: PatientVisit, address: str, said: str = "") -> str:
    """Return the page of a visit.

    Parameters
    ----------
    address
        The page's own, to which its forms post.
    said
        The answer that was just given; it is thanked for.
    """
    words = load_words()["patient"]
    thanks = words.get(f"thanks_{said}")
    parts = [] if thanks is None else [make_card(f'<p role="status">{escape(thanks)}</p>', kind="good")]
    if visit.appointment is None:
        parts.append(make_card(f"<h1>{escape(words[visit.standing])}</h1>", f"<p>{escape(words[f'{visit.standing}_how'])}</p>"))
        return make_page(words["title"], visit.clinic, "".join(parts))
    parts += [_make_head(visit), _make_offer(visit, address) if visit.standing == "offered" else _make_answers(visit, address)]
    return make_page(words["title"], visit.clinic, "".join([*parts, *_list_facts(visit.appointment)]))


def make_question_page(visit: PatientVisit, address: str, answer: str, times: Iterable[tuple[datetime, str]] = ()) -> str:
    """Return the page that asks whether an answer is meant, and for what a patient wants to say with it.

    ``times`` are other starts that may be chosen instead, on the clinic's clocks, each with the name of its location.
    """
    words, appointment = load_words()["patient"], visit.appointment
    assert appointment is not None  # of what has no place nothing is asked
    when = _write_start(appointment.local_start)
    text = (
        f'<label>{escape(words[f"words_{answer}"])}<textarea name="words" rows="4" maxlength="{MAX_WORDS}"></textarea></label>'
    )
    fields = {"answer": answer, "sure": "yes", **_version(visit)}
    heading = f"<h1>{escape(words[f'ask_{answer}'].format(when=when))}</h1>"
    offered = "".join(
        make_form(address, f"{_write_start(start)}, {where}", {"answer": "move", "start": start.isoformat(), **_version(visit)})
        for start, where in times
    )
    chosen = make_card(heading, f"<p>{escape(words['times'])}</p>", f'<div class="actions">{offered}</div>') if offered else ""
    body = chosen + make_card(
        f"<h2>{escape(words['no_time'])}</h2>" if chosen else heading,
        f"<p>{escape(words[f'ask_{answer}_how'])}</p>",
        f'<div class="actions">{make_form(address, words[f"yes_{answer}"], fields, inside=text, is_primary=True)}'
        f'<a class="button" href="{escape(address)}">{escape(words["back"])}</a></div>',
    )
    return make_page(words["title"], visit.clinic, body)


def make_move_page(visit: PatientVisit, address: str, start: datetime) -> str:
    """Return the page that asks whether a patient means to come at another time, which they have chosen."""
    words, appointment = load_words()["patient"], visit.appointment
    assert appointment is not None  # of what has no place nothing is asked
    fields = {"answer": "move", "sure": "yes", "start": start.isoformat(), **_version(visit)}
    how = words["ask_move_how"].format(when=_write_start(appointment.local_start))
    body = make_card(
        f"<h1>{escape(words['ask_move'].format(when=_write_start(start)))}</h1>",
        f"<p>{escape(how)}</p>",
        f'<div class="actions">{make_form(address, words["yes_move"], fields, is_primary=True)}'
        f'<a class="button" href="{escape(address)}">{escape(words["back"])}</a></div>',
    )
    return make_page(words["title"], visit.clinic, body)


def make_ended_page(clinic: str = "") -> str:
    """Return the page of a link that opens nothing: it has run out, was taken back, or never was."""
    words = load_words()["patient"]
    body = make_card(f"<h1>{escape(words['ended'])}</h1>", f"<p>{escape(words['ended_how'])}</p>")
    return make_page(words["title"], clinic or words["title"], body)


def _make_head(visit: PatientVisit) -> str:
    words, appointment = load_words()["patient"], visit.appointment
    assert appointment is not None
    arrival, start = appointment.local_arrival, format_clock(appointment.local_start)
    if appointment.arrive_text is not None:
        time, how = start, appointment.arrive_text
    elif appointment.arrive_minutes:
        time, how = format_clock(arrival), words["starts"].format(start=start)
    else:
        time, how = start, words["starts_then"]
    label = words["arrive_at"] if appointment.arrive_text is None else words["starts_at"]
    return make_card(
        f'<div class="when"><h1 class="day">{escape(format_day(arrival))}</h1>'
        f'<p class="time">{escape(label.format(time=time))}</p></div>',
        f"<p>{escape(how)}</p>",
        f'<p class="muted">{escape(flatten(visit.service))}</p>',
    )


def _make_answers(visit: PatientVisit, address: str) -> str:
    words, version = load_words()["patient"], str(visit.version)
    answered = visit.participation in ("accepted", "declined")
    said = make_card(f"<p>{escape(words[f'answered_{visit.participation}'])}</p>", kind="note") if answered else ""
    forms = [
        make_form(address, words[f"answer_{answer}"], {"answer": answer, "version": version}, is_primary=answer == "accepted")
        for answer in ("accepted", "declined", "another-time")
        if answer != visit.participation
    ]
    calendar = f'<a class="button" href="{escape(address)}/appointment.ics">{escape(words["calendar"])}</a>'
    return f'{said}<div class="actions">{"".join(forms)}{calendar}</div>'


def _make_offer(visit: PatientVisit, address: str) -> str:
    words, appointment = load_words()["patient"], visit.appointment
    assert appointment is not None and visit.offered_until is not None
    until = _write_moment(visit.offered_until, appointment.timezone)
    fields = {"version": str(visit.version)}
    take = make_form(address, words["take"], {"answer": "take", **fields}, is_primary=True)
    leave = make_form(address, words["leave"], {"answer": "leave", **fields})
    return (
        make_card(f"<p>{escape(words['offered'].format(until=until))}</p>", kind="note")
        + f'<div class="actions">{take}{leave}</div>'
    )


def _list_facts(appointment: Appointment) -> list[str]:
    words = load_words()["patient"]
    within = "" if appointment.within in appointment.building else appointment.within
    where = [appointment.building, within, appointment.address]
    place = "".join(f"<p>{escape(flatten(part))}</p>" for part in where if part)
    map_link = f'<p><a href="{escape(_make_map_address(appointment))}">{escape(words["map"])}</a></p>'
    access = f'<p class="muted">{escape(appointment.access)}</p>' if appointment.access else ""
    facts = [make_card(place, map_link, access, name=words["where"])]
    if appointment.clinicians:
        facts.append(make_card(f"<p>{escape(', '.join(map(flatten, appointment.clinicians)))}</p>", name=words["with"]))
    facts.append(make_card(make_list([*appointment.bring, appointment.companion]), name=words["bring"]))
    if appointment.hold:
        facts.append(make_card(make_list(appointment.hold), name=words["hold"]))
    if appointment.recovery_minutes:
        rest = words["rest"].format(minutes=appointment.recovery_minutes)
        facts.append(make_card(f"<p>{escape(rest)}</p>", name=words["afterwards"]))
    if appointment.phone:
        call = f'<p><a class="button" href="tel:{escape(quote(appointment.phone))}">{escape(appointment.phone)}</a></p>'
        facts.append(make_card(f"<p>{escape(words['questions_how'])}</p>", call, name=words["questions"]))
    return facts


def _make_map_address(appointment: Appointment) -> str:
    """Return what opens a phone's own maps (RFC 5870): no other party learns of the page."""
    at = "0,0" if appointment.geo is None else f"{appointment.geo[0]},{appointment.geo[1]}"
    return f"geo:{at}?q={quote(appointment.address)}"


def _write_moment(moment: datetime, timezone: str) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{format_day(local)}, {format_clock(local)}"


def _version(visit: PatientVisit) -> dict[str, str]:
    return {"version": str(visit.version)}


def _write_start(start: datetime) -> str:
    return f"{format_day(start)}, {format_clock(start)}"
