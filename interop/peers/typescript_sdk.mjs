// What the clients made with the TypeScript SDK share: both of its packages under one roof, and how calls are named and told. Connects
// nowhere.
//
// `v1` is the package `@modelcontextprotocol/sdk`; `legacy`, `auto` and `2026-07-28` are eras of its successor
// `@modelcontextprotocol/client`.

export const say = (line) => console.log(JSON.stringify(line));

// The classes of the package for `mode`, and the options of its client.
export async function sdk(mode) {
  if (mode === 'v1') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    const { UnauthorizedError } = await import('@modelcontextprotocol/sdk/client/auth.js');
    return { Client, StreamableHTTPClientTransport, UnauthorizedError, options: {} };
  }
  const { Client, StreamableHTTPClientTransport, UnauthorizedError } = await import('@modelcontextprotocol/client');
  const versionNegotiation = { mode: ['legacy', 'auto'].includes(mode) ? mode : { pin: mode } };
  return { Client, StreamableHTTPClientTransport, UnauthorizedError, options: { versionNegotiation } };
}

// The old package tells the version to the transport only.
export const protocolOf = (client, transport) => client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion;

export async function listTools(client) {
  let cursor;
  do {
    const page = await client.listTools(cursor ? { cursor } : undefined);
    for (const tool of page.tools) say({ tool: tool.name });
    cursor = page.nextCursor;
  } while (cursor);
}

// `NAME=JSON-ARGUMENTS`, taken apart.
export function named(call) {
  const at = call.indexOf('=');
  return { name: call.slice(0, at), arguments: JSON.parse(call.slice(at + 1)) };
}

export const textOf = (result) =>
  result.content
    .filter((block) => block.type === 'text')
    .map((block) => block.text)
    .join('\n');
