//! What `causeway dev` shows a person: where everything is, and commands that work when pasted.

use causeway_core::catalog::Kind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Running, RunningKey, identity::DevIdentity};
use crate::discovery::View;

/// The text, without a line end.
pub(super) fn text(running: &Running, view: &View, identity: &DevIdentity, name: &str) -> String {
    let mut parts = vec![
        format!("\nCauseway serves MCP at {}", running.endpoint),
        listening(running, identity),
        format!("List the tools:\n\n{}", curl(running, &list_request())),
    ];
    parts.extend(example_call(view).map(|call| format!("Call one:\n\n{}", curl(running, &call))));
    let where_to = "For a client's mcp.json (below `servers` in VS Code, below `mcpServers` elsewhere):";
    parts.push(format!("{where_to}\n\n{}", snippet(running, name)));
    parts.extend(identity.caller().map(|(client, url)| {
        let (id, secret) = (&client.id, client.secret.expose());
        format!(
            "The token lives an hour. A new one:\n\ncurl -s -u '{id}:{secret}' -d grant_type=client_credentials {url}"
        )
    }));
    parts.extend(identity.developer().map(|developer| {
        let password = match developer.has_default_password {
            true => format!("`{}`, unless you set COGNITO_PASSWORD", developer.user.password.expose()),
            false => "that of COGNITO_PASSWORD".into(),
        };
        format!("Clients that open a browser need no token: log in as `{}`, password {password}.", developer.user.name)
    }));
    parts.extend(identity.callers_of_toolsets().map(|(name, client, url)| {
        let (id, secret) = (&client.id, client.secret.expose());
        format!(
            "The toolset `{name}` has callers of its own. A token for it:\n\ncurl -s -u '{id}:{secret}' -d grant_type=client_credentials {url}"
        )
    }));
    parts.push("Ctrl-C stops all of it.\n".into());
    parts.join("\n\n")
}

fn listening(running: &Running, identity: &DevIdentity) -> String {
    let line = |name: &str, place: &str| format!("\n  {name:<24} {place}");
    let targets = running.targets.iter().map(|target| {
        let place = target.url.as_deref().unwrap_or("standard streams");
        let tools = match target.tools {
            Some(1) => "1 tool".into(),
            Some(tools) => format!("{tools} tools"),
            None => "not listed: see the log above".into(),
        };
        line(&target.name, &format!("{place}  ({tools})"))
    });
    let targets: String = targets.collect();
    let gateway = line("gateway", &running.endpoint);
    let admin = line("dashboard, metrics", &running.admin);
    let issuer = line("identity provider", identity.base().as_str());
    let toolsets = running.toolsets.iter().map(|toolset| line(&format!("toolset {}", toolset.name), &toolset.endpoint));
    let toolsets: String = toolsets.collect();
    ["Listening:", &gateway, &toolsets, &admin, &issuer, &targets].concat()
}

fn curl(running: &Running, body: &Value) -> String {
    let authorization = match (&running.token, &running.access_key) {
        (Some(token), _) => format!("  -H 'Authorization: Bearer {token}' \\\n"),
        (None, Some(RunningKey { id, secret, region, service })) => {
            format!("  --aws-sigv4 'aws:amz:{region}:{service}' --user '{id}:{secret}' \\\n")
        }
        (None, None) => String::new(),
    };
    // A quote in JSON text would end the shell's.
    let body = body.to_string().replace('\'', r"\u0027");
    format!(
        "curl -s {} \\\n{authorization}  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\\n  -d '{body}'",
        running.endpoint
    )
}

fn list_request() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
}

/// A call of the first tool, with arguments that its schema asks for.
fn example_call(view: &View) -> Option<Value> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Tool {
        name: String,
        input_schema: Value,
    }
    let tools: Vec<Value> = serde_json::from_slice(view.catalog.list(Kind::Tools).json()).ok()?;
    let tool: Tool = serde_json::from_value(tools.into_iter().next()?).ok()?;
    let required = tool.input_schema["required"].as_array().cloned().unwrap_or_default();
    let arguments: Map<String, Value> = required
        .iter()
        .filter_map(Value::as_str)
        .enumerate()
        .map(|(at, name)| (name.to_owned(), example_value(&tool.input_schema["properties"][name], at)))
        .collect();
    Some(
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": tool.name, "arguments": arguments}}),
    )
}

fn example_value(schema: &Value, at: usize) -> Value {
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("number" | "integer") => json!(at + 2),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!("Alice"),
    }
}

fn snippet(running: &Running, name: &str) -> String {
    if let Some(RunningKey { id, secret, region, service }) = &running.access_key {
        // No client signs by itself: AWS's proxy does it for all.
        let arguments = ["mcp-proxy-for-aws@latest", &running.endpoint, "--service", service, "--region", region];
        let environment = json!({"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": region});
        let server = json!({"command": "uvx", "args": arguments, "env": environment});
        return serde_json::to_string_pretty(&json!({ name: server })).expect("a JSON value has a text");
    }
    let mut server = json!({"type": "http", "url": running.endpoint});
    if let Some(token) = &running.token {
        server["headers"] = json!({"Authorization": format!("Bearer {token}")});
    }
    serde_json::to_string_pretty(&json!({ name: server })).expect("a JSON value has a text")
}
