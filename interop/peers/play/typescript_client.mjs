// The clients of the TypeScript SDK: play a script of steps, one JSON line for each, as script.py says. The mode `v1` is the
// package `@modelcontextprotocol/sdk`; `legacy`, `auto` and `2026-07-28` are eras of its successor
// `@modelcontextprotocol/client`. Judge nothing.
//
//     TOKEN=... node typescript_client.mjs ENDPOINT MODE STEPS-AS-JSON
//     TOKEN=... COMMAND=ARGV-AS-JSON node typescript_client.mjs - MODE STEPS-AS-JSON      over standard streams

const [endpoint, mode, script] = process.argv.slice(2);
const [command, ...args] = JSON.parse(process.env.COMMAND ?? '[]');
const started = command && { command, args, env: { TOKEN: process.env.TOKEN ?? '' }, stderr: 'inherit' };
const DEADLINE = 30_000;
const PATIENCE = 3_000;
const REPLY = 'Paris';

const say = (line) => console.log(JSON.stringify(line));
const words = (blocks) => blocks.map((block) => block.text).filter((text) => text !== undefined).join('\n');
const about = { name: 'interop', version: '1' };
const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
let asked = [];
const heard = new Set();
let tell = () => {};

// What a user writes into a form: only what is required.
function fill(schema) {
  return Object.fromEntries((schema.required ?? []).map((name) => [name, value(name, schema.properties[name])]));
}

function value(name, { type, enum: choices, format }) {
  if (choices) return choices[0];
  if (format === 'email') return 'someone@example.org';
  return { boolean: true, integer: 1, number: 1 }[type] ?? name;
}

const answers = {
  'elicitation/create': ({ params }) => {
    asked.push(params.message);
    return params.mode === 'url' ? { action: 'accept' } : { action: 'accept', content: fill(params.requestedSchema) };
  },
  'sampling/createMessage': ({ params }) => {
    asked.push(words(params.messages.map((message) => message.content)));
    return { role: 'assistant', content: { type: 'text', text: REPLY }, model: 'none' };
  },
  'roots/list': () => ({ roots: [{ uri: 'file:///root' }] }),
};

function hear(what) {
  heard.add(what);
  tell();
}

// Version 1 takes schemas where its successor takes names of methods.
async function connectV1(requestInit) {
  const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const types = await import('@modelcontextprotocol/sdk/types.js');
  const client = new Client(about, { capabilities });
  client.setRequestHandler(types.ElicitRequestSchema, answers['elicitation/create']);
  client.setRequestHandler(types.CreateMessageRequestSchema, answers['sampling/createMessage']);
  client.setRequestHandler(types.ListRootsRequestSchema, answers['roots/list']);
  client.setNotificationHandler(types.ToolListChangedNotificationSchema, () => hear('tools'));
  client.setNotificationHandler(types.ResourceUpdatedNotificationSchema, ({ params }) => hear(params.uri));
  const transport = started
    ? new StdioClientTransport(started)
    : new StreamableHTTPClientTransport(new URL(endpoint), { requestInit });
  // The transport over standard streams has no place for it.
  let protocol;
  const connect = client.request.bind(client);
  client.request = async (...asked) => {
    const result = await connect(...asked);
    protocol ??= result.protocolVersion;
    return result;
  };
  await client.connect(transport);
  return { client, protocol, call: (params, options) => client.callTool(params, undefined, options) };
}

async function connectV2(requestInit) {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  const versionNegotiation = { mode: ['legacy', 'auto'].includes(mode) ? mode : { pin: mode } };
  const client = new Client(about, { capabilities, versionNegotiation });
  for (const [method, answer] of Object.entries(answers)) client.setRequestHandler(method, answer);
  client.setNotificationHandler('notifications/tools/list_changed', () => hear('tools'));
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => hear(params.uri));
  const overHttp = () => new StreamableHTTPClientTransport(new URL(endpoint), { requestInit });
  await client.connect(started ? new StdioClientTransport(started) : overHttp());
  const protocol = client.getNegotiatedProtocolVersion();
  return { client, protocol, call: (params, options) => client.callTool(params, options) };
}

const token = process.env.TOKEN;
const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : {};
const { client, protocol, call } = await (mode === 'v1' ? connectV1 : connectV2)(requestInit);

// Every entry of a list, page by page.
async function pages(method, member, name) {
  const names = [];
  let cursor;
  do {
    const page = await client[method](cursor ? { cursor } : undefined);
    names.push(...page[member].map((entry) => entry[name]));
    cursor = page.nextCursor;
  } while (cursor);
  return names;
}

// Listens for changes of the tools, or of the resource with this URI, in the way of the client's era.
async function listen(of) {
  if (protocol >= '2026') return client.listen(of === 'tools' ? { toolsListChanged: true } : { resourceSubscriptions: [of] });
  if (of !== 'tools') await client.subscribeResource({ uri: of });
  return { close: () => {} };
}

const steps = {
  list: async () => ({
    tools: await pages('listTools', 'tools', 'name'),
    prompts: await pages('listPrompts', 'prompts', 'name'),
    resources: await pages('listResources', 'resources', 'uri'),
    templates: await pages('listResourceTemplates', 'resourceTemplates', 'uriTemplate'),
  }),

  call: async ({ tool, arguments: args }) => {
    const progress = [];
    const onprogress = ({ progress: at, total }) => progress.push([at, total ?? null]);
    const result = await call({ name: tool, arguments: args }, { onprogress });
    const structured = result.structuredContent ?? null;
    return { isError: Boolean(result.isError), text: words(result.content), structured, progress };
  },

  read: async ({ uri }) => ({ text: words((await client.readResource({ uri })).contents) }),

  prompt: async ({ name, arguments: args }) => {
    const got = await client.getPrompt({ name, arguments: args });
    return { text: words(got.messages.map((message) => message.content)) };
  },

  complete: async ({ prompt, template, argument, value: typed }) => {
    const ref = prompt ? { type: 'ref/prompt', name: prompt } : { type: 'ref/resource', uri: template };
    return { values: (await client.complete({ ref, argument: { name: argument, value: typed } })).completion.values };
  },

  cancel: async ({ tool, arguments: args, counter, counted }) => {
    const stop = new AbortController();
    const onprogress = () => stop.abort();
    const ended = await call({ name: tool, arguments: args }, { onprogress, signal: stop.signal }).catch(() => 'cancelled');
    if (ended !== 'cancelled' || !stop.signal.aborted) throw new Error('the call ended otherwise');
    let said;
    do said = await steps.call({ tool: counter, arguments: args });
    while (said.text !== counted);
    return { text: said.text };
  },

  hear: async ({ of, tool, arguments: args }) => {
    heard.delete(of);
    const subscription = await listen(of);
    while (!heard.has(of)) {
      const told = new Promise((resolve) => (tell = resolve));
      await call({ name: tool, arguments: args });
      await Promise.race([told, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    }
    await subscription.close();
    return { heard: of };
  },
};

function late(_, reject) {
  setTimeout(() => reject(new Error(`nothing came of it within ${DEADLINE} ms`)), DEADLINE).unref();
}

say({ protocol, server: client.getServerVersion()?.name });
for (const { do: step, ...about } of JSON.parse(script)) {
  asked = [];
  const line = await Promise.race([steps[step](about), new Promise(late)]).catch((error) => ({ error: `${error}` }));
  say({ ...line, asked });
}
await client.close();
process.exit(0);
