// Reads calendar files with node-ical; prints what icaljs.mjs does.
import { createRequire } from "node:module";

const ical = createRequire(`${process.cwd()}/`)("node-ical");

function read(file) {
  try {
    const events = Object.values(ical.sync.parseFile(file))
      .filter((component) => component.type === "VEVENT")
      .map((event) => [event.uid, event.start.getTime() / 1000, event.end.getTime() / 1000]);
    return { events, faults: [] };
  } catch (error) {
    return { events: [], faults: [String(error)] };
  }
}

for (const file of process.argv.slice(2)) {
  console.log(JSON.stringify(read(file)));
}
