// A client of an MCP endpoint made with the TypeScript SDK: lists the tools, calls those named, prints one JSON line for
// each.
//
//     TOKEN=... node typescript_client.mjs ENDPOINT v1|legacy|auto|2026-07-28 [NAME=JSON-ARGUMENTS ...]
//
// Keeps nothing and judges nothing: what the lines say is for whoever reads them.

import { listTools, named, protocolOf, say, sdk, textOf } from './typescript_sdk.mjs';

async function connect(endpoint, mode) {
  const token = process.env.TOKEN;
  const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : {};
  const { Client, StreamableHTTPClientTransport, options } = await sdk(mode);
  const client = new Client({ name: 'interop', version: '1' }, options);
  const transport = new StreamableHTTPClientTransport(new URL(endpoint), { requestInit });
  await client.connect(transport);
  say({ protocol: protocolOf(client, transport), server: client.getServerVersion()?.name });
  return client;
}

async function call(client, mode, params) {
  const progress = [];
  const onprogress = ({ progress: at, total, message }) => progress.push([at, total ?? null, message ?? null]);
  const result =
    mode === 'v1' ? await client.callTool(params, undefined, { onprogress }) : await client.callTool(params, { onprogress });
  say({
    call: params.name,
    arguments: params.arguments,
    isError: Boolean(result.isError),
    text: textOf(result),
    structured: result.structuredContent ?? null,
    progress,
  });
}

const [endpoint, mode, ...calls] = process.argv.slice(2);
const client = await connect(endpoint, mode);
await listTools(client);
for (const one of calls) await call(client, mode, named(one));
await client.close();
