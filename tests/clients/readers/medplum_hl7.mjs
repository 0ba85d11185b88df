// Reads scheduling messages with Medplum; prints what it found, a line for each file. NODE_PACKAGES is where packages are.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { Hl7Message } = createRequire(process.env.NODE_PACKAGES + '/')('@medplum/core');

// Medplum hands a field over as it is written: its escapes are left to whoever reads it (HL7 v2.5.1, 2.7).
const CHARACTERS = { F: '|', S: '^', T: '&', R: '~', E: '\\' };
const unescape = (text) => text.replace(/\\([FSTRE])\\/g, (_, letter) => CHARACTERS[letter]);

for (const file of process.argv.slice(2)) {
  const message = Hl7Message.parse(readFileSync(file, 'utf-8'));
  const people = message.getAllSegments('PID');
  const schedule = message.getSegment('SCH');
  const name = people[0].getField(5).components[0].map((part) => unescape(String(part)));
  console.log(JSON.stringify([schedule.getComponent(2, 1), ...name, schedule.getComponent(11, 4), String(people.length)]));
}
