// Takes messages with a library, prints a line of JSON for each, and accepts it: LIBRARY PORT; NODE_PACKAGES is where packages are.
// A line has MSH-10, SCH-2, PID-5, and how many PID segments there are. None of these libraries reads escapes.

import { createRequire } from 'node:module';

const require = createRequire(process.env.NODE_PACKAGES + '/');
const [library, port] = process.argv.slice(2);
const say = (id, visit, name, people) => console.log(JSON.stringify([id, visit, name, people]));

function withSimple() {
  const app = require('simple-hl7').tcp();
  app.use((request, answer) => {
    const { msg } = request;
    const people = msg.segments.filter((segment) => segment.name === 'PID');
    const visit = msg.getSegment('SCH').getComponent(2, 1).toString();
    say(msg.header.getField(8).toString(), visit, people[0].getField(5).toString(), people.length);
    answer.end();
  });
  app.start(Number(port));
}

function withNode() {
  const { Server } = require('node-hl7-server');
  new Server().createInbound({ port: Number(port) }, async (request, answer) => {
    const message = request.getMessage();
    const people = message.toString().split('\r').filter((segment) => segment.startsWith('PID'));
    say(message.get('MSH.10').toString(), message.get('SCH.2.1').toString(), people[0].split('|')[5], people.length);
    await answer.sendResponse('AA');
  });
}

function withMedplum() {
  const { Hl7Server } = require('@medplum/hl7');
  const server = new Hl7Server((connection) => {
    connection.addEventListener('message', ({ message }) => {
      const people = message.getAllSegments('PID');
      const id = message.getSegment('MSH').getField(10).toString();
      say(id, message.getSegment('SCH').getComponent(2, 1), people[0].getField(5).toString(), people.length);
      connection.send(message.buildAck());
    });
  });
  server.start(Number(port));
}

({ 'simple-hl7': withSimple, 'node-hl7-server': withNode, '@medplum/hl7': withMedplum })[library]();
