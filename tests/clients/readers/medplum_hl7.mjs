// Reads scheduling messages with Medplum; prints what it found, a line for each file. NODE_PACKAGES is where packages are.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { Hl7Message } = createRequire(process.env.NODE_PACKAGES + '/')('@medplum/core');

for (const file of process.argv.slice(2)) {
  const message = Hl7Message.parse(readFileSync(file, 'utf-8'));
  const people = message.getAllSegments('PID');
  const schedule = message.getSegment('SCH');
  const name = people[0].getField(5).components[0].map(String);
  console.log(JSON.stringify([schedule.getComponent(2, 1), ...name, schedule.getComponent(11, 4), String(people.length)]));
}
