"""Bundles: what was found, a page at a time, and what has to be told beside it; and the history of one resource."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import uuid4

from api.fhir.datatypes import Element, drop_empty
from api.fhir.outcomes import Issue, make_outcome

IHE_BUNDLE = "https://profiles.ihe.net/ITI/Scheduling/StructureDefinition/ihe-sched-avail-bundle"


def make_searchset(
    base: str,
    matches: Iterable[Element],
    links: dict[str, str],
    total: int | None = None,
    included: Iterable[Element] = (),
    issues: Iterable[Issue] = (),
    profile: str | None = None,
) -> Element:
    """Return a page of what was found.

    Parameters
    ----------
    base
        The address of the server, before the types of resources.
    links
        Addresses by relation: ``self``, ``next``.
    issues
        What has to be told; it comes last, as an outcome.
    """
    entries = [_make_entry(base, resource, "match") for resource in matches]
    entries += [_make_entry(base, resource, "include") for resource in included]
    told = list(issues)
    if told:
        outcome = {"fullUrl": f"urn:uuid:{uuid4()}", "resource": make_outcome(told), "search": {"mode": "outcome"}}
        entries.append(outcome)
    bundle: Element = {"resourceType": "Bundle", "type": "searchset"}
    if profile is not None:
        bundle["meta"] = {"profile": [profile]}
    if total is not None:
        bundle["total"] = total
    return bundle | drop_empty(
        {"link": [{"relation": relation, "url": url} for relation, url in links.items()], "entry": entries}
    )


def make_history(base: str, resource: Element, link: str) -> Element:
    """Return the history of a resource of which the present version alone is kept."""
    address, meta = _get_address(base, resource), resource["meta"]
    entry = {
        "fullUrl": address,
        "resource": resource,
        "request": {"method": "PUT", "url": address.removeprefix(f"{base}/")},
        "response": {"status": "200 OK", "etag": f'W/"{meta["versionId"]}"', "lastModified": meta["lastUpdated"]},
    }
    links = [{"relation": "self", "url": link}]
    return {"resourceType": "Bundle", "type": "history", "total": 1, "link": links, "entry": [entry]}


def _make_entry(base: str, resource: Element, mode: str) -> Element:
    return {"fullUrl": _get_address(base, resource), "resource": resource, "search": {"mode": mode}}


def _get_address(base: str, resource: Element) -> str:
    identifier = resource.get("id")
    return f"{base}/{resource['resourceType']}/{identifier}" if identifier else f"urn:uuid:{uuid4()}"
