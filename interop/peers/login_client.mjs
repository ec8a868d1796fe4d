// A client of an MCP endpoint that logs its user in, made with the OAuth client of the TypeScript SDK: it prints where the user is
// to go, waits on loopback for the code, then lists the tools and calls those named, and does so once more with a refreshed token.
//
//     node login_client.mjs ENDPOINT v1|legacy|auto|2026-07-28 [NAME=JSON-ARGUMENTS ...]
//
// CLIENT_ID_URL in the environment is the URL of a document about this client, and REDIRECT_PORT the port of its redirect URI.
// Judges nothing: what the lines say is for whoever reads them.

import http from 'node:http';

import { listTools, named, protocolOf, say, sdk, textOf } from './typescript_sdk.mjs';

const [endpoint, mode, ...calls] = process.argv.slice(2);

// Where the browser comes back to.
let landed;
const landing = new Promise((resolve) => (landed = resolve));
const server = http.createServer((request, response) => {
  response.end('You are back at the program.');
  landed(new URL(request.url, 'http://127.0.0.1').searchParams);
});
await new Promise((resolve) => server.listen(Number(process.env.REDIRECT_PORT ?? 0), '127.0.0.1', resolve));

// What the SDK wants kept.
const kept = {};
const provider = {
  redirectUrl: `http://127.0.0.1:${server.address().port}/callback`,
  get clientMetadata() {
    return {
      client_name: 'Interop (TypeScript)',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  },
  clientMetadataUrl: process.env.CLIENT_ID_URL,
  state: () => (kept.state ??= crypto.randomUUID()),
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  redirectToAuthorization: (url) => say({ open: String(url) }),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  saveDiscoveryState: (state) => void (kept.discovery = state),
  discoveryState: () => kept.discovery,
};

const { Client, StreamableHTTPClientTransport, UnauthorizedError, options } = await sdk(mode);

async function connected() {
  const client = new Client({ name: 'interop', version: '1' }, options);
  const transport = new StreamableHTTPClientTransport(new URL(endpoint), { authProvider: provider });
  try {
    await client.connect(transport);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    return { transport };
  }
  say({ protocol: protocolOf(client, transport) });
  return { client };
}

async function logIn(transport) {
  const back = await landing;
  if (!back.has('code')) {
    say({ refused: Object.fromEntries(back) });
    process.exit(3);
  }
  if (back.get('state') !== kept.state) throw new Error('another state came back');
  await (mode === 'v1' ? transport.finishAuth(back.get('code')) : transport.finishAuth(back));
}

async function visit(client) {
  await listTools(client);
  for (const one of calls.map(named)) {
    const result = await client.callTool(one);
    say({ call: one.name, isError: Boolean(result.isError), text: textOf(result) });
  }
  await client.close();
}

let { client, transport } = await connected();
if (!client) {
  await logIn(transport);
  ({ client } = await connected());
}
await visit(client);
say({ client_id: kept.client.client_id, registered: kept.client.redirect_uris ?? [] });
if (kept.tokens.refresh_token) {
  const before = kept.tokens.access_token;
  // As if its time were over.
  kept.tokens = { ...kept.tokens, access_token: 'over' };
  ({ client } = await connected());
  await visit(client);
  say({ refreshed: kept.tokens.access_token !== before && kept.tokens.access_token !== 'over' });
}
server.close();
