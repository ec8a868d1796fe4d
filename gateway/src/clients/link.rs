//! Other ways to give a client the same entry: a link that opens it, a command of its own. Opens and runs nothing.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{
    entry::{Entry, Way},
    place::Scope,
    profile::Client,
};

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A link that opens the client with the entry, for those that have one; none for a bridge, whose program is where it is on this
/// machine alone. It holds what the entry holds, and so no secret.
///
/// Source: <https://cursor.com/docs/mcp/install-links>; <https://code.visualstudio.com/api/extension-guides/ai/mcp>, "Create an MCP
/// installation URL".
pub fn link(client: Client, name: &str, entry: &Entry) -> Option<String> {
    if entry.is_bridge() {
        return None;
    }
    let mut config = entry.json(client.facts());
    match client {
        Client::CURSOR => {
            let config = STANDARD.encode(config.to_string());
            let (name, config) = (encoded(name), encoded(&config));
            Some(format!("cursor://anysphere.cursor-deeplink/mcp/install?name={name}&config={config}"))
        }
        Client::VSCODE => {
            config["name"] = json!(name);
            if let Way::Http { input: Some(input), .. } = &entry.way {
                config["inputs"] = json!([input]);
            }
            Some(format!("vscode:mcp/install?{}", encoded(&config.to_string())))
        }
        _ => None,
    }
}

/// The client's own command that adds the entry, for those that have one.
///
/// Source: `claude mcp add --help` of Claude Code 2.1.197, `copilot mcp add --help` of GitHub Copilot CLI 1.0.102,
/// <https://docs.aws.amazon.com/amazonq/latest/qdeveloper-ug/command-line-mcp-config-CLI.html>.
pub fn command(client: Client, name: &str, entry: &Entry, scope: Scope) -> Option<String> {
    let mut words: Vec<String> = match client {
        Client::CLAUDE_CODE => {
            let scope = if scope == Scope::User { "user" } else { "project" };
            ["claude", "mcp", "add", "--scope", scope].map(Into::into).into()
        }
        // It knows the user's file alone.
        Client::COPILOT_CLI if scope == Scope::User => ["copilot", "mcp", "add"].map(Into::into).into(),
        _ => return None,
    };
    match &entry.way {
        Way::Http { url, authorization, .. } => {
            words.extend(["--transport", "http", name, url.as_str()].map(Into::into));
            if let Some(value) = authorization {
                words.extend(["--header".into(), format!("Authorization: {value}")]);
            }
        }
        Way::Stdio { command, args, env } => {
            words.push(name.into());
            words.extend(env.iter().flat_map(|(name, to)| ["--env".into(), format!("{name}={to}")]));
            words.extend(["--".into(), command.clone()]);
            words.extend_from_slice(args);
        }
    }
    Some(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// A word for a POSIX shell.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::clients::entry::{Auth, Wish};

    fn entry(client: Client, auth: Auth) -> Entry {
        let address = "https://gateway.example.com/mcp".parse().unwrap();
        let program = "/opt/my programs/causeway".into();
        Entry::of(client.facts(), &Wish { address, auth, stdio: false, program, bridge: Vec::new(), timeout: None })
            .unwrap()
    }

    #[test]
    fn links_hold_the_entry() {
        let cursor = link(Client::CURSOR, "my gateway", &entry(Client::CURSOR, Auth::Login)).unwrap();
        let config =
            cursor.strip_prefix("cursor://anysphere.cursor-deeplink/mcp/install?name=my%20gateway&config=").unwrap();
        let config = percent_encoding::percent_decode_str(config).decode_utf8().unwrap().into_owned();
        assert_eq!(STANDARD.decode(config).unwrap(), br#"{"url":"https://gateway.example.com/mcp"}"#);
        let vscode = link(Client::VSCODE, "causeway", &entry(Client::VSCODE, Auth::TokenPrompt)).unwrap();
        let config = percent_encoding::percent_decode_str(vscode.strip_prefix("vscode:mcp/install?").unwrap());
        let config: Value = serde_json::from_str(&config.decode_utf8().unwrap()).unwrap();
        assert_eq!((&config["name"], &config["inputs"][0]["password"]), (&json!("causeway"), &json!(true)));
        assert_eq!(link(Client::KIRO, "causeway", &entry(Client::KIRO, Auth::Login)), None);
    }

    #[test]
    fn commands_are_fit_for_a_shell() {
        let token = || Auth::TokenEnv("TOKEN".parse().unwrap());
        let http =
            command(Client::CLAUDE_CODE, "causeway", &entry(Client::CLAUDE_CODE, token()), Scope::Project).unwrap();
        insta::assert_snapshot!(http, @"claude mcp add --scope project --transport http causeway https://gateway.example.com/mcp --header 'Authorization: Bearer ${TOKEN}'");
        let bridge =
            command(Client::COPILOT_CLI, "causeway", &entry(Client::COPILOT_CLI, Auth::Sigv4), Scope::User).unwrap();
        insta::assert_snapshot!(bridge, @"copilot mcp add causeway -- '/opt/my programs/causeway' stdio --url https://gateway.example.com/mcp --auth sigv4");
        assert_eq!(
            command(Client::COPILOT_CLI, "causeway", &entry(Client::COPILOT_CLI, Auth::Login), Scope::Project),
            None
        );
    }
}
