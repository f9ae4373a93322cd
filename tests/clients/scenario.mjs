// What every client must see, whichever SDK and revision it speaks. The probes of the TypeScript SDKs give this an
// adapter; it holds all that is asserted, and must never know an SDK. `scenario.py` is the same for Python.
//
// The server's store holds the guests `chaos` and `zoo`; `component` is the path of examples/text-stats' component,
// which is loaded and unloaded here.
//
// An adapter has:
//   protocol()                     the revision that was negotiated
//   listTools()                    every tool, all pages
//   callTool(name, arguments, { onProgress, signal })   the result; throws with `code` on a protocol error
//   changes()                      how many list changes have arrived
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const builtIns = [
  'call-tool', 'get-policy', 'grant-environment-variable-permission', 'grant-memory-permission',
  'grant-network-permission', 'grant-storage-permission', 'inspect-component', 'list-components', 'load-component',
  'request-permission', 'reset-permission', 'revoke-environment-variable-permission', 'revoke-network-permission',
  'revoke-storage-permission', 'search-components', 'search-tools', 'unload-component',
];
const INVALID_PARAMS = -32602;

// Patience for what another task of the server's sends: far more than it takes, so that a busy machine fails nothing.
const PATIENCE_MILLIS = 20_000;

export async function run(adapter, { revision, component }) {
  assert.equal(adapter.protocol(), revision, 'the negotiated revision');
  await listsTools(adapter);
  await callsTools(adapter);
  await tellsErrors(adapter);
  await reportsProgress(adapter);
  await cancels(adapter);
  await loadsAndUnloads(adapter, component);
}

async function listsTools(adapter) {
  const tools = await adapter.listTools();
  const names = tools.map((tool) => tool.name);
  for (const name of builtIns) assert.ok(names.includes(name), `${name} is listed`);
  const ours = names.slice(0, builtIns.length);
  const theirs = names.slice(builtIns.length);
  assert.deepEqual(ours, [...builtIns].sort(), 'the list begins with the built-in tools');
  assert.deepEqual(theirs, [...theirs].sort(), 'all others are sorted by name');

  const allocate = tools.find((tool) => tool.name === 'allocate');
  assert.ok(allocate, 'a tool of a loaded component is listed');
  assert.ok(allocate.description?.includes('MiB'), "a tool has its function's description");
  assert.equal(allocate.inputSchema.properties.mebibytes.type, 'integer');
  assert.deepEqual(allocate.inputSchema.required, ['mebibytes']);
  assert.equal(allocate.outputSchema.type, 'object');
  assert.equal(allocate.outputSchema.properties.result.type, 'integer');
}

async function callsTools(adapter) {
  const number = await adapter.callTool('allocate', { mebibytes: 1 });
  assert.ok(!number.isError, text(number));
  assert.deepEqual(number.structuredContent, { result: 1 });
  assert.equal(text(number), '1');

  const person = {
    name: 'Ada', age: 36, tags: ['a', 'é'], 'previous-homes': [],
    home: { street: 'One', location: { x: -1, y: 2 } },
  };
  const record = await adapter.callTool('test_zoo_types_echo_person', { v: person });
  assert.deepEqual(record.structuredContent, { result: person }, 'a record comes back as it was');
  assert.deepEqual(JSON.parse(text(record)), person, 'the text is the same value');
}

async function tellsErrors(adapter) {
  const bad = await adapter.callTool('allocate', { mebibytes: 'one' });
  assert.equal(bad.isError, true, 'bad arguments are a result that the model can read');
  assert.match(text(bad), /arguments\.mebibytes/);

  const failed = await adapter.callTool('fail', { message: 'no luck today' });
  assert.equal(failed.isError, true, "a component's own error");
  assert.match(text(failed), /no luck today/);
  assert.equal(failed.structuredContent, undefined, 'no structured content beside an error');

  const trapped = await adapter.callTool('trap', {});
  assert.equal(trapped.isError, true, 'a trap');
  await answersStill(adapter, 'after a trap');

  await assert.rejects(
    adapter.callTool('no-such-tool', {}),
    (error) => error.code === INVALID_PARAMS,
    'an unknown tool is an error of the protocol',
  );
}

async function reportsProgress(adapter) {
  const reports = [];
  const slept = await adapter.callTool('sleep', { millis: 3000 }, { onProgress: (report) => reports.push(report.progress) });
  assert.ok(!slept.isError, text(slept));
  assert.ok(reports.length > 0, 'progress arrives while a call runs');
  assert.ok(reports.every((value, index) => index === 0 || value > reports[index - 1]), `progress grows: ${reports}`);
}

async function cancels(adapter) {
  const controller = new AbortController();
  const endless = adapter.callTool('infinite-loop', {}, { signal: controller.signal });
  setTimeout(() => controller.abort('enough'), 500);
  await assert.rejects(endless, 'a cancelled call has no result');
  await answersStill(adapter, 'after a cancelled call');
}

async function loadsAndUnloads(adapter, component) {
  assert.ok(!(await names(adapter)).includes('count-words'), 'the store is fresh');
  const before = adapter.changes();
  const loaded = await adapter.callTool('load-component', { path: component });
  assert.ok(!loaded.isError, text(loaded));
  const offered = loaded.structuredContent.result.tools;
  assert.ok(offered.some((tool) => tool.name === 'count-words' && tool.input_schema.properties.text), 'the answer has the new tools');
  await until(() => adapter.changes() > before, 'list_changed arrives after a load');
  assert.ok((await names(adapter)).includes('count-words'), 'the new tool is listed');

  const words = { text: 'one two three' };
  assert.deepEqual((await adapter.callTool('count-words', words)).structuredContent, { result: 3 });
  const indirect = await adapter.callTool('call-tool', { name: 'count-words', arguments: words });
  assert.ok(!indirect.isError, text(indirect));
  assert.match(text(indirect), /3/, 'the new tool is callable through call-tool');

  const between = adapter.changes();
  const unloaded = await adapter.callTool('unload-component', { id: 'text-stats' });
  assert.ok(!unloaded.isError, text(unloaded));
  await until(() => adapter.changes() > between, 'list_changed arrives after an unload');
  assert.ok(!(await names(adapter)).includes('count-words'), 'the tool is listed no more');
  await assert.rejects(adapter.callTool('count-words', words), (error) => error.code === INVALID_PARAMS);
}

async function answersStill(adapter, when) {
  const pong = await adapter.callTool('allocate', { mebibytes: 0 });
  assert.deepEqual(pong.structuredContent, { result: 0 }, when);
}

async function names(adapter) {
  return (await adapter.listTools()).map((tool) => tool.name);
}

async function until(holds, what) {
  const end = Date.now() + PATIENCE_MILLIS;
  while (!holds()) {
    assert.ok(Date.now() < end, what);
    await sleep(20);
  }
}

export function text(result) {
  return (result.content ?? []).map((block) => block.text).join('\n');
}
