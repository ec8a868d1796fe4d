//! Putting an entry into a client's file, or taking it out: what the gateway manages is set, what the user added stays, and an
//! entry of somebody else's is not touched. Changes a document in memory only.

use serde_json::{Value, json};

use super::{
    document::{Document, Misshapen},
    entry::{Entry, Way},
    profile::Facts,
};

/// Members of an entry that it may have of us, but for those that hold the user's own things too.
const OWN: [&str; 4] = ["type", "url", "command", "args"];

/// An entry of the same name that is not ours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{name}` is there already and leads elsewhere: choose another `--name`, or replace it with `--force`")]
pub struct Foreign {
    pub name: String,
}

/// Why a file stays as it is.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MergeError {
    #[error(transparent)]
    Foreign(#[from] Foreign),
    #[error("{0}, so nothing can be added there: mend the file first")]
    Misshapen(#[from] Misshapen),
}

/// Makes `entry` the one called `name`. With `force` also where another has that name.
///
/// # Errors
/// [`MergeError`]; the document is then half changed and to be thrown away.
pub fn merge(document: &mut Document, facts: &Facts, name: &str, entry: &Entry, force: bool) -> Result<(), MergeError> {
    let path = [facts.servers, name];
    let wanted = entry.json(facts);
    match document.get(&path)? {
        Some(there) if is_ours(&there, entry) => update(document, &path, entry, &there, &wanted)?,
        Some(_) if !force => return Err(Foreign { name: name.to_owned() }.into()),
        Some(_) | None => {
            document.set(&path, &wanted)?;
        }
    }
    if let Way::Http { input: Some(input), .. } = &entry.way {
        document.push(&["inputs"], input)?;
    }
    if let Some(tool) = agent_tool(document, facts, name)? {
        document.push(&["tools"], &tool)?;
    }
    Ok(())
}

/// Takes the entry called `name` out, if there is one. With `force` also where it leads elsewhere than `entry`.
///
/// # Errors
/// As [`merge`].
pub fn remove(
    document: &mut Document,
    facts: &Facts,
    name: &str,
    entry: &Entry,
    force: bool,
) -> Result<(), MergeError> {
    let path = [facts.servers, name];
    match document.get(&path)? {
        None => return Ok(()),
        Some(there) if !force && !is_ours(&there, entry) => return Err(Foreign { name: name.to_owned() }.into()),
        Some(there) => {
            document.remove(&path)?;
            for input in inputs_of(document, &there)? {
                document.pull(&["inputs"], &input)?;
            }
        }
    }
    if facts.agents {
        document.pull(&["tools"], &json!(format!("@{name}")))?;
    }
    Ok(())
}

/// Whether an entry leads where `entry` does.
fn is_ours(there: &Value, entry: &Entry) -> bool {
    let address = match &entry.way {
        Way::Http { url, .. } => url.as_str(),
        Way::Stdio { args, .. } => args.get(2).map(String::as_str).unwrap_or_default(),
    };
    let args: Vec<&str> = there["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    there["url"].as_str() == Some(address) || matches!(&args[..], ["stdio", "--url", known, ..] if *known == address)
}

/// Sets what is ours in an entry, and leaves the rest.
fn update(
    document: &mut Document,
    path: &[&str; 2],
    entry: &Entry,
    there: &Value,
    wanted: &Value,
) -> Result<(), Misshapen> {
    let member = |key| [path[0], path[1], key];
    for key in OWN {
        match wanted.get(key) {
            Some(value) => document.set(&member(key), value)?,
            None => document.remove(&member(key))?,
        };
    }
    for key in ["timeout", "tools"] {
        let keep = key == "tools" && there.get(key).is_some();
        if let Some(value) = wanted.get(key).filter(|_| !keep) {
            document.set(&member(key), value)?;
        }
    }
    let inner = |key, name| [path[0], path[1], key, name];
    match wanted["headers"]["Authorization"].as_str() {
        Some(value) => document.set(&inner("headers", "Authorization"), &json!(value))?,
        None => document.remove(&inner("headers", "Authorization"))?,
    };
    if let Way::Stdio { env, .. } = &entry.way {
        for (name, to) in env {
            document.set(&inner("env", name), &json!(to))?;
        }
    }
    if document.get(&member("headers"))? == Some(json!({})) {
        document.remove(&member("headers"))?;
    }
    Ok(())
}

/// What an agent's list of tools needs to name the server; none where the file describes no agent, or one with all tools.
fn agent_tool(document: &Document, facts: &Facts, name: &str) -> Result<Option<Value>, Misshapen> {
    let tools = document.get(&["tools"])?.filter(|_| facts.agents);
    let Some(Value::Array(tools)) = tools else { return Ok(None) };
    let tool = json!(format!("@{name}"));
    let named = tools.iter().any(|known| *known == json!("*") || *known == tool);
    Ok((!named).then_some(tool))
}

/// The inputs that only the header of this entry refers to.
fn inputs_of(document: &Document, entry: &Value) -> Result<Vec<Value>, Misshapen> {
    let header = entry["headers"]["Authorization"].as_str().unwrap_or_default();
    let id = header.strip_prefix("Bearer ${input:").and_then(|rest| rest.strip_suffix('}'));
    let Some(id) = id.filter(|id| !document.text().contains(&format!("${{input:{id}}}"))) else {
        return Ok(Vec::new());
    };
    let Some(Value::Array(inputs)) = document.get(&["inputs"])? else { return Ok(Vec::new()) };
    Ok(inputs.into_iter().filter(|input| input["id"] == id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::{
        Client,
        entry::{Auth, Wish},
    };

    fn entry(client: Client, auth: Auth) -> Entry {
        let address = "https://gateway.example.com/mcp".parse().unwrap();
        let wish = Wish { address, auth, stdio: false, program: "causeway".into(), bridge: Vec::new(), timeout: None };
        Entry::of(client.facts(), &wish).unwrap()
    }

    fn merged(client: Client, auth: Auth, text: &str, force: bool) -> Result<String, MergeError> {
        let mut document = Document::parse(text).unwrap();
        merge(&mut document, client.facts(), "causeway", &entry(client, auth), force)?;
        Ok(document.text())
    }

    fn token() -> Auth {
        Auth::TokenEnv("TOKEN".parse().unwrap())
    }

    #[test]
    fn what_the_user_added_to_our_entry_stays() {
        let text = r#"{
  "mcpServers": {
    "causeway": {
      "url": "https://gateway.example.com/mcp",
      "autoApprove": ["a___b"], // mine
      "headers": {"X-Team": "a"},
      "disabled": false
    }
  }
}"#;
        let with_token = merged(Client::KIRO, token(), text, false).unwrap();
        insta::assert_snapshot!(with_token, @r#"
        {
          "mcpServers": {
            "causeway": {
              "url": "https://gateway.example.com/mcp",
              "autoApprove": ["a___b"], // mine
              "headers": {"X-Team": "a", "Authorization": "Bearer ${TOKEN}"},
              "disabled": false
            }
          }
        }
        "#);
        assert_eq!(merged(Client::KIRO, Auth::Login, &with_token, false).unwrap(), text);
    }

    #[test]
    fn an_entry_of_somebody_else_is_replaced_only_by_force() {
        let text = r#"{"mcpServers": {"causeway": {"url": "https://elsewhere.example.com/mcp", "x": 1}}}"#;
        assert_eq!(merged(Client::CURSOR, Auth::Login, text, false), Err(Foreign { name: "causeway".into() }.into()));
        insta::assert_snapshot!(merged(Client::CURSOR, Auth::Login, text, true).unwrap(), @r#"
        {"mcpServers": {"causeway": {
          "url": "https://gateway.example.com/mcp"
        }}}
        "#);
    }

    #[test]
    fn from_the_bridge_to_http_and_back() {
        let bridged = merged(Client::AMAZON_Q, token(), "{}", false).unwrap();
        insta::assert_snapshot!(bridged, @r#"
        {
          "mcpServers": {
            "causeway": {
              "command": "causeway",
              "args": [
                "stdio",
                "--url",
                "https://gateway.example.com/mcp",
                "--auth",
                "bearer",
                "--token-env",
                "TOKEN"
              ]
            }
          }
        }
        "#);
        let direct = merged(Client::AMAZON_Q, Auth::Login, &bridged, false).unwrap();
        insta::assert_snapshot!(direct, @r#"
        {
          "mcpServers": {
            "causeway": {
              "type": "http",
              "url": "https://gateway.example.com/mcp"
            }
          }
        }
        "#);
    }

    #[test]
    fn vs_code_asks_for_what_is_declared() {
        let asked = merged(Client::VSCODE, Auth::TokenPrompt, "{}", false).unwrap();
        insta::assert_snapshot!(asked, @r#"
        {
          "servers": {
            "causeway": {
              "type": "http",
              "url": "https://gateway.example.com/mcp",
              "headers": {
                "Authorization": "Bearer ${input:gateway.example.com-mcp-token}"
              }
            }
          },
          "inputs": [
            {
              "type": "promptString",
              "id": "gateway.example.com-mcp-token",
              "description": "Token for https://gateway.example.com/mcp",
              "password": true
            }
          ]
        }
        "#);
        let mut document = Document::parse(&asked).unwrap();
        remove(&mut document, Client::VSCODE.facts(), "causeway", &entry(Client::VSCODE, Auth::Login), false).unwrap();
        insta::assert_snapshot!(document.text(), @r#"
        {
          "servers": {},
          "inputs": []
        }
        "#);
    }

    #[test]
    fn an_agent_is_told_of_the_server() {
        let text = r#"{"name": "mine", "mcpServers": {}, "tools": ["fs_read"]}"#;
        let told = merged(Client::AMAZON_Q, Auth::Login, text, false).unwrap();
        assert!(told.contains(r#""tools": ["fs_read", "@causeway"]"#), "{told}");
        let all = r#"{"mcpServers": {}, "tools": ["*"]}"#;
        assert!(merged(Client::AMAZON_Q, Auth::Login, all, false).unwrap().contains(r#""tools": ["*"]"#));
        let mut document = Document::parse(&told).unwrap();
        remove(&mut document, Client::AMAZON_Q.facts(), "causeway", &entry(Client::AMAZON_Q, Auth::Login), false)
            .unwrap();
        assert_eq!(document.text(), text);
    }

    #[test]
    fn a_list_of_servers_that_is_none() {
        let error = merged(Client::CURSOR, Auth::Login, r#"{"mcpServers": []}"#, true).unwrap_err();
        assert_eq!(error.to_string(), "`mcpServers` is no object, so nothing can be added there: mend the file first");
    }
}
