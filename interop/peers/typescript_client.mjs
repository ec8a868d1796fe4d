// A client of an MCP endpoint made with the TypeScript SDK: lists the tools, calls those named, prints one JSON line for
// each.
//
//     TOKEN=... node typescript_client.mjs ENDPOINT v1|legacy|auto|2026-07-28 [NAME=JSON-ARGUMENTS ...]
//
// `v1` is the package `@modelcontextprotocol/sdk`; the others are eras of its successor `@modelcontextprotocol/client`.
// Keeps nothing and judges nothing: what the lines say is for whoever reads them.

const say = (line) => console.log(JSON.stringify(line));

async function connect(endpoint, mode) {
  const token = process.env.TOKEN;
  const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : {};
  const about = { name: 'interop', version: '1' };
  let client, transport;
  if (mode === 'v1') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    client = new Client(about);
    transport = new StreamableHTTPClientTransport(new URL(endpoint), { requestInit });
  } else {
    const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
    const versionNegotiation = { mode: ['legacy', 'auto'].includes(mode) ? mode : { pin: mode } };
    client = new Client(about, { versionNegotiation });
    transport = new StreamableHTTPClientTransport(new URL(endpoint), { requestInit });
  }
  await client.connect(transport);
  // The old package tells the version to the transport only.
  const protocol = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion;
  say({ protocol, server: client.getServerVersion()?.name });
  return client;
}

async function call(client, mode, name, args) {
  const progress = [];
  const onprogress = ({ progress: at, total, message }) => progress.push([at, total ?? null, message ?? null]);
  const params = { name, arguments: args };
  const result =
    mode === 'v1' ? await client.callTool(params, undefined, { onprogress }) : await client.callTool(params, { onprogress });
  const texts = result.content.filter((block) => block.type === 'text').map((block) => block.text);
  say({
    call: name,
    arguments: args,
    isError: Boolean(result.isError),
    text: texts.join('\n'),
    structured: result.structuredContent ?? null,
    progress,
  });
}

async function listTools(client) {
  let cursor;
  do {
    const page = await client.listTools(cursor ? { cursor } : undefined);
    for (const tool of page.tools) say({ tool: tool.name });
    cursor = page.nextCursor;
  } while (cursor);
}

const [endpoint, mode, ...calls] = process.argv.slice(2);
const client = await connect(endpoint, mode);
await listTools(client);
for (const one of calls) {
  const at = one.indexOf('=');
  await call(client, mode, one.slice(0, at), JSON.parse(one.slice(at + 1)));
}
await client.close();
