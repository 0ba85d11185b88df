"""What came of simulations: one result a world and policy, as JSON, as tables and as a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api.reports.palette import COLOURS
from api.reports.picture.svg import Drawing
from api.reports.summary import table
from api.simulation.measures import PRIORITIES, SameDayRefusal, SimulationTally, Waits, WeekFigures
from api.simulation.policies import POLICIES, PolicyName
from api.simulation.setting import load_mix
from scheduling.care.rules import CareViolation, find_care_violations
from scheduling.fields import Count, Model, Priority

MAX_BROKEN = 20
"""Broken rules of care that a table names; the JSON names all."""


class Finding(Model):
    """A rule of care that was broken."""

    rule: str
    subject: str
    day: str
    detail: str

    @classmethod
    def of(cls, violation: CareViolation) -> Finding:
        """Write a finding of the judge."""
        return cls(rule=violation.rule, subject=violation.subject, day=violation.day.isoformat(), detail=violation.detail)


class Result(Model):
    """What came of one world under one policy.

    Attributes
    ----------
    left_out
        Visits that the plans of weeks left out when the weeks were planned for the first time.
    recontacted
        Patients called again because the clinic changed what they had been told.
    same_day
        Referrals of the day: placed, proven impossible, or without a place although nothing proves it.
    refusals
        Those without a place, each with its reasons.
    waiting
        Episodes that were open at the end.
    broken, excused
        Rules of care that were broken; those that would be too if illness and closures excused nothing.
    """

    policy: PolicyName
    seed: int
    visits: Count
    left_out: Count
    recontacted: Count
    utilisation: float
    sessions: Count
    refills: Count
    waits: Mapping[Priority, Waits]
    same_day: Mapping[str, Count]
    refusals: tuple[SameDayRefusal, ...] = ()
    alerts: Mapping[str, Count]
    waiting: Count
    weeks: tuple[WeekFigures, ...]
    broken: tuple[Finding, ...]
    excused: tuple[Finding, ...]


class Report(Model):
    """Simulations of the same worlds under several policies."""

    weeks: Count
    seconds: float
    results: tuple[Result, ...]


def build_result(tally: SimulationTally, policy: PolicyName) -> Result:
    """Return what came of a simulation that is over."""
    weeks = tuple(tally.weeks())
    told, pumps = tally.chronicle, load_mix().pumps
    faults = [*tally.broken, *find_care_violations(told, tally.care_rules)]
    untaken = replace(told, visits=[visit for visit in told.visits if not visit.taken])
    strict = find_care_violations(untaken, tally.care_rules)
    return Result(
        policy=policy,
        seed=tally.seed,
        visits=sum(week.visits for week in weeks),
        left_out=sum(week.left_out for week in weeks),
        recontacted=sum(tally.recontacted.values()),
        utilisation=round(sum(tally.minutes.values()) / max(sum(tally.supply.values()), 1), 3),
        sessions=len(told.sessions),
        refills=sum(pumps is not None and visit.service == pumps.service and visit.came for visit in told.visits),
        waits={priority: tally.waits_of(priority) for priority in PRIORITIES},
        same_day=dict(tally.same_day),
        refusals=tuple(tally.refusals),
        alerts=dict(tally.alerts),
        waiting=tally.waiting,
        weeks=weeks,
        broken=tuple(map(Finding.of, faults)),
        excused=tuple(Finding.of(fault) for fault in strict if fault not in faults),
    )


# ---- Tables ----


def tabulate_report(report: Report) -> Iterator[RenderableType]:
    """Yield the report for people: each policy beside the other, seed by seed, and what care was not as it has to be."""
    yield _tabulate_figures(report)
    yield Text()
    yield _tabulate_waits(report)
    refusals = [(result, refusal) for result in report.results for refusal in result.refusals]
    if refusals:
        yield Text()
        yield _tabulate_refusals(refusals)
    findings = [(result, fault) for result in report.results for fault in result.broken]
    if findings:
        yield Text()
        yield _tabulate_findings(findings)


def _tabulate_figures(report: Report) -> Table:
    heads = (
        ">visits",
        ">left out",
        ">called again",
        ">used",
        ">sessions",
        ">refills",
        ">same day",
        ">impossible",
        ">excused",
        ">broken",
    )
    made = table(f"{report.weeks} weeks, {report.seconds:g} s a week's plan", "seed", "policy", *heads)
    for result in report.results:
        rules = Counter(fault.rule for fault in result.broken)
        placed, impossible = result.same_day.get("placed", 0), result.same_day.get("proven impossible", 0)
        made.add_row(
            str(result.seed),
            result.policy,
            f"{result.visits:,}",
            f"{result.left_out:,}",
            f"{result.recontacted:,}",
            f"{result.utilisation:.1%}",
            str(result.sessions),
            str(result.refills),
            str(placed),
            str(impossible),
            str(len(result.excused)),
            str(rules.total()),
        )
    return made


def _tabulate_waits(report: Report) -> Table:
    heads = [head for priority in PRIORITIES for head in (f">{priority}", ">median", ">90 %")]
    made = table("Days of waiting: median and 90th percentile, by priority", "seed", "policy", *heads)
    for result in report.results:
        cells = [
            cell
            for priority in PRIORITIES
            for cell in (
                f"{result.waits[priority].visits:,}",
                f"{result.waits[priority].median:g}",
                str(result.waits[priority].p90),
            )
        ]
        made.add_row(str(result.seed), result.policy, *cells)
    return made


def _tabulate_refusals(refusals: Sequence[tuple[Result, SameDayRefusal]]) -> Table:
    made = table("Referrals of the day without a place", "seed", "policy", "came", "service", "somebody on duty", "why")
    for result, refusal in refusals:
        staffed = "yes" if refusal.staffed else "no"
        why = "; ".join(refusal.reasons)
        made.add_row(str(result.seed), result.policy, refusal.moment, refusal.service, staffed, why)
    return made


def _tabulate_findings(findings: Sequence[tuple[Result, Finding]]) -> Table:
    made = table("Care that was not as it has to be", "seed", "policy", "rule", "day", "of", "finding")
    for result, fault in findings[:MAX_BROKEN]:
        made.add_row(str(result.seed), result.policy, fault.rule, fault.day, fault.subject, fault.detail)
    if len(findings) > MAX_BROKEN:
        made.add_row("", "", "", "", "", f"... and {len(findings) - MAX_BROKEN} more")
    return made


# ---- The picture ----

WIDTH, HEIGHT, MARGIN, LABELS = 180.0, 44.0, 12.0, 24.0
"""Millimetres: a panel, and what surrounds it."""

SHADES: Mapping[PolicyName, str] = dict(zip(POLICIES, COLOURS, strict=False))


def draw_report(report: Report) -> bytes:
    """Draw waits, use and calls week by week, a line for each policy: the median of its worlds."""
    panels = (
        (
            "Median days of waiting of the week's visits",
            [(result, _list_weekly(result, "median_wait")) for result in report.results],
        ),
        (
            "Providers' minutes used, %",
            [(result, [100 * u for u in _list_weekly(result, "utilisation")]) for result in report.results],
        ),
        (
            "Patients called again, so far",
            [(result, _accumulate(_list_weekly(result, "recontacted"))) for result in report.results],
        ),
        (
            "Visits left out of their week's plan, so far",
            [(result, _accumulate(_list_weekly(result, "left_out"))) for result in report.results],
        ),
    )
    drawing = Drawing(WIDTH + LABELS + MARGIN, len(panels) * (HEIGHT + MARGIN) + 2 * MARGIN, "Weeks under each policy")
    for number, name in enumerate(list_policies(report)):
        x = LABELS + 45 * number
        drawing.line(x, MARGIN / 2, x + 8, MARGIN / 2, SHADES[name], 1.2)
        drawing.text(x + 10, MARGIN / 2 + 1.2, name, 3.6)
    for number, (title, lines) in enumerate(panels):
        _draw_panel(drawing, MARGIN + number * (HEIGHT + MARGIN), title, _calculate_medians(lines))
    return drawing.to_bytes()


def list_policies(report: Report) -> tuple[PolicyName, ...]:
    """Return the policies that a report compares."""
    return tuple(name for name in POLICIES if any(result.policy == name for result in report.results))


def _list_weekly(result: Result, name: str) -> list[float]:
    return [float(getattr(week, name)) for week in result.weeks]


def _accumulate(values: Iterable[float]) -> list[float]:
    total, sums = 0.0, []
    for value in values:
        total += value
        sums.append(total)
    return sums


def _calculate_medians(lines: Sequence[tuple[Result, list[float]]]) -> dict[PolicyName, list[float]]:
    """Return, by policy, the median over its worlds, week by week."""
    by_policy: dict[PolicyName, list[list[float]]] = {}
    for result, values in lines:
        by_policy.setdefault(result.policy, []).append(values)
    return {name: [median(week) for week in zip(*worlds, strict=True)] for name, worlds in by_policy.items()}


def _draw_panel(drawing: Drawing, top: float, title: str, lines: Mapping[PolicyName, Sequence[float]]) -> None:
    highest = max((value for values in lines.values() for value in values), default=0.0) or 1.0
    bottom = top + HEIGHT
    drawing.text(LABELS, top - 1, title, 3.6, font_weight="bold")
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (HEIGHT - 4)
        drawing.line(LABELS, y, LABELS + WIDTH, y, "#cccccc", 0.2)
        drawing.text(LABELS - 2, y + 1, f"{share * highest:.3g}", 3, text_anchor="end")
    for name, values in lines.items():
        steps = WIDTH / max(len(values) - 1, 1)
        at = [(LABELS + n * steps, bottom - value / highest * (HEIGHT - 4)) for n, value in enumerate(values)]
        points = " ".join(f"{x:.2f},{y:.2f}" for x, y in at)
        drawing.add("polyline", points=points, fill="none", stroke=SHADES[name], stroke_width="0.9")
