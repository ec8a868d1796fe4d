//! Takes out of arguments what must not be kept, by the names of members, by where they stand, and by what their values look
//! like. A value goes as a whole: nothing of it is left, not even its length. What is JSON within a text is looked through as well.

use regex::RegexSet;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::config;

/// What stands in the place of a value.
const REDACTED: &str = "[redacted]";

/// Parts of names of members whose values are secrets anywhere. Upper and lower case, `-` and `_` count for nothing.
const SECRET: [&str; 13] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "authorization",
    "cookie",
    "signature",
    "apikey",
    "accesskey",
    "privatekey",
];

/// What is taken out.
#[derive(Debug)]
pub(crate) struct Redaction {
    /// Whole names, written as [`plain`] writes them.
    names: Vec<String>,
    /// JSON pointers (RFC 6901), step by step; a step `*` stands for any.
    pointers: Vec<Vec<String>>,
    /// Over values that are texts.
    patterns: RegexSet,
}

impl Redaction {
    /// The rules of `config`, beside those that hold always.
    pub(crate) fn new(config: &config::Redaction) -> Self {
        let step = |step: &str| step.replace("~1", "/").replace("~0", "~");
        let pointers = config.pointers.iter().map(|pointer| pointer.split('/').skip(1).map(step).collect());
        Self {
            names: config.names.iter().map(|name| plain(name)).collect(),
            pointers: pointers.collect(),
            patterns: RegexSet::new(&config.patterns).expect("the configuration was checked"),
        }
    }

    /// `arguments` (JSON text) as they may be kept.
    pub(crate) fn redacted(&self, arguments: &str) -> Value {
        let Ok(mut value) = serde_json::from_str(arguments) else { return REDACTED.into() };
        self.redact(&mut value, &mut Vec::new());
        value
    }

    fn redact(&self, value: &mut Value, place: &mut Vec<String>) {
        if self.is_named(place) {
            *value = REDACTED.into();
            return;
        }
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    place.push(name.clone());
                    match self.is_secret(name) {
                        true => *member = REDACTED.into(),
                        false => self.redact(member, place),
                    }
                    place.pop();
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    place.push(at.to_string());
                    self.redact(item, place);
                    place.pop();
                }
            }
            Value::String(text) if self.patterns.is_match(text) => *value = REDACTED.into(),
            Value::String(text) => {
                if let Some(redacted) = self.redacted_within(text, place) {
                    *text = redacted;
                }
            }
            Value::Number(number) if self.patterns.is_match(&number.to_string()) => *value = REDACTED.into(),
            _ => {}
        }
    }

    /// An object or an array that stands in a text, redacted as if it stood there itself; `None` where there is none, or nothing to
    /// take out of it.
    fn redacted_within(&self, text: &str, place: &mut Vec<String>) -> Option<String> {
        if !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(text) else {
            // JSON all the same, deeper or with a larger number than can be read here: nobody looked through it.
            return serde_json::from_str::<IgnoredAny>(text).is_ok().then(|| REDACTED.into());
        };
        let read = value.to_string();
        self.redact(&mut value, place);
        let redacted = value.to_string();
        // Of a member that stands there twice the first is read by nobody here, and so must not stay.
        (redacted != read || texts_in(&read) != texts_in(text)).then_some(redacted)
    }

    fn is_secret(&self, name: &str) -> bool {
        let name = plain(name);
        name.ends_with("key") || SECRET.iter().any(|part| name.contains(part)) || self.names.contains(&name)
    }

    fn is_named(&self, place: &[String]) -> bool {
        let fits = |pointer: &Vec<String>| {
            let mut steps = pointer.iter().zip(place);
            pointer.len() == place.len() && steps.all(|(step, here)| step == "*" || step == here)
        };
        self.pointers.iter().any(fits)
    }
}

/// How many texts stand in `json`, names of members among them.
fn texts_in(json: &str) -> usize {
    let mut is_escaped = false;
    let quotes = json.bytes().filter(|byte| {
        let is_quote = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_quote
    });
    quotes.count() / 2
}

/// A name without what people write differently.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(config: config::Redaction, arguments: &str) -> String {
        Redaction::new(&config).redacted(arguments).to_string()
    }

    #[test]
    fn what_is_secret_everywhere_is_taken_out_by_itself() {
        let given = r#"{"user":"alice","Password":"x","deep":[{"API_Key":1,"n":2}],"authToken":{"a":"b"},"monkeys":3,"access-key-id":"AKIA"}"#;
        insta::assert_snapshot!(redacted(config::Redaction::default(), given), @r#"{"user":"alice","Password":"[redacted]","deep":[{"API_Key":"[redacted]","n":2}],"authToken":"[redacted]","monkeys":3,"access-key-id":"[redacted]"}"#);
    }

    #[test]
    fn json_in_a_text_that_is_read_in_two_ways_or_not_at_all_is_not_kept() {
        let kept = |text: &str| redacted(config::Redaction::default(), &serde_json::json!({"body": text}).to_string());
        assert_eq!(kept(r#"{"a":{"password":"hunter2"},"a":1,"b":"\\"}"#), r#"{"body":"{\"a\":1,\"b\":\"\\\\\"}"}"#);
        let deep = ["[".repeat(200), r#"{"password":"hunter2"}"#.into(), "]".repeat(200)].concat();
        for text in [deep.as_str(), r#"{"password":"hunter2","n":1e400}"#] {
            assert_eq!(kept(text), r#"{"body":"[redacted]"}"#, "{text}");
        }
    }

    #[test]
    fn what_is_json_in_a_text_is_looked_through() {
        let inner = r#"{"token": "t", "deep": "[{\"password\":1}]"}"#;
        let given = serde_json::json!({"body": inner, "kept": " {\"a\": 1e2}", "text": "{no json", "list": "[\"41\"]"})
            .to_string();
        let config = config::Redaction { patterns: vec!["^41$".into()], ..config::Redaction::default() };
        insta::assert_snapshot!(redacted(config, &given), @r#"{"body":"{\"token\":\"[redacted]\",\"deep\":\"[{\\\"password\\\":\\\"[redacted]\\\"}]\"}","kept":" {\"a\": 1e2}","text":"{no json","list":"[\"[redacted]\"]"}"#);
    }

    #[test]
    fn the_operator_names_more() {
        let config = config::Redaction {
            names: vec!["Social-Security".into()],
            pointers: vec!["/customer/iban".into(), "/orders/*/note".into(), "/a~1b".into()],
            patterns: vec![r"^\d{16}$".into()],
        };
        let given = r#"{"socialsecurity":1,"customer":{"iban":"DE","name":"n"},"orders":[{"note":"n","id":1}],"a/b":2,"card":"4111111111111111","number":4111111111111111}"#;
        insta::assert_snapshot!(redacted(config, given), @r#"{"socialsecurity":"[redacted]","customer":{"iban":"[redacted]","name":"n"},"orders":[{"note":"[redacted]","id":1}],"a/b":"[redacted]","card":"[redacted]","number":"[redacted]"}"#);
    }

    #[test]
    fn what_cannot_be_read_is_not_kept() {
        assert_eq!(redacted(config::Redaction::default(), "{password"), r#""[redacted]""#);
    }
}
