// Reads calendar files with ical.js, the parser inside Thunderbird, which knows a zone by nothing but the file's VTIMEZONE.
// Prints, for each file, one line: {"events": [[UID, start, end], ...], "faults": [...]}, instants in seconds since 1970.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const ICAL = createRequire(`${process.cwd()}/`)("ical.js");

function read(file) {
  try {
    const calendar = new ICAL.Component(ICAL.parse(readFileSync(file, "utf8")));
    const events = calendar.getAllSubcomponents("vevent").map((component) => {
      const event = new ICAL.Event(component);
      return [event.uid, event.startDate.toUnixTime(), event.endDate.toUnixTime()];
    });
    return { events, faults: [] };
  } catch (error) {
    return { events: [], faults: [String(error)] };
  }
}

for (const file of process.argv.slice(2)) {
  console.log(JSON.stringify(read(file)));
}
