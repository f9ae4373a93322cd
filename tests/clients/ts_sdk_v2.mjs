// Drives the scenario with the TypeScript client 2.x, in one of its three ways to choose a revision.
//
//   node ts_sdk_v2.mjs legacy|auto|2026-07-28 COMPONENT stdio PROGRAM [ARGUMENT…]
//   node ts_sdk_v2.mjs legacy|auto|2026-07-28 COMPONENT http URL
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './scenario.mjs';

const [mode, component, kind, target, ...rest] = process.argv.slice(2);
const transport = kind === 'stdio'
  ? new StdioClientTransport({ command: target, args: rest, stderr: 'inherit' })
  : new StreamableHTTPClientTransport(new URL(target));

let changes = 0;
const client = new Client({ name: 'wassette-test-ts2', version: '1' }, {
  versionNegotiation: { mode: mode === 'legacy' || mode === 'auto' ? mode : { pin: mode } },
  listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => { changes += 1; } } },
});
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
await run(adapter, { revision: mode === 'legacy' ? '2025-11-25' : '2026-07-28', component });
await client.close();
process.exit(0);
