"""The board in a real browser: how soon it is there, how smoothly a visit is dragged, how soon places and verdicts come.

Run it in the project's environment, never as a part of the test suite; it takes two minutes and needs Chromium::

    python tests/benchmarks/bench_board.py [--week week] [--plan PLAN] [--visits 60] [--repeats 5]

The week is one of ``clinicweave generate`` with seed 0 that lies ahead, planned for 20 s, from a new SQLite store. Times are
what the page itself measures:

- *board*: from the log-in's answer until every visit is in the document;
- *longest frame* and *long tasks* (more than 50 ms): while a visit is dragged to 60 points over all rows, one a frame;
- *pick up*: from asking for the places of a visit until they are shaded, by keys, over 60 visits drawn at random;
- *hover, free*: from aiming at the next free place until its verdict is there, which the places have told already;
- *hover*: from sending any other place to be judged until its verdict is there.

The exit code is 1 when a time is above ``MOST_SECONDS``, or there was a long task.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from random import Random
from shutil import which
from typing import Any

from bench_plans import machine
from bench_service import PLAN_SECONDS, Times, percentile
from playwright.sync_api import sync_playwright

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS)]

from support.browser import ARGUMENTS, LATER, DeskServed, served_plan

from scheduling.generate import generate
from scheduling.plan import Plan
from solver import Limits, solve

MOVES = 60
LONG_TASK_SECONDS = 0.05
MOST_SECONDS = {
    "board": {50: 1.0},
    "longest frame": {50: LONG_TASK_SECONDS},
    "pick up": {50: 0.05, 95: 0.1},
    "hover, free": {50: 0.08, 95: 0.15},
    "hover": {50: 0.08, 95: 0.15},
}
"""For each row the percentiles that must stay below how many seconds."""

WATCH_FRAMES = """() => {
    window.watched = {frames: [], tasks: []};
    const keep = list => list.getEntries().forEach(entry => watched.tasks.push(entry.duration / 1000));
    const watch = new PerformanceObserver(keep);
    watch.observe({type: 'longtask'});
    let last = performance.now();
    const frame = now => {
        watched.frames.push((now - last) / 1000);
        last = now;
        if (!watched.over) requestAnimationFrame(frame);
    };
    requestAnimationFrame(now => { last = now; requestAnimationFrame(frame); });
}"""
DRAG = """async ([visit, moves]) => {
    const item = document.querySelector(`[data-visit='${visit}']`);
    const grid = document.querySelector('[role=grid]');
    const from = item.getBoundingClientRect();
    const at = {x: from.left + 5, y: from.top + 5};
    const send = (kind, x, y) => item.dispatchEvent(
        new PointerEvent(kind, {bubbles: true, button: 0, clientX: x, clientY: y, pointerId: 1}));
    send('pointerdown', at.x, at.y);
    const box = grid.getBoundingClientRect();
    for (let move = 1; move <= moves; move++) {
        const part = move / moves;
        send('pointermove', box.left + 250 + part * (box.width - 320), box.top + 80 + ((part * 3) % 1) * (box.height - 150));
        await new Promise(requestAnimationFrame);
    }
    window.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
    watched.over = true;
    return watched;
}"""
PICK_UP = """async visit => {
    const item = document.querySelector(`[data-visit='${visit}']`);
    const requests = () => performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('/judgements'));
    const until = async (holds, most) => {
        const begun = performance.now();
        while (!holds() && performance.now() - begun < most) await new Promise(done => setTimeout(done, 2));
        return performance.now();
    };
    const key = (name, more) =>
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true, ...more}));
    item.focus();
    const begun = performance.now();
    key('m');
    const shaded = await until(() => document.querySelector('.free'), 3000);
    const said = () => document.querySelector('aside .good, aside .bad');
    await until(said, 3000);  // of where it stands
    const start = performance.now();
    key('ArrowRight', {ctrlKey: true});
    const free = document.querySelector('.ghost.legal') ? await until(said, 3000) : null;
    for (let step = 0; step < 40 && document.querySelector('.ghost.legal'); step++) {
        key('ArrowDown');
        await new Promise(requestAnimationFrame);
    }
    await until(() => !document.querySelector('.ghost.legal') && said(), 3000);
    performance.clearResourceTimings();
    key('ArrowRight');
    await new Promise(requestAnimationFrame);
    const isAsked = !document.querySelector('.ghost.legal');
    if (isAsked) await until(() => requests().length, 3000);
    const verdict = isAsked ? await until(said, 3000) : null;
    const asked = requests()[0]?.startTime;
    key('Escape');
    return {
        shaded: (shaded - begun) / 1000,
        free: free === null ? null : (free - start) / 1000,
        verdict: asked === undefined ? null : (verdict - asked) / 1000,
    };
}"""


class BoardInBrowser:
    """A board that is opened, dragged over and asked, and how long each takes."""

    def __init__(self, browser: Any, desk: DeskServed, plan: Plan) -> None:
        self.browser, self.desk, self.plan, self.times = browser, desk, plan, Times()

    def open(self) -> Any:
        """Log in and open the board; return the page once every visit is on it."""
        page = self.browser.new_context(viewport={"width": 1920, "height": 1080}, bypass_csp=True).new_page()
        page.goto(f"{self.desk.address}/weeks/{self.desk.scenario.id}")
        page.get_by_label("Name").fill("demo")
        page.get_by_label("Pass phrase").fill(self.desk.password)
        page.evaluate("addEventListener('submit', () => (window.begun = performance.now()), true)")
        page.keyboard.press("Enter")
        shown = "new Set([...document.querySelectorAll('[data-visit]')].map(item => item.dataset.visit)).size"
        page.wait_for_function(f"{shown} === {len(self.plan.visits)}", polling=10)
        self.times.seconds["board"].append(page.evaluate("(performance.now() - window.begun) / 1000"))
        return page

    def measure_drag(self, page: Any, visit: str) -> None:
        """Drag a visit over all rows, in the view in which the whole week is on the screen."""
        page.evaluate(WATCH_FRAMES)
        watched = page.evaluate(DRAG, [visit, MOVES])
        self.times.seconds["longest frame"].append(max(watched["frames"]))
        if watched["tasks"]:
            self.times.seconds["long tasks"] += watched["tasks"]

    def measure_moves(self, page: Any, count: int) -> None:
        """Pick visits up, and hover over the next free place of each."""
        for visit in Random(0).sample([booking.visit for booking in self.plan.visits], count):
            taken = page.evaluate(PICK_UP, visit)
            self.times.seconds["pick up"].append(taken["shaded"])
            for name, seconds in (("hover, free", taken["free"]), ("hover", taken["verdict"])):
                if seconds is not None:
                    self.times.seconds[name].append(seconds)


def main() -> int:
    """Measure, print the table and name every fault; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the board in a browser.")
    parser.add_argument("--week", default="week", choices=("tiny", "week"))
    parser.add_argument("--plan", type=Path, help="its plan, of an earlier run; written there when it is not there")
    parser.add_argument("--visits", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    week = generate(given.week, seed=0, start=LATER)
    if given.plan and given.plan.is_file():
        plan = Plan.read(given.plan, week)
    else:
        plan = solve(week, Limits(seconds=PLAN_SECONDS, workers=2))
        if given.plan:
            plan.write(given.plan)
    with (
        tempfile.TemporaryDirectory() as folder,
        served_plan(Path(folder), week, plan) as desk,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=ARGUMENTS)
        print(f"{machine()}; Chromium {browser.version}, {len(plan.visits)} visits planned.\n")
        board = BoardInBrowser(browser, desk, plan)
        for booking in plan.visits[: given.repeats]:
            page = board.open()
            board.measure_drag(page, booking.visit)
        board.measure_moves(page, given.visits)
        browser.close()
    return report(board.times)


def report(times: Times) -> int:
    """Print the times and what of them is above its limit; return the exit code."""
    print(times.table(95), end="\n\n")
    for name, limits in MOST_SECONDS.items():
        for percent, most in limits.items():
            if (reached := percentile(times.seconds[name], percent)) > most:
                times.faults.append(f"{name}: p{percent} is {reached:.3f} s, more than {most:g} s")
    if "long tasks" in times.seconds:
        times.faults.append(f"{len(times.seconds['long tasks'])} task(s) while dragging took more than {LONG_TASK_SECONDS:g} s")
    for fault in times.faults:
        print(fault, file=sys.stderr)
    return 1 if times.faults else 0


if __name__ == "__main__":
    sys.exit(main())
