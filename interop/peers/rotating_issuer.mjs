// An OAuth issuer on the npm package `oidc-provider` whose signing key changes on demand, as Cognito changes its own: access
// tokens for client_credentials as RS256 JWTs with `client_id`, `scope` and `token_use`, without `aud`.
//
//     node rotating_issuer.mjs CLIENTS-AS-JSON
//
// CLIENTS: [{"id", "secret", "scope", "ttl"}], the last in seconds. Prints {"issuer": ...} once it serves; ends with its
// standard input. POST /rotate: the next key, published already, signs from now on; the one before stays published.
// POST /rotate-unannounced: a key signs that was never published before. POST /drop: of the keys so far only the
// signing one stays. Keeps nothing on disk.

import http from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const clients = JSON.parse(process.argv[2]);
const ttl = Object.fromEntries(clients.map((client) => [client.id, client.ttl]));
const scopes = [...new Set(clients.flatMap((client) => client.scope.split(' ')))];
const server = http.createServer((request, response) => answer(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

// The first signs; of the others the last is the next to sign.
let keys = [await newKey(), await newKey()];
let handle = provider();

async function newKey() {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: 'RS256', use: 'sig' };
}

function provider() {
  const made = new Provider(issuer, {
    jwks: { keys },
    clients: clients.map(({ id, secret, scope }) => ({
      client_id: id,
      client_secret: secret,
      scope,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
    })),
    scopes,
    routes: { token: '/oauth2/token', jwks: '/.well-known/jwks.json' },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:interop',
        useGrantedResource: () => true,
        getResourceServerInfo: (_, audience, client) => ({
          scope: client.scope,
          audience,
          accessTokenTTL: ttl[client.clientId],
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: () => ({ token_use: 'access', version: 2 }),
    // The provider insists on an audience; Cognito's tokens have none, so it is left out when the token is written.
    formats: { customizers: { jwt: (_, __, jwt) => void (jwt.payload.aud = { toJSON: () => undefined }) } },
  });
  made.on('server_error', (_, error) => console.error(error));
  return made.callback();
}

const changes = {
  '/rotate': async () => [keys.at(-1), ...keys.slice(0, -1), await newKey()],
  '/rotate-unannounced': async () => [await newKey(), ...keys.slice(0, -1), await newKey()],
  '/drop': async () => [keys[0], await newKey()],
};

async function answer(request, response) {
  const change = request.method === 'POST' && changes[request.url];
  if (!change) return handle(request, response);
  keys = await change();
  handle = provider();
  response.end(JSON.stringify(keys.map((key) => key.kid)));
}

process.stdin.resume().on('end', () => process.exit(0));
console.log(JSON.stringify({ issuer, discovery_url: `${issuer}/.well-known/openid-configuration` }));
