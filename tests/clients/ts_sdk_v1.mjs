// Tells a story with the TypeScript SDK 1.x, which most hosts embed: revisions up to 2025-11-25.
//
//   node ts_sdk_v1.mjs tools|approvals COMPONENT stdio PROGRAM [ARGUMENT…]
//   node ts_sdk_v1.mjs tools|approvals COMPONENT http URL
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import * as approvals from './approvals.mjs';
import * as tools from './scenario.mjs';

const [story, component, kind, target, ...rest] = process.argv.slice(2);
const transport = kind === 'stdio'
  ? new StdioClientTransport({ command: target, args: rest, stderr: 'inherit' })
  : new StreamableHTTPClientTransport(new URL(target));

let changes = 0;
// Only who can be asked says so.
const person = story === 'approvals' ? new approvals.Person() : undefined;
const client = new Client({ name: 'wassette-test-ts1', version: '1' }, { capabilities: person ? { elicitation: {} } : {} });
if (person) client.setRequestHandler(ElicitRequestSchema, ({ params }) => person.answer(params));
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
await (person ? approvals : tools).run(adapter, { revision: '2025-11-25', component, person });
await client.ping();
await client.close();
process.exit(0);
