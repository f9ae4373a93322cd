// The suite's baseline is by scenario: one that we pass in part could lose all its other checks unseen. This compares
// the checks that failed or warned with a list, and fails on any difference. It also fails if any message of ours broke the
// protocol's own JSON schema, in whichever scenario.
//
//   node partial.mjs LIST RESULTS
//
// A line of LIST is `scenario check`, then `# reason`. RESULTS is the suite's output folder.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [list, results] = process.argv.slice(2);
const expected = new Map();
for (const line of readFileSync(list, 'utf8').split('\n')) {
  const [scenario, check] = line.replace(/#.*/, '').trim().split(/\s+/);
  if (check) expected.set(scenario, [...(expected.get(scenario) ?? []), check]);
}

const wrong = [];
const seen = new Set();
for (const folder of readdirSync(results)) {
  // server-<scenario>-<timestamp>
  const scenario = folder.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
  const failures = JSON.parse(readFileSync(join(results, folder, 'checks.json'), 'utf8'))
    .filter((check) => check.status === 'FAILURE' || check.status === 'WARNING')
    .map((check) => check.id);
  if (failures.includes('wire-schema-valid')) wrong.push(`${scenario}: a message breaks the protocol's schema`);
  if (!expected.has(scenario)) continue;
  seen.add(scenario);
  const known = expected.get(scenario);
  for (const check of failures) if (!known.includes(check)) wrong.push(`${scenario}: ${check} fails, and is not listed`);
  for (const check of known) if (!failures.includes(check)) wrong.push(`${scenario}: ${check} is listed, and does not fail`);
}
for (const scenario of expected.keys()) if (!seen.has(scenario)) wrong.push(`${scenario}: listed, and did not run`);

for (const line of wrong) console.log(`    ${line}`);
process.exit(wrong.length === 0 ? 0 : 1);
