"""What changes from one plan to another, for people: in words, as tables, and beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api.reports.documents import to_document
from api.reports.kpis import compute_kpis
from api.reports.summary import MAX_LINES, figures, table
from scheduling.comparison import DIFFERENCES, Change, Comparison, CostChange, Difference
from scheduling.plan import Booking, Plan
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import Move, Proposal

NAMES: dict[Difference, str] = {
    "added": "added",
    "dropped": "left out",
    "moved": "moved",
    "attendees": "with other attendees",
    "details": "with another room or supervisor only",
}
"""What each sort of change is called in a count."""


# --- in words --------------------------------------------------------------------------------------------------------


def where(booking: Booking) -> str:
    """Say when, where and with whom a booking is."""
    people = f" with {' and '.join(booking.team)}" if booking.team else ""
    return f"{booking.start:%a %d %b %H:%M} {booking.room or booking.location}{people}"


def words(change: Change) -> str:
    """Say a change in one sentence, ids only, with the patients who have to be called."""
    calls = f"; call {', '.join(change.notify)}" if change.notify else ""
    return f"{_what(change)} {_happens(change)}{calls}"


def _what(change: Change) -> str:
    return change.id if change.kind == "visit" else f"{change.kind} {change.id}"


def _happens(change: Change) -> str:
    before, after = change.before, change.after
    if before is None or after is None:
        return f"is added on {where(after)}" if after else f"is left out; it was on {where(before)}" if before else ""
    if change.difference == "details":
        return " and ".join(_details(before, after))
    said = [f"moves from {where(before)} to {where(after)}"] if change.difference == "moved" else [f"stays on {where(after)}"]
    said += [f"{', '.join(change.joining)} joining"] if change.joining else []
    said += [f"{', '.join(change.leaving)} leaving"] if change.leaving else []
    return ", ".join(said)


def _details(before: Booking, after: Booking) -> Iterator[str]:
    if before.room != after.room:
        yield f"has {after.room} instead of {before.room}"
    if before.supervisors != after.supervisors:
        now, was = (" and ".join(booking.supervisors) or "nobody" for booking in (after, before))
        yield f"is supervised by {now} instead of {was}"


def counted(comparison: Comparison) -> str:
    """Say how much changes."""
    counts = [f"{number:,} {NAMES[kind]}" for kind in DIFFERENCES if (number := comparison.count(kind))]
    calls = f"{len(comparison.notify):,} patients to call again"
    return f"{', '.join(counts)}; {calls}" if counts else "nothing changes"


# --- as tables -------------------------------------------------------------------------------------------------------


def comparison_tables(comparison: Comparison, moves: Sequence[Move] = ()) -> Iterator[RenderableType]:
    """Yield what differs between two plans: how much, at what cost, and each change in words.

    Changes of rooms and supervisors alone are counted when they are many; ``moves`` tell why people are moved.
    """
    yield Text(f"{_first_up(counted(comparison))}.", "bold")
    yield Text()
    yield cost_changes_table(comparison)
    if comparison.changes:
        yield Text()
        yield changes_table(comparison.changes)
    if moves:
        yield Text()
        yield moves_table(moves)


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def cost_changes_table(comparison: Comparison) -> Table:
    """Return the cost of two plans by component, where either has any."""
    made = table("Cost", "component", ">before", ">after", ">difference")
    for component, change in comparison.costs.items():
        if change.before or change.after:
            made.add_row(component, *_points(change))
    made.add_row("total", *_points(comparison.cost), style="bold")
    return made


def _points(change: CostChange) -> tuple[str, str, str]:
    return f"{change.before:,}", f"{change.after:,}", f"{change.difference:+,}" if change.difference else "0"


def changes_table(changes: Iterable[Change]) -> Table:
    """Return the changes in words, those that somebody outside sees first."""
    told = [change for change in changes if change.difference != "details"]
    details = [change for change in changes if change.difference == "details"]
    made = table("Changes", "")
    for change in [*told, *(details if len(details) <= MAX_LINES else ())]:
        made.add_row(Text(words(change)))
    if len(details) > MAX_LINES:
        made.add_row(f"and {len(details):,} {NAMES['details']} (--json names them)", style="dim")
    return made


def moves_table(moves: Iterable[Move]) -> Table:
    """Return why people are moved."""
    listed = list(moves)
    examined = [move for move in listed if move.finding != "not-examined"]
    made = table(f"Not where they stand: {len(listed)}", "what", "call", "why")
    for move in examined:
        name = move.id if move.kind == "visit" else f"group {move.id}"
        made.add_row(Text(name), Text(", ".join(move.people)), Text(reason(move)))
    if len(examined) < len(listed):
        made.add_row(f"and {len(listed) - len(examined)} more that the time was too short to examine", style="dim")
    return made


def reason(move: Move) -> str:
    """Say why something is not where it stands."""
    rules, others = ", ".join(move.rules), ", ".join(move.others)
    if move.finding == "forced":
        return f"cannot stay ({rules or 'no room or supervisor'})"
    if move.finding == "in-the-way":
        return f"staying is at odds with {others or 'the rest of the plan'} ({rules}); no way to make room was found"
    return (
        f"staying {_price(move)}" if move.finding == "free" else f"staying, with {others} giving way ({rules}), {_price(move)}"
    )


def _price(move: Move) -> str:
    more = move.costs_more or 0
    if more < 0:
        return f"would save {-more:,}: the search ended before"
    return f"would cost {more:,} more" if more else "costs the same"


def beside(scenario: Scenario, before: Plan, asked: Scenario, after: Plan) -> Table:
    """Return the figures of two plans beside each other, where they differ."""
    made = table("Figures", "", "before", "after")
    first, second = figures(compute_kpis(scenario, before)), figures(compute_kpis(asked, after))
    for label in dict.fromkeys([*first, *second]):
        if first.get(label) != second.get(label):
            made.add_row(label, first.get(label, ""), second.get(label, ""))
    return made


def moves_document(moves: Iterable[Move]) -> list[dict[str, Any]]:
    """Return why people are moved, for machines."""
    return [to_document(move) for move in moves]


# --- proposals -------------------------------------------------------------------------------------------------------


def proposal_tables(title: str, proposals: Sequence[Proposal]) -> Iterator[RenderableType]:
    """Yield proposals, best first, and what each changes beside the visits that it is about."""
    made = table(title, ">", "visit", "when", "where", "with", ">cost", ">to call", ">others changed")
    for number, proposal in enumerate(proposals, start=1):
        for index, booking in enumerate(proposal.bookings):
            people = " and ".join(booking.team) + (f" under {' and '.join(booking.supervisors)}" if booking.supervisors else "")
            place = (booking.visit, f"{booking.start:%a %d %b %H:%M}", booking.room or booking.location, people)
            told = ("", "", "") if index else (f"{proposal.cost:+,}", f"{proposal.notified}", f"{len(proposal.moves)}")
            made.add_row("" if index else f"{number}", *map(Text, place), *told)
    yield made
    for number, proposal in enumerate(proposals, start=1):
        if proposal.moves:
            yield Text()
            yield Text(f"For {number}:", "bold")
            yield from (Text(f"  {words(change)}") for change in proposal.moves)


def proposals_document(proposals: Iterable[Proposal]) -> list[dict[str, Any]]:
    """Return proposals for machines, without their plans."""
    return [
        {
            "bookings": [booking.model_dump(mode="json") for booking in proposal.bookings],
            "cost": proposal.cost,
            "notified": proposal.notified,
            "comparison": proposal.comparison.model_dump(mode="json"),
        }
        for proposal in proposals
    ]
