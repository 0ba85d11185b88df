// Expands the events of calendar files with ical.js. Arguments: a file and the first and last instant of a window, in seconds
// since 1970, again and again. Prints, for each, one line: {"busy": [[start, end], ...]} of what is neither free nor cancelled,
// or {"fault": why} where the file is refused.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const ICAL = createRequire(`${process.cwd()}/`)("ical.js");
const MOST_TURNS = 20000; // of one series: one that never ends is cut by the window

function is_busy(component) {
  const value = (name) => String(component.getFirstPropertyValue(name) ?? "").toUpperCase();
  return value("transp") !== "TRANSPARENT" && value("status") !== "CANCELLED" && value("x-microsoft-cdo-busystatus") !== "FREE";
}

function* list_occurrences(event, begin, end) {
  if (!event.isRecurring()) {
    yield { item: event, startDate: event.startDate, endDate: event.endDate };
    return;
  }
  const turns = event.iterator();
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    const next = turns.next();
    if (!next) return;
    const found = event.getOccurrenceDetails(next);
    if (found.startDate.toUnixTime() >= end && next.toUnixTime() >= end) return;
    yield found;
  }
}

function expand(file, begin, end) {
  ICAL.TimezoneService.reset();
  const parsed = ICAL.parse(readFileSync(file, "utf8"));
  const calendars = (typeof parsed[0] === "string" ? [parsed] : parsed).map((part) => new ICAL.Component(part));
  const busy = [];
  for (const calendar of calendars) {
    for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
    const events = calendar.getAllSubcomponents("vevent").map((component) => new ICAL.Event(component));
    const changed = events.filter((event) => event.isRecurrenceException());
    const series = events.filter((event) => !event.isRecurrenceException());
    for (const event of series) {
      for (const one of changed) if (one.uid === event.uid) event.relateException(one);
    }
    const alone = changed.filter((one) => !series.some((event) => event.uid === one.uid));
    for (const event of [...series, ...alone]) {
      for (const { item, startDate, endDate } of list_occurrences(event, begin, end)) {
        if (!is_busy(item.component)) continue;
        const [start, stop] = [startDate.toUnixTime(), endDate.toUnixTime()];
        if (start < end && stop > begin) busy.push([Math.max(start, begin), Math.min(stop, end)]);
      }
    }
  }
  return busy;
}

for (let at = 2; at + 2 < process.argv.length; at += 3) {
  try {
    console.log(JSON.stringify({ busy: expand(process.argv[at], Number(process.argv[at + 1]), Number(process.argv[at + 2])) }));
  } catch (error) {
    console.log(JSON.stringify({ fault: String(error) }));
  }
}
