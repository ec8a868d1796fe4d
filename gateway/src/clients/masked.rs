//! A client's file as a terminal may show it: secrets of other entries, which people do write there, hidden.

use causeway_oidc::wire_log::{REDACTED, redacted, redacted_url};
use serde_json::Value;
use url::Url;

use super::{document::Document, entry::secret_like};

/// Options that end so, such as `--token-env`, say where a secret is, not what it is.
const PLACES: [&str; 5] = ["-env", "-file", "-path", "-arn", "-json-key"];

/// The text of `document` with what could be a secret hidden: values of headers and of the environment that are no references,
/// texts that look like tokens or stand behind an option such as `--api-key`, and secrets within URLs and other texts.
pub fn masked(document: &Document) -> String {
    let texts = document.texts();
    let before = |at: usize| at.checked_sub(1).map(|at| &texts[at]);
    let hidden = texts.iter().enumerate().filter_map(|(at, text)| {
        let is_kept_there = text.keys.iter().rev().skip(1).any(|key| matches!(&**key, "headers" | "env"));
        let follows = before(at).filter(|before| before.keys == text.keys && before.value.starts_with("--"));
        let follows = follows.filter(|before| !PLACES.iter().any(|place| before.value.ends_with(place)));
        let (option, refers) = (follows.map(|before| redacted(&format!("{}=x", before.value))), refers(&text.value));
        let is_secret = match is_kept_there {
            true => !text.value.is_empty() && !refers,
            false => secret_like(&text.value) || option.is_some_and(|shown| !shown.ends_with("=x")) && !refers,
        };
        let shown = if is_secret { "…".into() } else { within(&text.value)? };
        Some((text.at.clone(), shown))
    });
    document.with_replaced(hidden.collect())
}

/// Where a part of a text is secret, the text without it, as it may stand between quotation marks.
fn within(text: &str) -> Option<String> {
    let is_url = Url::parse(text).is_ok_and(|url| url.has_host());
    // Parameters of a URL first: more of them are secret than their names say.
    let readings = [is_url.then(|| redacted_url(text)), Some(redacted(text))];
    let shown = readings.into_iter().flatten().find(|shown| shown.contains(REDACTED))?;
    let quoted = Value::from(shown.replace(REDACTED, "…")).to_string();
    Some(quoted[1..quoted.len() - 1].to_owned())
}

/// A reference alone, or behind the name of a scheme.
fn refers(text: &str) -> bool {
    let reference = text.strip_prefix("Bearer ").unwrap_or(text);
    reference.starts_with("${") && reference.ends_with('}') && !reference[2..].contains("${")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_keep_secret_is_not_shown() {
        let text = r#"{
          "mcpServers": {
            "a": {"url": "https://a.example/mcp", "headers": {"Authorization": "Bearer ghp_0123456789abcdef0123456789abcdef0123"}},
            "b": {"command": "npx", "env": {"KEY": "hunter2", "NAME": "${NAME}"}, "args": ["--key", "sk-proj-0123456789abcdefghijklmnopqrstuv"]},
            "c": {"headers": {"Authorization": "Bearer ${TOKEN}"}}, // headers
            "d": {"url": "https://user:hunter2@d.example/mcp?api_key=hunter2&version=1", "args": ["--api-key", "hunter2", "--name", "d", "--token=hunter2"]},
            "e": {"args": ["--token", "${TOKEN}", "postgres://u:hunter2@db/x", "a\\\"b"]},
            "f": {"args": ["--token-env", "TOKEN", "--client-secret-file", "secret.txt"]}
          }
        }"#;
        assert!(!masked(&Document::parse(text).unwrap()).contains("hunter2"));
        insta::assert_snapshot!(masked(&Document::parse(text).unwrap()), @r#"
        {
                  "mcpServers": {
                    "a": {"url": "https://a.example/mcp", "headers": {"Authorization": "…"}},
                    "b": {"command": "npx", "env": {"KEY": "…", "NAME": "${NAME}"}, "args": ["--key", "…"]},
                    "c": {"headers": {"Authorization": "Bearer ${TOKEN}"}}, // headers
                    "d": {"url": "https://d.example/mcp?api_key=…&version=1", "args": ["--api-key", "…", "--name", "d", "--token=…"]},
                    "e": {"args": ["--token", "${TOKEN}", "postgres://…@db/x", "a\\\"b"]},
                    "f": {"args": ["--token-env", "TOKEN", "--client-secret-file", "secret.txt"]}
                  }
                }
        "#);
    }
}
