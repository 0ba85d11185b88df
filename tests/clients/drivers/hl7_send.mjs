// Sends messages with a library, and prints the MSA-1 and MSA-2 of what is answered: LIBRARY PORT FILE; NODE_PACKAGES is where
// packages are.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(process.env.NODE_PACKAGES + '/');
const [library, port, file] = process.argv.slice(2);
const text = readFileSync(file, 'utf-8');

function withSimple() {
  const { Server, Parser } = require('simple-hl7');
  const client = Server.createTcpClient('127.0.0.1', Number(port));
  const message = new Parser({ segmentSeperator: '\r' }).parse(text);
  return new Promise((resolve, reject) => {
    client.send(message, (error, answer) => {
      if (error) return reject(error);
      const msa = answer.getSegment('MSA');
      resolve([String(msa.getField(1)), String(msa.getField(2))]);
    });
  });
}

function withNode() {
  const { Client, Message } = require('node-hl7-client');
  const client = new Client({ host: '127.0.0.1' });
  return new Promise((resolve, reject) => {
    const outbound = client.createConnection({ port: Number(port) }, async (answer) => {
      const message = answer.getMessage();
      resolve([message.get('MSA.1').toString(), message.get('MSA.2').toString()]);
      await outbound.close();
    });
    outbound.on('client.error', reject);
    outbound.sendMessage(new Message({ text })).catch(reject);
  });
}

async function withMedplum() {
  const { Hl7Client } = require('@medplum/hl7');
  const { Hl7Message } = require('@medplum/core');
  const client = new Hl7Client({ host: '127.0.0.1', port: Number(port) });
  const msa = (await client.sendAndWait(Hl7Message.parse(text))).getSegment('MSA');
  await client.close();
  return [msa.getField(1).toString(), msa.getField(2).toString()];
}

const send = { 'simple-hl7': withSimple, 'node-hl7-client': withNode, '@medplum/hl7': withMedplum }[library];
console.log(JSON.stringify(await send()));
process.exit(0);
