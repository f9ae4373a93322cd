// Drives the scenario with the TypeScript SDK 1.x, which most hosts embed: revisions up to 2025-11-25.
//
//   node ts_sdk_v1.mjs COMPONENT stdio PROGRAM [ARGUMENT…]
//   node ts_sdk_v1.mjs COMPONENT http URL
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { run } from './scenario.mjs';

const [component, kind, target, ...rest] = process.argv.slice(2);
const transport = kind === 'stdio'
  ? new StdioClientTransport({ command: target, args: rest, stderr: 'inherit' })
  : new StreamableHTTPClientTransport(new URL(target));

let changes = 0;
const client = new Client({ name: 'wassette-test-ts1', version: '1' });
client.setNotificationHandler(ToolListChangedNotificationSchema, () => { changes += 1; });

// This client tells the transport what was negotiated, and nobody else.
let protocol;
const setProtocolVersion = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = (version) => { protocol = version; setProtocolVersion?.(version); };

await client.connect(transport);
const adapter = {
  protocol: () => protocol,
  changes: () => changes,
  callTool: (name, args, { onProgress, signal } = {}) =>
    client.callTool({ name, arguments: args }, undefined, { onprogress: onProgress, signal }),
  async listTools() {
    const tools = [];
    let cursor;
    do {
      const page = await client.listTools({ cursor });
      tools.push(...page.tools);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return tools;
  },
};
await run(adapter, { revision: '2025-11-25', component });
await client.ping();
await client.close();
process.exit(0);
