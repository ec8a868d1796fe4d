// An OAuth issuer on the npm package `oidc-provider` where people log in, with its own pages for that.
//
//     node login_issuer.mjs full|strict
//
// `full` has RFC 8414 metadata, registration, PKCE and resource indicators: what MCP asks for. `strict` is what Amazon Cognito is:
// one public client `people` whose redirect URIs are compared letter by letter, no registration, no `resource`. Prints
// {"issuer": ..., "discovery_url": ...} once it serves; ends with its standard input. POST /callbacks with a JSON list sets the
// redirect URIs of `people`. GET /seen: how often each grant was asked for. Keeps nothing on disk.

import http from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { errors } from 'oidc-provider';

const full = process.argv[2] === 'full';
const server = http.createServer((request, response) => answer(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: 'RS256', use: 'sig' };
const seen = {};
let handle = provider([]);

function provider(callbacks) {
  const people = {
    client_id: 'people',
    application_type: 'web',
    token_endpoint_auth_method: 'none',
    redirect_uris: callbacks,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: 'openid offline_access tools',
  };
  const made = new Provider(issuer, {
    jwks: { keys: [key] },
    clients: callbacks.length ? [people] : [],
    scopes: ['openid', 'offline_access', 'tools'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    features: {
      registration: { enabled: full },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:interop',
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => {
          if (!full && resource !== 'urn:interop') throw new errors.InvalidTarget();
          const accessTokenFormat = 'jwt';
          return { scope: 'tools', audience: resource, accessTokenTTL: 3600, accessTokenFormat, jwt: { sign: { alg: 'RS256' } } };
        },
      },
    },
    extraTokenClaims: () => ({ token_use: 'access' }),
    // Tokens of Cognito have no audience, which this provider insists on: it is left out when the token is written.
    formats: full
      ? {}
      : { customizers: { jwt: (_, __, jwt) => void (jwt.payload.aud = { toJSON: () => undefined }) } },
  });
  made.on('server_error', (_, error) => console.error(error));
  made.on('grant.success', ({ oidc }) => (seen[oidc.params.grant_type] = (seen[oidc.params.grant_type] ?? 0) + 1));
  return made.callback();
}

async function answer(request, response) {
  if (request.url === '/seen') return response.end(JSON.stringify(seen));
  if (request.url !== '/callbacks') return handle(request, response);
  let body = '';
  for await (const piece of request) body += piece;
  handle = provider(JSON.parse(body));
  response.end('{}');
}

process.stdin.resume().on('end', () => process.exit(0));
console.log(JSON.stringify({ issuer, discovery_url: `${issuer}/.well-known/openid-configuration` }));
