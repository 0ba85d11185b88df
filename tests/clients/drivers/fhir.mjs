// Reads, searches and finds with a client library: LIBRARY BASE TOKEN PARAMETERS; prints what it saw as JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [library, base, token, parameters] = process.argv.slice(2);
const require = createRequire(`${process.env.NODE_PACKAGES}/x.js`);
const wanted = JSON.parse(parameters);

async function withKit() {
  const folder = `${process.env.NODE_PACKAGES}/node_modules/fhir-kit-client`;
  const entry = JSON.parse(readFileSync(`${folder}/package.json`)).exports['.'].import;
  const { Client } = await import(pathToFileURL(`${folder}/${entry.default ?? entry}`).href);
  const client = new Client({ baseUrl: base, customHeaders: { Authorization: `Bearer ${token}` } });
  const said = await client.request('metadata');
  const ids = [];
  let page = await client.search({ resourceType: 'Appointment', searchParams: { _count: '20' } });
  while (page) {
    ids.push(...(page.entry ?? []).map((entry) => entry.resource.id));
    page = await client.nextPage({ bundle: page });
  }
  const read = await client.read({ resourceType: 'Appointment', id: ids[0] });
  const found = await client.operation({ name: 'find', resourceType: 'Appointment', input: wanted });
  return [said, ids, read, found];
}

async function withMedplum() {
  const { MedplumClient } = require('@medplum/core');
  const client = new MedplumClient({ baseUrl: base, fhirUrlPath: '', accessToken: token, fetch, cacheTime: 0 });
  const said = await client.get(`${base}/metadata`);
  const ids = [];
  for await (const page of client.searchResourcePages('Appointment', { _count: 20 })) {
    ids.push(...page.map((resource) => resource.id));
  }
  const read = await client.readResource('Appointment', ids[0]);
  const found = await client.post(`${base}/Appointment/$find`, wanted, 'application/fhir+json');
  return [said, ids, read, found];
}

const [said, ids, read, found] = await (library === 'medplum' ? withMedplum() : withKit());
const proposed = found.entry.map((entry) => entry.resource.status);
console.log(JSON.stringify({ version: said.fhirVersion, ids, read: read.id, proposed }));
