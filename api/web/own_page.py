"""The page of somebody of the staff: what is ahead, their calendar to subscribe to, and their calendars elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from html import escape

from api.web.plain import make_alert, make_card, make_code_image, make_form, make_page, make_password_field
from api.web.second_factor_page import ADDRESS as SECOND_FACTOR
from api.web.words import load_words
from api.web.words.sentences import write_stamp

PROGRAMS = ("outlook", "google", "apple")
"""Calendar programs of which the page tells how they subscribe."""
STEPS = 3


@dataclass(frozen=True, slots=True)
class OwnItem:
    """Something that takes a provider, at wall-clock times of the clinic."""

    start: datetime
    end: datetime
    service: str
    location: str
    room: str | None
    patients: tuple[str, ...]
    state: str
    supervises: bool
    is_hold: bool


@dataclass(frozen=True, slots=True)
class OwnDay:
    """A day and what is on it, by start."""

    date: date
    items: tuple[OwnItem, ...]


@dataclass(frozen=True, slots=True)
class OwnCalendar:
    """A calendar that somebody subscribed to: when it was made, ends, and was last read, wall-clock times."""

    id: str
    made: datetime
    ends: datetime
    last_read: datetime | None


@dataclass(frozen=True, slots=True)
class CalendarElsewhere:
    """A provider's calendar elsewhere: when it was read last, why it was not, and how many parts were not understood."""

    id: str
    name: str
    read: datetime | None
    failure: str | None
    unread: int


@dataclass(frozen=True, slots=True)
class OwnPage:
    """All that the page shows; ``provider`` is None for who sees no patients."""

    clinic: str
    name: str
    provider: str | None
    days: tuple[OwnDay, ...]
    subscriptions: tuple[OwnCalendar, ...]
    elsewhere: tuple[CalendarElsewhere, ...]


def make_own_page(own: OwnPage, fault: str = "") -> str:
    """Return the page; ``fault`` says why what was just asked for was not done."""
    words = load_words()["me"]
    parts = [f"<h1>{escape(own.name)}</h1>"]
    if fault:
        parts.append(make_card(make_alert(fault), kind="note"))
    if own.provider is None:
        desk = f'<p><a class="button" href="/">{escape(words["to_desk"])}</a></p>'
        parts.append(make_card(f"<p>{escape(words['no_days'])}</p>", desk))
    parts += [_make_day(day, is_first=index == 0) for index, day in enumerate(own.days)]
    if own.provider is not None:
        parts.append(f'<div class="two no-print">{_make_subscribe(own)}{_make_elsewhere(own)}</div>')
    leave = make_form("/me/leaving", words["log_out"], {})
    leave += f'<a href="{SECOND_FACTOR}">{escape(words["second_factor"])}</a>'
    return make_page(words["title"], own.clinic, "".join([*parts, f'<div class="row no-print">{leave}</div>']), is_wide=True)


def make_subscription_page(clinic: str, url: str) -> str:
    """Return the page that tells the address of a new calendar, once: to copy, to open, and to scan."""
    words = load_words()["me"]
    webcal = "webcal://" + url.partition("://")[2]
    address = f'<label>{escape(words["address"])}<input readonly value="{escape(url)}"></label>'
    opened = f'<div class="row"><a class="button primary" href="{escape(webcal)}">{escape(words["open"])}</a></div>'
    scanned = f'<div class="row">{make_code_image(url, words["qr"])}'
    scanned += f'<p class="muted">{escape(words["qr_how"])}</p></div>'
    steps = "".join(
        f"<details><summary>{escape(words[program])}</summary><ol>"
        + "".join(f"<li>{escape(words[f'{program}_{step}'])}</li>" for step in range(1, STEPS + 1))
        + "</ol></details>"
        for program in PROGRAMS
    )
    body = (
        f"<h1>{escape(words['made'])}</h1>"
        + make_card(f"<p>{escape(words['once'])}</p>", address, opened, kind="good")
        + f'<div class="two">{make_card(scanned, name=words["phone"])}{make_card(steps, name=words["computer"])}</div>'
        + f'<p><a href="/me">{escape(words["back"])}</a></p>'
    )
    return make_page(words["title"], clinic, body, is_wide=True)


def make_log_in_page(fault: str = "", elsewhere: bool = False, name: str = "", asks_for_code: bool = False) -> str:
    """Return the page on which somebody logs in.

    Parameters
    ----------
    elsewhere
        Whether the hospital's accounts are known.
    name
        Who tried before, so that only what is missing has to be filled in again.
    asks_for_code
        Whether the account of that name has a second factor, and the password was right.
    """
    words = load_words()["me"]
    fields = (
        f'<label>{escape(words["account"])}<input name="name" autocomplete="username" required value="{escape(name)}"></label>'
        f"{make_password_field(words['password'])}"
    )
    if asks_for_code:
        fields += (
            f"<label>{escape(words['code'])}"
            f'<input name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="10"></label>'
        )
    form = make_form("/me/log-in", words["log_in"], {}, inside=fields, is_primary=True)
    other = f'<a class="button" href="/v1/oidc/log-in">{escape(words["log_in_elsewhere"])}</a>' if elsewhere else ""
    body = make_card(f"<h1>{escape(words['title'])}</h1>", make_alert(fault), f'<div class="actions">{form}{other}</div>')
    return make_page(words["title"], words["title"], body)


def _make_day(day: OwnDay, is_first: bool) -> str:
    words = load_words()["me"]
    name = f"{words['today']} · {_write_day(day.date)}" if is_first else _write_day(day.date)
    if not day.items:
        return make_card(f'<p class="muted">{escape(words["free"])}</p>', name=name)
    return make_card(f'<ul class="list">{"".join(map(_make_item, day.items))}</ul>', name=name)


def _make_item(item: OwnItem) -> str:
    words, states = load_words()["me"], load_words()["booking_states"]
    place = ", ".join(filter(None, (item.location, item.room)))
    who = ", ".join(item.patients) or (words["held"] if item.is_hold else "")
    notes = [words["supervises"]] if item.supervises else []
    notes += [states[item.state]] if item.state != "booked" else []
    what = " · ".join(filter(None, (item.service, *notes)))
    clock = words["from_to"].format(start=f"{item.start:%H:%M}", end=f"{item.end:%H:%M}")
    return (
        f'<li><span class="clock">{clock}</span><span><b>{escape(who)}</b><br>'
        f'{escape(what)}<br><span class="muted small">{escape(place)}</span></span></li>'
    )


def _make_subscribe(own: OwnPage) -> str:
    words = load_words()["me"]
    rows = "".join(
        f'<li class="row"><span class="small">{escape(_describe(subscription))}</span>'
        f"{_make_small_form(f'/me/calendars/{subscription.id}/end', words['revoke'])}</li>"
        for subscription in own.subscriptions
    )
    listed = f'<ul style="list-style:none;padding:0">{rows}</ul>' if rows else ""
    make = make_form("/me/calendars", words["subscribe"], {}, is_primary=True)
    return make_card(f"<p>{escape(words['subscribe_how'])}</p>", make, listed, name=words["calendar"])


def _describe(subscription: OwnCalendar) -> str:
    words = load_words()["me"]
    made = words["made_at"].format(when=write_stamp(subscription.made))
    read = (
        words["never_read"]
        if subscription.last_read is None
        else words["read_at"].format(when=write_stamp(subscription.last_read))
    )
    return f"{made}; {words['ends_on'].format(when=write_stamp(subscription.ends))}; {read}"


def _make_elsewhere(own: OwnPage) -> str:
    words = load_words()["me"]
    rows = "".join(
        f"<li><b>{escape(calendar.name)}</b> {_make_small_form(f'/me/outside-calendars/{calendar.id}/end', words['remove'])}"
        f'<br><span class="small {"bad" if calendar.failure else "muted"}">{escape(_describe_reading(calendar))}</span></li>'
        for calendar in own.elsewhere
    )
    listed = f'<ul style="list-style:none;padding:0">{rows}</ul>' if rows else ""
    fields = (
        f'<label>{escape(words["elsewhere_name"])}<input name="name" required maxlength="100"></label>'
        f'<label>{escape(words["elsewhere_address"])}<input name="url" type="url" required placeholder="https://"></label>'
    )
    form = f'<div class="actions">{make_form("/me/outside-calendars", words["add"], {}, inside=fields)}</div>'
    return make_card(f"<p>{escape(words['elsewhere_how'])}</p>", listed, form, name=words["elsewhere"])


def _describe_reading(calendar: CalendarElsewhere) -> str:
    words = load_words()["me"]
    if calendar.failure:
        return calendar.failure
    read = words["never_read"] if calendar.read is None else words["read_at"].format(when=write_stamp(calendar.read))
    return read if not calendar.unread else f"{read}; {words['unread'].format(count=calendar.unread)}"


def _make_small_form(action: str, button: str) -> str:
    return make_form(action, button, {}).replace("<button>", '<button class="small-button">')


def _write_day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"
