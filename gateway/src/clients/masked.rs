//! A client's file as a terminal may show it: secrets of other entries, which people do write there, hidden.

use super::{
    document::{Document, Text},
    entry::secret_like,
};

/// The text of `document` with what could be a secret hidden: values of headers and of the environment that are no references,
/// and texts that look like tokens.
pub fn masked(document: &Document) -> String {
    let is_secret = |text: &Text| match text.keys.iter().rev().skip(1).any(|key| matches!(&**key, "headers" | "env")) {
        true => !text.value.is_empty() && !refers(&text.value),
        false => secret_like(&text.value),
    };
    let hidden = document.texts().into_iter().filter(is_secret).map(|text| (text.at, "…".to_owned())).collect();
    document.with_replaced(hidden)
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
            "c": {"headers": {"Authorization": "Bearer ${TOKEN}"}} // headers
          }
        }"#;
        insta::assert_snapshot!(masked(&Document::parse(text).unwrap()), @r#"
        {
                  "mcpServers": {
                    "a": {"url": "https://a.example/mcp", "headers": {"Authorization": "…"}},
                    "b": {"command": "npx", "env": {"KEY": "…", "NAME": "${NAME}"}, "args": ["--key", "…"]},
                    "c": {"headers": {"Authorization": "Bearer ${TOKEN}"}} // headers
                  }
                }
        "#);
    }
}
