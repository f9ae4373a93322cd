// Tells a story with the TypeScript client 2.x, in one of its three ways to choose a revision.
//
//   node ts_sdk_v2.mjs legacy|auto|2026-07-28 tools|approvals COMPONENT stdio PROGRAM [ARGUMENT…]
//   node ts_sdk_v2.mjs legacy|auto|2026-07-28 tools|approvals COMPONENT http URL
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { setTimeout as sleep } from 'node:timers/promises';
import * as approvals from './approvals.mjs';
import * as tools from './scenario.mjs';

const [mode, story, component, kind, target, ...rest] = process.argv.slice(2);
const transport = kind === 'stdio'
  ? new StdioClientTransport({ command: target, args: rest, stderr: 'inherit' })
  : new StreamableHTTPClientTransport(new URL(target));

let changes = 0;
// Only who can be asked says so.
const person = story === 'approvals' ? new approvals.Person() : undefined;
const client = new Client({ name: 'wassette-test-ts2', version: '1' }, {
  capabilities: person ? { elicitation: {} } : {},
  versionNegotiation: { mode: mode === 'legacy' || mode === 'auto' ? mode : { pin: mode } },
  listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => { changes += 1; } } },
});
if (person) client.setRequestHandler('elicitation/create', async ({ params }) => person.answer(params));
await client.connect(transport);
// The client opens its stream for notifications beside the first requests, and does not say when it stands.
await sleep(500);

const adapter = {
  protocol: () => client.getNegotiatedProtocolVersion(),
  changes: () => changes,
  callTool: (name, args, { onProgress, signal } = {}) =>
    client.callTool({ name, arguments: args }, { onprogress: onProgress, signal }),
  // Refreshed, for this client caches lists as the server's hints allow; without a cursor it follows the pages itself.
  listTools: async () => (await client.listTools({}, { cacheMode: 'refresh' })).tools,
};
const revision = mode === 'legacy' ? '2025-11-25' : '2026-07-28';
await (person ? approvals : tools).run(adapter, { revision, component, person });
await client.close();
process.exit(0);
