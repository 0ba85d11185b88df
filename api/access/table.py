"""Which role may do what, on whose object: the one table. What is not in it is not allowed, and not even a route.

A route that is missing here fails when the application is put together, and so does a line without its route. ``ANY`` lets a
role at every object. ``OWN`` lets it only at objects of its own: each id in the path, and each id in the body that the line
names, must be one, by :mod:`api.access.owners`; where there is none, as in lists, the service narrows to own objects. Public
lines are for everybody, known or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from api.access.actor import AccessRole, Actor


class Scope(StrEnum):
    """On whose objects a role may act."""

    ANY = "any"
    OWN = "own"


ANY, OWN = Scope.ANY, Scope.OWN

BEFORE_SECOND_FACTOR = ("/v1/sessions/current", "/me/second-factor", "/me/leaving")
"""How the routes begin that whoever is in may use before there is a second factor."""


@dataclass(frozen=True, slots=True)
class Access:
    """One line: a method and path, and who may.

    Attributes
    ----------
    roles : mapping of AccessRole to Scope
        Those who may; nobody else.
    public : bool
        Whether everybody may, without being known.
    body : tuple of (str, str)
        Ids that the body names: where (``visit``, ``links[].before``), and of what kind, in braces where the body says it.
    needs : str
        The scope without which a hospital system may not, as ``Appointment.s``.
    """

    method: str
    path: str
    roles: Mapping[AccessRole, Scope]
    public: bool = False
    body: tuple[tuple[str, str], ...] = ()
    needs: str = ""

    def may(self, actor: Actor) -> bool:
        """Return whether somebody may at all; whether on an object is asked of its owner."""
        staff = self.roles.keys() - {AccessRole.PATIENT}
        is_closed_to_maker = actor.maker is not None and bool(staff) and actor.maker not in staff
        is_outside = actor.is_confined and not self.path.startswith(BEFORE_SECOND_FACTOR)
        return actor.role in self.roles and not is_closed_to_maker and not is_outside

    @property
    def named_in_path(self) -> tuple[str, ...]:
        """The kinds of the ids in the path: ``("visit",)`` for ``/v1/visits/{visit}``."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))


def allow(
    method: str, path: str, *, public: bool = False, body: Mapping[str, str] | None = None, needs: str = "", **roles: Scope
) -> Access:
    """Write a line: ``allow("GET", "/v1/visits/{visit}", scheduler=ANY, clinician=OWN)``."""
    whose = {AccessRole(role): scope for role, scope in roles.items()}
    return Access(method, path, whose, public, tuple((body or {}).items()), needs)


ACCESS: tuple[Access, ...] = (
    # How the service is.
    allow("GET", "/healthz", public=True),
    allow("GET", "/readyz", public=True),
    allow("GET", "/metrics", admin=ANY),
    allow("GET", "/openapi.json", public=True),
    allow("GET", "/docs", public=True),
    # The desk in a browser: one page, whose data come by the other routes.
    allow("GET", "/", public=True),
    allow("GET", "/weeks/{scenario}", public=True),
    allow("GET", "/weeks/{scenario}/plan", public=True),
    allow("GET", "/weeks/{scenario}/happened", public=True),
    allow("GET", "/visits/{visit}/why", public=True),
    allow("GET", "/patients/{patient}", public=True),
    allow("GET", "/pathways", public=True),
    allow("GET", "/groups", public=True),
    allow("GET", "/outlook", public=True),
    allow("GET", "/today", public=True),
    allow("GET", "/tasks", public=True),
    allow("GET", "/patients", public=True),
    allow("GET", "/intake", public=True),
    allow("GET", "/roster", public=True),
    allow("GET", "/admin", public=True),
    allow("GET", "/log-in", public=True),
    allow("GET", "/assets/{name}", public=True),
    # The page of a patient's link: the secret in the address is who asks.
    allow("GET", "/p/{secret}", public=True),
    allow("POST", "/p/{secret}", public=True),
    allow("GET", "/p/{secret}/appointment.ics", public=True),
    # The page of somebody of the staff, with forms instead of a script.
    allow("GET", "/me", public=True),
    allow("POST", "/me/log-in", public=True),
    allow("GET", "/me/second-factor", public=True),
    allow("POST", "/me/second-factor", scheduler=ANY, clinician=ANY, admin=ANY),
    allow("POST", "/me/second-factor/code", scheduler=ANY, clinician=ANY, admin=ANY),
    allow("POST", "/me/leaving", scheduler=ANY, clinician=ANY, admin=ANY),
    allow("POST", "/me/calendars", clinician=ANY),
    allow("POST", "/me/calendars/{feed}/end", clinician=OWN),
    allow("POST", "/me/outside-calendars", clinician=ANY),
    allow("POST", "/me/outside-calendars/{outside}/end", clinician=OWN),
    # Coming in, and leaving.
    allow("POST", "/v1/sessions", public=True),
    allow("GET", "/v1/sessions/current", scheduler=ANY, clinician=ANY, patient=ANY, admin=ANY),
    allow("DELETE", "/v1/sessions/current", scheduler=ANY, clinician=ANY, admin=ANY),
    allow("PUT", "/v1/sessions/current/password", scheduler=ANY, clinician=ANY, admin=ANY),
    allow("POST", "/v1/sessions/current/second-factor", scheduler=ANY, clinician=ANY, admin=ANY),
    allow("PUT", "/v1/sessions/current/second-factor", scheduler=ANY, clinician=ANY, admin=ANY),
    allow("GET", "/v1/oidc/log-in", public=True),
    allow("GET", "/v1/oidc/callback", public=True),
    # Who may come in.
    allow("GET", "/v1/accounts", admin=ANY),
    allow("POST", "/v1/accounts", admin=ANY),
    allow("GET", "/v1/accounts/{account}", admin=ANY),
    allow("PATCH", "/v1/accounts/{account}", admin=ANY),
    allow("DELETE", "/v1/accounts/{account}/sessions", admin=ANY),
    allow("GET", "/v1/accounts/{account}/tokens", admin=ANY),
    allow("POST", "/v1/accounts/{account}/tokens", admin=ANY),
    allow("DELETE", "/v1/tokens/{token}", admin=ANY),
    # What was done, and refused.
    allow("GET", "/v1/audit", admin=ANY),
    # What is asked for.
    allow("POST", "/v1/scenarios", scheduler=ANY),
    allow("GET", "/v1/scenarios", scheduler=ANY),
    allow("GET", "/v1/scenarios/{scenario}", scheduler=ANY),
    allow("GET", "/v1/scenarios/{scenario}/plan", scheduler=ANY),
    allow("GET", "/v1/scenarios/{scenario}/kpis", scheduler=ANY),
    allow("GET", "/v1/scenarios/{scenario}/board", scheduler=ANY),
    allow("GET", "/v1/scenarios/{scenario}/waiting", scheduler=ANY),
    allow("GET", "/v1/days/{date}", scheduler=ANY),
    allow("GET", "/v1/scenarios/{scenario}/visits", scheduler=ANY),
    allow("POST", "/v1/scenarios/{scenario}/visits", scheduler=ANY),
    allow("POST", "/v1/scenarios/{scenario}/links", scheduler=ANY),
    allow("DELETE", "/v1/scenarios/{scenario}/links/{before}/{after}", scheduler=ANY),
    allow("GET", "/v1/visits/{visit}", scheduler=ANY, clinician=OWN, patient=OWN),
    allow("PATCH", "/v1/visits/{visit}", scheduler=ANY),
    allow("DELETE", "/v1/visits/{visit}", scheduler=ANY),
    allow("GET", "/v1/patients", scheduler=ANY),
    allow("GET", "/v1/patients/{patient}/visits", scheduler=ANY, clinician=OWN),
    allow("GET", "/v1/patients/{patient}", scheduler=ANY, clinician=OWN),
    allow("PATCH", "/v1/patients/{patient}", scheduler=ANY),
    allow("GET", "/v1/patients/{patient}/record", admin=ANY),
    allow("DELETE", "/v1/patients/{patient}/record", admin=ANY),
    allow("POST", "/v1/patients/{patient}/emergency-accesses", clinician=ANY),
    allow("GET", "/v1/emergency-accesses", admin=ANY),
    allow("POST", "/v1/patients/{patient}/merge", scheduler=ANY),
    allow("DELETE", "/v1/patients/{patient}/merge", scheduler=ANY),
    allow("POST", "/v1/patients/{patient}/withdrawal", scheduler=ANY),
    # Plans, and what is published of them.
    allow("POST", "/v1/plans", scheduler=ANY),
    allow("GET", "/v1/plans", scheduler=ANY),
    allow("GET", "/v1/plans/{plan}", scheduler=ANY),
    allow("GET", "/v1/plans/{plan}/comparison", scheduler=ANY),
    allow("GET", "/v1/plans/{plan}/events", scheduler=ANY),
    allow("GET", "/v1/plans/{plan}/board", scheduler=ANY),
    allow("POST", "/v1/plans/{plan}/end", scheduler=ANY),
    allow("DELETE", "/v1/plans/{plan}", scheduler=ANY),
    allow("POST", "/v1/publications", scheduler=ANY),
    allow("GET", "/v1/publications", scheduler=ANY),
    allow("GET", "/v1/publications/{publication}", scheduler=ANY),
    # What would be, and why.
    allow("POST", "/v1/scenarios/{scenario}/what-ifs", scheduler=ANY),
    allow("GET", "/v1/what-ifs/{what_if}", scheduler=ANY),
    allow("DELETE", "/v1/what-ifs/{what_if}", scheduler=ANY),
    allow("POST", "/v1/what-ifs/{what_if}/realisation", scheduler=ANY),
    allow("POST", "/v1/visits/{visit}/explanations", scheduler=ANY),
    allow("GET", "/v1/explanations/{explanation}", scheduler=ANY),
    allow("DELETE", "/v1/explanations/{explanation}", scheduler=ANY),
    # Where visits stand, by hand.
    allow("GET", "/v1/visits/{visit}/booking", scheduler=ANY, clinician=OWN, patient=OWN),
    allow("POST", "/v1/visits/{visit}/booking", scheduler=ANY),
    allow("PATCH", "/v1/visits/{visit}/booking", scheduler=ANY),
    allow("DELETE", "/v1/visits/{visit}/booking", scheduler=ANY, patient=OWN),
    allow("PUT", "/v1/visits/{visit}/booking/state", scheduler=ANY, clinician=OWN),
    allow("DELETE", "/v1/visits/{visit}/booking/state", scheduler=ANY, clinician=OWN),
    allow("PUT", "/v1/visits/{visit}/pin", scheduler=ANY),
    allow("DELETE", "/v1/visits/{visit}/pin", scheduler=ANY),
    allow("POST", "/v1/visits/{visit}/offers", scheduler=ANY, clinician=OWN),
    # Several changes at once, at a desk.
    allow("GET", "/v1/visits/{visit}/places", scheduler=ANY),
    allow("GET", "/v1/visits/{visit}/history", scheduler=ANY),
    allow("POST", "/v1/scenarios/{scenario}/judgements", scheduler=ANY),
    allow("GET", "/v1/scenarios/{scenario}/changes", scheduler=ANY),
    allow("POST", "/v1/scenarios/{scenario}/changes", scheduler=ANY),
    allow("POST", "/v1/changes/{change}/reversal", scheduler=ANY),
    # Same-day referrals, and freed places.
    allow("POST", "/v1/referrals", scheduler=ANY, clinician=OWN, body={"patient": "patient"}),
    allow("POST", "/v1/visits/{visit}/displacement", scheduler=ANY),
    allow("POST", "/v1/visits/{visit}/displacement/judgement", scheduler=ANY),
    allow("POST", "/v1/scenarios/{scenario}/freed-places", scheduler=ANY),
    allow("POST", "/v1/scenarios/{scenario}/freed-places/candidates", scheduler=ANY),
    allow("GET", "/v1/visits/{visit}/freed-place", scheduler=ANY, patient=OWN),
    allow("POST", "/v1/visits/{visit}/freed-place/acceptance", scheduler=ANY, patient=OWN),
    allow("DELETE", "/v1/visits/{visit}/freed-place", scheduler=ANY, patient=OWN),
    # Care over months: intake, episodes, groups, the weeks to come.
    allow("GET", "/v1/intake/kinds", scheduler=ANY, clinician=ANY),
    allow("GET", "/v1/intake/template", scheduler=ANY),
    allow("POST", "/v1/intake", scheduler=ANY, clinician=OWN, body={"patient": "patient"}),
    allow("POST", "/v1/intake/spreadsheets", scheduler=ANY),
    allow("GET", "/v1/referrals-out", scheduler=ANY),
    allow("GET", "/v1/referrals-out/{referral}", scheduler=ANY),
    allow("PATCH", "/v1/referrals-out/{referral}", scheduler=ANY),
    allow("GET", "/v1/episodes", scheduler=ANY),
    allow("GET", "/v1/episodes/{episode}", scheduler=ANY, clinician=OWN),
    allow("POST", "/v1/episodes/{episode}/events", scheduler=ANY, clinician=OWN),
    allow("GET", "/v1/programmes", scheduler=ANY),
    allow("GET", "/v1/programmes/{programme}", scheduler=ANY),
    allow("PATCH", "/v1/programmes/{programme}", scheduler=ANY),
    allow("DELETE", "/v1/programmes/{programme}/people/{patient}", scheduler=ANY),
    allow("PUT", "/v1/programmes/{programme}/sessions/{month}", scheduler=ANY),
    allow("GET", "/v1/groups/{group}/booking", scheduler=ANY),
    allow("POST", "/v1/groups/{group}/booking", scheduler=ANY),
    allow("PATCH", "/v1/groups/{group}/booking", scheduler=ANY),
    allow("DELETE", "/v1/groups/{group}/booking", scheduler=ANY),
    allow("POST", "/v1/groups/{group}/filling", scheduler=ANY),
    allow("DELETE", "/v1/groups/{group}/attendees/{patient}", scheduler=ANY),
    allow("PUT", "/v1/roster", scheduler=ANY),
    allow("GET", "/v1/weeks/next", scheduler=ANY),
    allow("POST", "/v1/weeks", scheduler=ANY),
    allow("GET", "/v1/scenarios/{scenario}/alerts", scheduler=ANY),
    allow("GET", "/v1/outlook", scheduler=ANY),
    # Changes of the world: who is away, what is closed, who works more.
    allow("GET", "/v1/absences", scheduler=ANY),
    allow("POST", "/v1/absences", scheduler=ANY),
    allow("POST", "/v1/absences/weekly", scheduler=ANY),
    allow("GET", "/v1/absences/{absence}", scheduler=ANY),
    allow("PATCH", "/v1/absences/{absence}", scheduler=ANY),
    allow("DELETE", "/v1/absences/{absence}", scheduler=ANY),
    allow("GET", "/v1/closures", scheduler=ANY),
    allow("POST", "/v1/closures", scheduler=ANY),
    allow("GET", "/v1/closures/{closure}", scheduler=ANY),
    allow("PATCH", "/v1/closures/{closure}", scheduler=ANY),
    allow("DELETE", "/v1/closures/{closure}", scheduler=ANY),
    allow("GET", "/v1/extra-shifts", scheduler=ANY),
    allow("POST", "/v1/extra-shifts", scheduler=ANY),
    allow("GET", "/v1/extra-shifts/{shift}", scheduler=ANY),
    allow("PATCH", "/v1/extra-shifts/{shift}", scheduler=ANY),
    allow("DELETE", "/v1/extra-shifts/{shift}", scheduler=ANY),
    # What patients are told, what they answer, and what staff have to look at.
    allow("GET", "/v1/mail", scheduler=ANY, admin=ANY),
    allow("GET", "/v1/scenarios/{scenario}/answers", scheduler=ANY),
    allow("GET", "/v1/patients/{patient}/contact", scheduler=ANY),
    allow("PUT", "/v1/patients/{patient}/contact", scheduler=ANY),
    allow("GET", "/v1/patients/{patient}/messages", scheduler=ANY),
    allow("GET", "/v1/providers/{provider}/day-mail", scheduler=ANY, clinician=OWN),
    allow("PUT", "/v1/providers/{provider}/day-mail", scheduler=ANY, clinician=OWN),
    allow("POST", "/v1/answers", scheduler=ANY),
    allow("GET", "/v1/tasks", scheduler=ANY),
    allow("GET", "/v1/tasks/{task}", scheduler=ANY),
    allow("PUT", "/v1/tasks/{task}/done", scheduler=ANY),
    # Calendars that are subscribed to: the secret in the address is who asks. And calendars elsewhere.
    allow("GET", "/calendars/{calendar}/{secret}.ics", public=True),
    allow("HEAD", "/calendars/{calendar}/{secret}.ics", public=True),
    allow("GET", "/v1/feeds", scheduler=OWN, clinician=OWN, admin=ANY),
    allow("POST", "/v1/feeds", scheduler=ANY, clinician=OWN, admin=ANY, body={"subject": "{kind}"}),
    allow("DELETE", "/v1/feeds/{feed}", scheduler=OWN, clinician=OWN, admin=ANY),
    allow("POST", "/v1/patients/{patient}/feeds", scheduler=ANY, clinician=OWN),
    allow("GET", "/v1/providers/{provider}/outside-calendars", scheduler=ANY, clinician=OWN),
    allow("POST", "/v1/providers/{provider}/outside-calendars", scheduler=ANY, clinician=OWN),
    allow("DELETE", "/v1/outside-calendars/{outside}", scheduler=ANY, clinician=OWN),
    # Hospital systems: FHIR R4, and the tokens by which they come.
    allow("POST", "/oauth/token", public=True),
    allow("GET", "/fhir/r4/metadata", public=True),
    allow("GET", "/fhir/r4/.well-known/smart-configuration", public=True),
    allow("GET", "/fhir/r4/Appointment", system=ANY, needs="Appointment.s"),
    allow("POST", "/fhir/r4/Appointment/_search", system=ANY, needs="Appointment.s"),
    allow("GET", "/fhir/r4/Appointment/{resource}", system=ANY, needs="Appointment.r"),
    allow("GET", "/fhir/r4/HealthcareService", system=ANY, needs="HealthcareService.s"),
    allow("POST", "/fhir/r4/HealthcareService/_search", system=ANY, needs="HealthcareService.s"),
    allow("GET", "/fhir/r4/HealthcareService/{resource}", system=ANY, needs="HealthcareService.r"),
    allow("GET", "/fhir/r4/Location", system=ANY, needs="Location.s"),
    allow("POST", "/fhir/r4/Location/_search", system=ANY, needs="Location.s"),
    allow("GET", "/fhir/r4/Location/{resource}", system=ANY, needs="Location.r"),
    allow("GET", "/fhir/r4/Patient", system=ANY, needs="Patient.s"),
    allow("POST", "/fhir/r4/Patient/_search", system=ANY, needs="Patient.s"),
    allow("GET", "/fhir/r4/Patient/{resource}", system=ANY, needs="Patient.r"),
    allow("GET", "/fhir/r4/Practitioner", system=ANY, needs="Practitioner.s"),
    allow("POST", "/fhir/r4/Practitioner/_search", system=ANY, needs="Practitioner.s"),
    allow("GET", "/fhir/r4/Practitioner/{resource}", system=ANY, needs="Practitioner.r"),
    allow("GET", "/fhir/r4/PractitionerRole", system=ANY, needs="PractitionerRole.s"),
    allow("POST", "/fhir/r4/PractitionerRole/_search", system=ANY, needs="PractitionerRole.s"),
    allow("GET", "/fhir/r4/PractitionerRole/{resource}", system=ANY, needs="PractitionerRole.r"),
    allow("GET", "/fhir/r4/Schedule", system=ANY, needs="Schedule.s"),
    allow("POST", "/fhir/r4/Schedule/_search", system=ANY, needs="Schedule.s"),
    allow("GET", "/fhir/r4/Schedule/{resource}", system=ANY, needs="Schedule.r"),
    allow("GET", "/fhir/r4/ServiceRequest", system=ANY, needs="ServiceRequest.s"),
    allow("POST", "/fhir/r4/ServiceRequest/_search", system=ANY, needs="ServiceRequest.s"),
    allow("GET", "/fhir/r4/ServiceRequest/{resource}", system=ANY, needs="ServiceRequest.r"),
    allow("GET", "/fhir/r4/Slot", system=ANY, needs="Slot.s"),
    allow("POST", "/fhir/r4/Slot/_search", system=ANY, needs="Slot.s"),
    allow("GET", "/fhir/r4/Slot/{resource}", system=ANY, needs="Slot.r"),
    allow("POST", "/fhir/r4", system=ANY, needs="ServiceRequest.c"),
    allow("POST", "/fhir/r4/ServiceRequest", system=ANY, needs="ServiceRequest.c"),
    allow("POST", "/fhir/r4/Appointment/$find", system=ANY, needs="Appointment.s"),
    allow("POST", "/fhir/r4/Appointment/$hold", system=ANY, needs="Appointment.c"),
    allow("POST", "/fhir/r4/Appointment/$book", system=ANY, needs="Appointment.c"),
    allow("PUT", "/fhir/r4/Appointment/{resource}", system=ANY, needs="Appointment.u"),
    allow("PATCH", "/fhir/r4/Appointment/{resource}", system=ANY, needs="Appointment.u"),
    allow("GET", "/fhir/r4/Appointment/{resource}/_history", system=ANY, needs="Appointment.r"),
    allow("GET", "/fhir/r4/Appointment/{resource}/_history/{vid}", system=ANY, needs="Appointment.r"),
    # Patients' links.
    allow("POST", "/v1/visits/{visit}/links", scheduler=ANY, clinician=OWN),
    allow("GET", "/v1/visits/{visit}/links", scheduler=ANY, clinician=OWN),
    allow("GET", "/v1/links", admin=ANY),
    allow("DELETE", "/v1/links/{link}", scheduler=ANY, clinician=OWN, admin=ANY),
)

_LINES = {(line.method, line.path): line for line in ACCESS}


def get_line(method: str, path: str) -> Access:
    """Return the line of a route. Raises ``LookupError`` when it has none: such a route must not exist."""
    try:
        return _LINES[method, path]
    except KeyError:
        raise LookupError(f"{method} {path} is not in the access table") from None


def list_methods(path: str) -> list[str]:
    """Return the methods that a path takes."""
    return sorted(method for method, known in _LINES if known == path)
