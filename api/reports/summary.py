"""Tables for people: what a plan costs, its figures, what it leaves out, and which rules it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api.reports.documents import gap
from api.reports.kpis import LONG_WAIT_PERCENT, Kpis, Share, compute_kpis
from api.web.words.sentences import describe_reason, describe_violations
from scheduling.check import Verdict
from scheduling.plan import Plan, Reason, Unscheduled, Violation
from scheduling.scenario import Scenario

MAX_LINES = 20
"""Visits left out, or violations, that a table names; ``--json`` names all."""


def table(title: str, *columns: str) -> Table:
    """Make a plain table."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        made.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return made


def standing(plan: Plan) -> str:
    """Say in one line how good a plan is proven to be."""
    if plan.status == "optimal":
        return f"optimal: cost {plan.cost:,}, and no plan costs less"
    proven = gap(plan)
    if plan.status == "unknown":
        return f"unknown: the pins break rules; cost {plan.cost:,}"
    if plan.bound is None or proven is None:
        return f"feasible: cost {plan.cost:,}, no bound"
    return f"feasible: cost {plan.cost:,}, bound {plan.bound:,}: at most {proven:.2%} could be saved"


def plan_tables(scenario: Scenario, plan: Plan) -> Iterator[RenderableType]:
    """Yield all that is shown of a plan without its bookings."""
    kpis = compute_kpis(scenario, plan)
    yield Text(f"{plan.scenario}: {standing(plan)}", "bold")
    yield Text()
    yield _side_by_side(_cost_table(plan), _figures_table(kpis))
    yield Text()
    yield _side_by_side(
        _share_table("Time of providers used", kpis.provider_minutes_by_role),
        _share_table("Rooms used", kpis.room_minutes_by_kind),
    )
    if plan.unscheduled:
        yield Text()
        yield left_out_table(scenario, plan.unscheduled)


def _side_by_side(*tables: Table) -> Table:
    grid = Table.grid(padding=(0, 4))
    grid.add_row(*tables)
    return grid


def _cost_table(plan: Plan) -> Table:
    made = table("Cost", "component", ">points")
    for component, points in sorted(plan.costs.components().items(), key=lambda pair: -pair[1]):
        if points:
            made.add_row(component, f"{points:,}")
    made.add_row("total", f"{plan.cost:,}", style="bold")
    return made


def share_text(share: Share) -> str:
    """Write a share as ``30 of 40 (75 %)``."""
    return f"{share.part:,} of {share.whole:,}" + ("" if share.ratio is None else f" ({share.ratio:.0%})")


def _figures_table(kpis: Kpis) -> Table:
    made = table("Figures", "", "")
    for label, text in figures(kpis).items():
        made.add_row(label, text)
    return made


def figures(kpis: Kpis) -> dict[str, str]:
    """Return the figures of a plan that there is something to say of, by their labels."""
    made = {f"{priority} visits planned": share_text(share) for priority, share in kpis.visits_by_priority.items()}
    wait = kpis.wait
    if wait.median_days is not None:
        made["days of waiting"] = f"median {wait.median_days:g}, {LONG_WAIT_PERCENT}% within {wait.long_days}"
    shares = {
        "visits after their target": kpis.late_visits,
        "minutes of providers used": kpis.provider_minutes,
        "preferred provider kept": kpis.wishes.provider,
        "preferred site kept": kpis.wishes.site,
        "preferred half-day kept": kpis.wishes.half,
        "patients with extra trips": kpis.patients_with_extra_trips,
        "holds for referrals kept": kpis.holds,
        "groups that meet": kpis.groups,
        "group seats filled": kpis.group_seats,
    }
    made |= {label: share_text(share) for label, share in shares.items() if share.whole}
    made["changes of site within a day"] = f"{kpis.site_changes:,}"
    if kpis.notified_moves:
        made["patients to call again"] = f"{kpis.notified_moves:,}"
    return made


def _share_table(title: str, shares: Mapping[str, Share]) -> Table:
    made = table(title, "", ">hours", ">of", ">used")
    for name, share in shares.items():
        used = "" if share.ratio is None else f"{share.ratio:.0%}"
        made.add_row(name, f"{share.part / 60:,.0f}", f"{share.whole / 60:,.0f}", used)
    return made


def left_out_table(scenario: Scenario, left: Iterable[Unscheduled]) -> Table:
    """Return the visits left out, the most pressing first, with the first reason of each."""
    order = list(scenario.policy.unscheduled.model_dump())
    pressing = sorted(left, key=lambda missing: (-order.index(scenario.visits_by_id[missing.visit].priority), missing.visit))
    made = table(f"Left out: {len(pressing)}", "visit", "service", "priority", "deadline", "why")
    for missing in pressing[:MAX_LINES]:
        visit = scenario.visits_by_id[missing.visit]
        why = f"{missing.reasons[0].rule}: {missing.reasons[0].detail}" if missing.reasons else ""
        made.add_row(*map(Text, (visit.id, visit.service, visit.priority, str(visit.deadline or ""), why)))
    if len(pressing) > MAX_LINES:
        made.add_row(f"and {len(pressing) - MAX_LINES} more", style="dim")
    return made


def reasons_table(scenario: Scenario, visit: str, reasons: Iterable[Reason]) -> Table:
    """Return why a visit is left out, in the words of the table."""
    made = table(f"Why {visit} is left out", "rule", "finding")
    for reason in reasons:
        made.add_row(Text(reason.rule), Text(describe_reason(scenario, visit, reason, discreet=True)))
    return made


def violations_table(scenario: Scenario, plan: Plan, violations: Iterable[Violation]) -> Table:
    """Return the rules that a plan breaks, in the words of the table and the checker's."""
    listed = list(violations)
    sentences = describe_violations(scenario, plan, listed, discreet=True)
    made = table(f"Broken rules: {len(listed)}", "rule", "concerns", "finding")
    for violation, words in zip(listed[:MAX_LINES], sentences, strict=False):
        made.add_row(*map(Text, (violation.rule, ", ".join(violation.ids), f"{words} ({violation.detail})")))
    if len(listed) > MAX_LINES:
        made.add_row(f"and {len(listed) - MAX_LINES} more", style="dim")
    return made


def misstated(plan: Plan, verdict: Verdict) -> Iterator[str]:
    """Yield what a plan says of its cost that is not so."""
    for component, points in verdict.costs.components().items():
        stated = plan.costs.components()[component]
        if stated != points:
            yield f"costs.{component} is stated as {stated:,} and is {points:,}"
    if plan.cost != verdict.cost:
        yield f"cost is stated as {plan.cost:,} and is {verdict.cost:,}"
    if plan.bound is not None and plan.bound > verdict.cost:
        yield f"bound is stated as {plan.bound:,}, above the cost of {verdict.cost:,}"


def pins_conflict(scenario: Scenario, plan: Plan) -> str:
    """Say which pins break rules; when there are none, it is the notification budget that cannot be kept."""
    pinned = [left for left in plan.unscheduled if scenario.visits_by_id[left.visit].pinned is not None]
    if not pinned:
        return f"Error: more than {scenario.policy.max_notified_moves} notified patients have to be called again."
    lines = [f"  {left.visit}: {reason.rule}: {reason.detail}" for left in pinned for reason in left.reasons]
    return "\n".join(["Error: the pins of these visits cannot be kept together with the rules:", *lines])
