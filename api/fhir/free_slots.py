"""Free Slots: when somebody could begin a service, as the solver answers it for a patient of whom nothing is known.

A gap between two appointments is no promise: it needs a room, devices, a whole team and a service that fits. So free slots are
shown for one service at a time, and none of them is kept; ``$find`` and ``$hold`` keep one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from api.fhir.datatypes import Element
from api.fhir.ids import find_own_id
from api.fhir.people import make_slot
from api.fhir.places import make_service_concept
from api.fhir.searching import Search, read_dates, read_window
from api.services.proposals.place_finding import MAX_FOUND, PlaceRequest, ProposedPlaces
from api.services.weeks.directory import Commitment, Directory
from scheduling.errors import Fault, InvalidFile
from scheduling.people import Patient

FREE: Final = "free"
ANYBODY = "anybody"
"""The id of a patient of whom nothing is known; nothing is kept under it."""


def asks_for_free(search: Search) -> bool:
    """Return whether a search looks for free slots."""
    return search.type == "Slot" and any(FREE in statuses for statuses in search.get_tokens("status"))


def read_free(here: Directory, search: Search) -> PlaceRequest:
    """Return which places are looked for. Raises ``InvalidFile`` unless one service and somebody's schedule are named."""
    services = {service.id for service in here.clinic.services}
    wanted = frozenset().union(*search.get_tokens("service-type"))
    if len(wanted) != 1 or not wanted <= services:
        raise InvalidFile("query", [Fault("query.service-type", "one service is needed: nobody is free for just anything")])
    schedules = [identifier for ids in search.get_references("schedule") for identifier in ids]
    providers = [find_own_id(identifier, here.providers) for identifier in schedules]
    if not providers:
        raise InvalidFile("query", [Fault("query.schedule", "is needed: of whom slots are looked for")])
    starts_at, ends_at = read_window(read_dates(search, "start", here.zone))
    return PlaceRequest(
        patient=ANYBODY,
        new_patient=Patient(id=ANYBODY, name=ANYBODY, allowed_sites=tuple(site.id for site in here.clinic.sites)),
        starts_at=starts_at,
        ends_at=ends_at,
        service=next(iter(wanted)),
        providers=tuple(sorted(provider for provider in providers if provider in here.providers)) or (ANYBODY,),
        count=MAX_FOUND,
    )


def make_free_slots(here: Directory, wanted: PlaceRequest, proposals: Iterable[ProposedPlaces]) -> Iterator[Element]:
    """Yield a slot for each of those looked for who is in the team of a place, each once."""
    shown = set()
    for booking in (part.booking for proposal in proposals for part in proposal.parts):
        for provider in sorted(set(booking.team) & set(wanted.providers)):
            starts_at, ends_at = (moment.replace(tzinfo=here.zone) for moment in (booking.start, booking.end))
            slot = make_slot(Commitment(provider, starts_at, ends_at, FREE), here)
            if slot["id"] not in shown:
                shown.add(slot["id"])
                yield slot | {"serviceType": [make_service_concept(str(wanted.service), here)]}
