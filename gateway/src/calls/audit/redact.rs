//! Takes out of arguments what must not be kept, by the names of members, by where they stand, and by what their values look
//! like. A value goes as a whole: nothing of it is left, not even its length. What is JSON within a text is looked through as well.
//! What stays is written as it was, but for space between values: a long number read and written again would be another one.

use causeway_core::wire::{
    self,
    tokens::{Tokens, tokens},
};
use regex::RegexSet;
use serde_json::value::RawValue;

use crate::config;

/// What stands in the place of a value, as JSON.
const REDACTED: &str = r#""[redacted]""#;
/// Values in each other. What is deeper is not kept, for nobody looks at it.
const DEEPEST: usize = 64;

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
    pub(crate) fn redacted(&self, arguments: &str) -> Box<RawValue> {
        let kept = self.keep(arguments, &[]).map_or_else(|| REDACTED.to_owned(), |keeping| keeping.kept);
        RawValue::from_string(kept).expect("values in the places of values are JSON")
    }

    /// What may be kept of `json`, which stands at `place`; `None` where it is no JSON.
    fn keep<'a>(&'a self, json: &'a str, place: &[String]) -> Option<Keeping<'a>> {
        serde_json::from_str::<&RawValue>(json).ok()?;
        let mut rest = tokens(json);
        let first = rest.next()?;
        let mut keeping = Keeping { rules: self, rest, place: place.to_vec(), kept: String::new(), taken_out: 0 };
        keeping.value(first);
        Some(keeping)
    }

    /// Whether `text`, which is no JSON as a whole, has a member of JSON in it that is a secret: lines of JSON, or JSON that is cut off.
    /// Python writes its own with single quotes.
    fn has_secret_member(&self, text: &str) -> bool {
        let parts: Vec<&str> = text.split(['"', '\'']).collect();
        parts.windows(2).any(|pair| {
            let name = pair[0].trim_end_matches('\\');
            let read = || serde_json::from_str::<String>(&["\"", name, "\""].concat());
            pair[1].trim_start().starts_with(':')
                && (self.is_secret(name) || read().is_ok_and(|name| self.is_secret(&name)))
        })
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

/// JSON on its way into the log. It was looked at and is JSON.
struct Keeping<'a> {
    rules: &'a Redaction,
    /// What is not looked at yet.
    rest: Tokens<'a>,
    /// Of the value that is looked at: names of members, and numbers of elements.
    place: Vec<String>,
    /// JSON, as far as it is written.
    kept: String,
    /// How many values are not kept.
    taken_out: usize,
}

impl Keeping<'_> {
    /// Goes on with the value that begins with `first`.
    fn value(&mut self, first: &str) {
        if self.rules.is_named(&self.place) || self.place.len() > DEEPEST {
            return self.take_out(first);
        }
        match first.as_bytes()[0] {
            b'{' => self.members(),
            b'[' => self.elements(),
            b'"' => self.text(first),
            // As it is written: a card's number with 20 digits is no other number.
            b'-' | b'0'..=b'9' if self.rules.patterns.is_match(first) => self.take_out(first),
            _ => self.kept.push_str(first),
        }
    }

    fn members(&mut self) {
        self.kept.push('{');
        while let Some(token) = self.rest.next() {
            self.kept.push_str(token);
            match token {
                "}" => return,
                "," => {}
                name => self.member(name),
            }
        }
    }

    fn member(&mut self, name: &str) {
        self.kept.extend(self.rest.next());
        let Some(first) = self.rest.next() else { return };
        match wire::text(name) {
            Some(name) if !self.rules.is_secret(&name) => self.within(name.into_owned(), first),
            // What stands under a name that no text can hold (half a character, escaped) nobody can judge.
            _ => self.take_out(first),
        }
    }

    fn elements(&mut self) {
        self.kept.push('[');
        let mut at = 0;
        while let Some(token) = self.rest.next() {
            match token {
                "]" => return self.kept.push(']'),
                "," => self.kept.push(','),
                first => {
                    self.within(at.to_string(), first);
                    at += 1;
                }
            }
        }
    }

    fn within(&mut self, step: String, first: &str) {
        self.place.push(step);
        self.value(first);
        self.place.pop();
    }

    fn text(&mut self, json: &str) {
        let Some(text) = wire::text(json) else { return self.take_out(json) };
        if self.rules.patterns.is_match(&text) {
            return self.take_out(json);
        }
        // As if it stood here itself.
        match self.rules.keep(&text, &self.place) {
            Some(within) if within.taken_out > 0 => {
                self.taken_out += within.taken_out;
                self.kept.push_str(&wire::json(&within.kept));
            }
            None if self.rules.has_secret_member(&text) => self.take_out(json),
            _ => self.kept.push_str(json),
        }
    }

    /// Not kept: the value that begins with `first`.
    fn take_out(&mut self, first: &str) {
        self.rest.skip_value(first);
        self.kept.push_str(REDACTED);
        self.taken_out += 1;
    }
}

/// A name without what people write differently.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(config: config::Redaction, arguments: &str) -> String {
        Redaction::new(&config).redacted(arguments).get().to_owned()
    }

    #[test]
    fn what_is_secret_everywhere_is_taken_out_by_itself() {
        let given = r#"{"user":"alice","Password":"x","deep":[{"API_Key":1,"n":2}],"authToken":{"a":"b"},"monkeys":3,"access-key-id":"AKIA"}"#;
        insta::assert_snapshot!(redacted(config::Redaction::default(), given), @r#"{"user":"alice","Password":"[redacted]","deep":[{"API_Key":"[redacted]","n":2}],"authToken":"[redacted]","monkeys":3,"access-key-id":"[redacted]"}"#);
    }

    #[test]
    fn what_is_kept_is_as_it_was_written() {
        let given = r#" { "n": [12345678901234567890123, 1.0, 1e400, -0 ],"\u0061": "\u00e4\/", "a" :null } "#;
        let kept = r#"{"n":[12345678901234567890123,1.0,1e400,-0],"\u0061":"\u00e4\/","a":null}"#;
        assert_eq!(redacted(config::Redaction::default(), given), kept);
    }

    #[test]
    fn what_cannot_be_looked_through_is_not_kept() {
        let kept = |text: &str| redacted(config::Redaction::default(), text);
        let deep = ["[".repeat(200), r#"{"password":"hunter2"}"#.into(), "]".repeat(200)].concat();
        let nested = ["[".repeat(65), r#""[redacted]""#.into(), "]".repeat(65)].concat();
        assert_eq!(kept(&deep), nested);
        let text = |text: &str| serde_json::json!({"body": text}).to_string();
        let nested = [&"[".repeat(64), r#""[redacted]""#, &"]".repeat(64)].concat();
        assert_eq!(kept(&text(&deep)), text(&nested));
        assert_eq!(kept(r#"{"\ud800":1,"a":"\ud800"}"#), r#"{"\ud800":"[redacted]","a":"[redacted]"}"#);
    }

    #[test]
    fn a_member_that_stands_twice_hides_nothing() {
        let kept = |text: &str| redacted(config::Redaction::default(), text);
        let twice = r#"{"a":{"password":"hunter2"},"a":1}"#;
        let once = r#"{"a":{"password":"[redacted]"},"a":1}"#;
        assert_eq!(kept(twice), once);
        let text = |text: &str| serde_json::json!({"body": text}).to_string();
        assert_eq!(kept(&text(twice)), text(once));
        assert_eq!(kept(&text(&serde_json::json!(twice).to_string())), text(&serde_json::json!(once).to_string()));
    }

    #[test]
    fn nearly_json_in_a_text_hides_nothing() {
        let kept = |text: &str| redacted(config::Redaction::default(), &serde_json::json!([text]).to_string());
        for text in [
            "{\"password\":\"hunter2\"}\n{\"password\":\"hunter3\"}",
            r#"{"user":"u","password" : "hunter2"#,
            "\u{feff}{\"password\":\"hunter2\"}",
            r#"see {"p\u0061ssword":"hunter2"}"#,
            r#""{\"password\":\"hunter2\"}" and more"#,
            "{'user': 'u', 'password': 'hunter2'}",
        ] {
            assert_eq!(kept(text), r#"["[redacted]"]"#, "{text}");
        }
        for text in ["[note] the \"password\" is: none of your business", "{\"user\":\"u\"}\n{\"user\":\"v\"}"] {
            assert_eq!(kept(text), serde_json::json!([text]).to_string());
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
            patterns: vec![r"^(\d{16}){1,2}$".into()],
        };
        let given = r#"{"socialsecurity":1,"customer":{"iban":"DE","name":"n"},"orders":[{"note":"n","id":1}],"a/b":2,"card":"4111111111111111","number":4111111111111111,"long":41111111111111111111111111111111}"#;
        insta::assert_snapshot!(redacted(config, given), @r#"{"socialsecurity":"[redacted]","customer":{"iban":"[redacted]","name":"n"},"orders":[{"note":"[redacted]","id":1}],"a/b":"[redacted]","card":"[redacted]","number":"[redacted]","long":"[redacted]"}"#);
    }

    #[test]
    fn what_cannot_be_read_is_not_kept() {
        assert_eq!(redacted(config::Redaction::default(), "{password"), r#""[redacted]""#);
    }
}
