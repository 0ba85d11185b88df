"""What a patient and a physician with Thunderbird see, and that what the patient answers reaches the clinic."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from clients.clinic import Clinic, instant
from clients.installed import Installed
from clients.thunderbird import ACCEPT, DECLINE, DELETE, TENTATIVE, Thunderbird, running_thunderbird
from support.outbox import address_of


@pytest.fixture(scope="module")
def client(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thunderbird]:
    """Return a Thunderbird."""
    with running_thunderbird(installed, tmp_path_factory.mktemp("thunderbird")) as running:
        yield running


@pytest.fixture
def own_calendar(client: Thunderbird, clinic: Clinic, patient: str) -> str:
    """Return the id of the calendar of a patient to whom Thunderbird belongs now."""
    return client.become_patient(address_of(patient), clinic.mail.smtp_port)


def test_an_invite_its_update_and_its_cancellation_are_shown_and_a_stale_one_is_not(
    client: Thunderbird, clinic: Clinic, patient: str, own_calendar: str
) -> None:
    visit, address = f"{patient}-first", address_of(patient)
    clinic.book(visit, "09:10")
    invite = clinic.mail.message(address, 1)
    assert ACCEPT in client.receive(invite)
    client.press(ACCEPT)
    (shown,) = client.events(own_calendar)
    assert (shown["start"], shown["end"]) == (instant("08:55"), instant("09:50")), "from the arrival on"
    assert shown["title"].startswith("Appointment")
    assert shown["attendees"] == [[f"mailto:{address}", "ACCEPTED"]]

    clinic.move(visit, "10:20")
    assert ACCEPT in client.receive(clinic.mail.message(address, 2))
    client.press(ACCEPT)
    (moved,) = client.events(own_calendar)
    assert (moved["uid"], moved["start"], moved["end"]) == (shown["uid"], instant("10:05"), instant("11:00"))

    assert not client.receive(invite) & {ACCEPT, DECLINE, TENTATIVE}
    assert client.events(own_calendar) == [moved]

    clinic.cancel(visit)
    assert client.receive(clinic.mail.message(address, 3)) == {DELETE}
    client.press(DELETE)
    assert client.events(own_calendar) == []


@pytest.mark.parametrize(("button", "participation"), [(ACCEPT, "accepted"), (DECLINE, "declined"), (TENTATIVE, "tentative")])
def test_its_answer_reaches_the_visit(
    button: str, participation: str, client: Thunderbird, clinic: Clinic, patient: str, own_calendar: str
) -> None:
    visit = f"{patient}-second"
    clinic.book(visit, "08:20")
    client.receive(clinic.mail.message(address_of(patient), 1))
    client.press(button)
    clinic.await_answer(visit, participation)


def test_a_feed_is_subscribed_and_follows_what_changes(client: Thunderbird, clinic: Clinic, patient: str) -> None:
    visit = f"{patient}-first"
    clinic.book(visit, "11:00")
    feed = client.subscribe(clinic.subscribe())
    (shown,) = client.events(feed)
    assert (shown["start"], shown["title"], shown["attendees"]) == (instant("11:00"), "followup", [])

    client.refresh(feed)
    assert client.events(feed) == [shown]
    assert clinic.polls() == [HTTPStatus.OK, HTTPStatus.NOT_MODIFIED]

    clinic.move(visit, "09:00")
    client.refresh(feed)
    (moved,) = client.events(feed)
    assert (moved["uid"], moved["start"]) == (shown["uid"], instant("09:00"))

    clinic.cancel(visit)
    client.refresh(feed)
    (only,) = client.events(feed)
    assert (only["title"], only["start"] < instant("00:00")) == ("Nothing is booked", True)
