"""Defaults of a scenario that depend on other parts of it: every location, every site, the horizon's start, the id.

All other defaults stand at their fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from scheduling.clinic import Clinic
from scheduling.fields import Horizon
from scheduling.people import Patient, Provider
from scheduling.requests import Visit


class _CompletedParts(TypedDict):
    """The parts of a scenario with no such key left out."""

    clinic: Clinic
    providers: tuple[Provider, ...]
    patients: tuple[Patient, ...]
    visits: tuple[Visit, ...]


def complete_clinic(clinic: Clinic) -> Clinic:
    """Return a clinic whose services say where they take place."""
    if all("locations" in service.model_fields_set for service in clinic.services):
        return clinic
    everywhere = tuple(location.id for location in clinic.locations)
    return clinic.changed(services=tuple(service.with_defaults(locations=everywhere) for service in clinic.services))


def complete_providers(providers: Iterable[Provider], clinic: Clinic) -> tuple[Provider, ...]:
    """Return providers who have a name and a role, and whose shifts say where they may be spent."""
    everywhere = tuple(location.id for location in clinic.locations)
    return tuple(_complete_provider(provider, everywhere) for provider in providers)


def _complete_provider(provider: Provider, everywhere: tuple[str, ...]) -> Provider:
    named = provider.with_defaults(name=provider.id, role=provider.id)
    if all("locations" in shift.model_fields_set for shift in provider.shifts):
        return named
    return named.changed(shifts=tuple(shift.with_defaults(locations=everywhere) for shift in provider.shifts))


def complete_patients(patients: Iterable[Patient], clinic: Clinic) -> tuple[Patient, ...]:
    """Return patients who have a name, and sites that they can reach."""
    everywhere = tuple(site.id for site in clinic.sites)
    return tuple(patient.with_defaults(name=patient.id, allowed_sites=everywhere) for patient in patients)


def complete_visits(visits: Iterable[Visit], horizon: Horizon) -> tuple[Visit, ...]:
    """Return visits that say from when on they may take place."""
    return tuple(visit.with_defaults(earliest=horizon.start) for visit in visits)


def complete_parts(
    clinic: Clinic, horizon: Horizon, providers: Iterable[Provider], patients: Iterable[Patient], visits: Iterable[Visit]
) -> _CompletedParts:
    """Return the parts of a scenario with every default that depends on another part."""
    return {
        "clinic": complete_clinic(clinic),
        "providers": complete_providers(providers, clinic),
        "patients": complete_patients(patients, clinic),
        "visits": complete_visits(visits, horizon),
    }
