"""What the second edition of the file format can say of a week: needs of single visits, rooms that close, special clinics.

A scenario that was drawn is changed afterwards, with random numbers of its own, so that what was drawn before stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from random import Random
from typing import Any

from scheduling.catalogue import get_pathway, get_policy
from scheduling.clinic import Block, Clinic, Closure, Equipment, Service
from scheduling.generate.dates import Dates
from scheduling.generate.profile import NeedMix
from scheduling.people import Provider, Shift
from scheduling.requests import Link, Visit
from scheduling.scenario import Policy, Scenario
from scheduling.special_clinics import staff_blocks
from scheduling.timegrid import weekday

SECOND_EDITION = ("patient_site_change", "waiting", "notice_minutes", "moved_notified_per_hour")
"""The keys of a policy that the second edition added."""


def strip_clinic(clinic: Clinic) -> Clinic:
    """Return the catalogue's clinic as the first edition has it: nothing is welcome in special clinics, nor offered for it."""
    offered = {(welcome, block.location) for block in clinic.blocks for welcome in block.welcomes}
    return clinic.changed(
        blocks=tuple(
            Block.model_validate(block.model_dump(exclude={"welcomes"}, exclude_unset=True)) for block in clinic.blocks
        ),
        services=tuple(
            service.changed(locations=tuple(place for place in service.locations if (service.id, place) not in offered))
            for service in clinic.services
        ),
    )


def strip_links(links: Iterable[Link]) -> tuple[Link, ...]:
    """Return links as the first edition has them, each in one order."""
    return tuple(Link.model_validate(link.model_dump(exclude={"any_order"}, exclude_unset=True)) for link in links)


def strip_policy(policy: Policy) -> Policy:
    """Return the weights of the first edition."""
    return Policy.model_validate(policy.model_dump(exclude=set(SECOND_EDITION), exclude_unset=True))


class NeedBuilder:
    """Adds needs to a scenario, all drawn from one mix."""

    def __init__(self, mix: NeedMix, dates: Dates, rng: Random) -> None:
        self._mix = mix
        self._dates = dates
        self._rng = rng

    def add_to(self, scenario: Scenario) -> Scenario:
        """Return a scenario with needs of every kind."""
        clinic = self._change_clinic(scenario.clinic)
        blocks = {block.id: block for block in clinic.blocks}
        providers = tuple(self._change_provider(provider) for provider in scenario.providers)
        clinic = staff_blocks(clinic, providers, self._dates.workdays)
        for block in clinic.blocks:
            providers = tuple(self._send_elsewhere(who, block, blocks[block.id]) for who in providers)
        return scenario.changed(
            clinic=clinic,
            providers=providers,
            visits=tuple(self._change_visit(visit, scenario.services[visit.service]) for visit in scenario.visits),
            links=self._change_links(scenario),
            policy=get_policy(),
        )

    # ---- The clinic ----

    def _change_clinic(self, clinic: Clinic) -> Clinic:
        mix, welcome = self._mix, self._mix.welcome
        blocks = tuple(block.changed(welcomes=(welcome,)) for block in clinic.blocks)
        there = tuple(block.location for block in blocks)
        pools = (Equipment(id=mix.equipment, location=place.id, units=mix.equipment_units) for place in clinic.locations)
        return clinic.changed(
            blocks=blocks,
            locations=tuple(place.changed(opens=mix.opens) for place in clinic.locations),
            closures=(*clinic.closures, *(self._close_room(clinic) for _ in range(mix.closed_rooms))),
            equipment=(*clinic.equipment, *pools),
            services=tuple(
                service.changed(locations=tuple(dict.fromkeys((*service.locations, *there))))
                if service.id == welcome
                else service
                for service in clinic.services
            ),
        )

    def _close_room(self, clinic: Clinic) -> Closure:
        """Draw a morning on which one of several like rooms is closed."""
        kinds = [(room.location, room.kind) for room in clinic.rooms]
        rooms = [room for room in clinic.rooms if kinds.count((room.location, room.kind)) > 1]
        room, day = self._rng.choice(rooms), self._rng.choice(self._dates.workdays)
        hours = (datetime.combine(day, clock) for clock in (self._mix.closed_from, self._mix.closed_to))
        start, end = hours
        return Closure(start=start, end=end, location=room.location, room=room.id, reason="repair")

    # ---- People ----

    def _change_provider(self, provider: Provider) -> Provider:
        if provider.role not in self._mix.beside_roles:
            return provider
        return provider.changed(shifts=tuple(self._open_beside(shift) for shift in provider.shifts))

    def _open_beside(self, shift: Shift) -> Shift:
        """Let single items of a shift take place beside the building of the others."""
        mix = self._mix
        if mix.beside_of not in shift.locations:
            return shift
        return shift.changed(locations=tuple(place for place in shift.locations if place != mix.beside), also=(mix.beside,))

    def _send_elsewhere(self, provider: Provider, block: Block, whole: Block) -> Provider:
        """Let those who could staff a special clinic, and do not, spend its half-day where the clinic is otherwise."""
        if provider.id in block.providers or provider.id not in whole.providers:
            return provider
        shifts = tuple(
            self._open_beside(shift.changed(locations=(self._mix.beside_of,)))
            if weekday(shift.start.date()) == block.weekday and shift.locations == (block.location,)
            else shift
            for shift in provider.shifts
        )
        return provider.changed(shifts=shifts)

    # ---- What is asked for ----

    def _change_visit(self, visit: Visit, service: Service) -> Visit:
        mix, rng = self._mix, self._rng
        needs: dict[str, Any] = {}
        if rng.random() < mix.minutes_share:
            needs["minutes"] = max(1, service.minutes + rng.choice(mix.minutes))
        if rng.random() < mix.equipment_share and mix.equipment not in service.equipment:
            needs["equipment"] = (mix.equipment,)
        if rng.random() < mix.unscheduled_share:
            needs["unscheduled"] = rng.choice(mix.unscheduled)
        return visit.changed(**needs) if needs else visit

    def _change_links(self, scenario: Scenario) -> tuple[Link, ...]:
        """Let the parts of a day that need no order come in any."""
        steps = {step.service for step in get_pathway(self._mix.any_order).steps}
        services = {visit.id: visit.service for visit in scenario.visits}
        return tuple(
            link.changed(any_order=True) if {services[link.before], services[link.after]} <= steps else link
            for link in scenario.links
        )
