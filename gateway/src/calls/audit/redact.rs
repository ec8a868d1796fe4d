//! Takes out of arguments what must not be kept, by the names of members, by where they stand, and by what their values look
//! like. A value goes as a whole: nothing of it is left, not even its length. What is JSON within a text is looked through as well.
//! What stays is written as it was, but for space between values: a long number read and written again would be another one.

use std::fmt;

use regex::RegexSet;
use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
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
        let mut keeping = Keeping { rules: self, place: Vec::new(), kept: String::new(), taken_out: 0 };
        match serde_json::from_str::<&RawValue>(arguments) {
            Ok(value) => keeping.value(value.get()),
            Err(_) => keeping.take_out(),
        }
        RawValue::from_string(keeping.kept).expect("values in the places of values are JSON")
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

/// Arguments on their way into the log.
struct Keeping<'a> {
    rules: &'a Redaction,
    /// Of the value that is looked at: names of members, and numbers of elements.
    place: Vec<String>,
    /// JSON, as far as it is written.
    kept: String,
    /// How many values are not kept.
    taken_out: usize,
}

impl Keeping<'_> {
    /// Writes of the value `json` what may be kept.
    fn value(&mut self, json: &str) {
        if self.rules.is_named(&self.place) || self.place.len() > DEEPEST {
            return self.take_out();
        }
        match json.as_bytes() {
            [b'{', ..] => self.object(json),
            [b'[', ..] => self.array(json),
            [b'"', ..] => self.text(json),
            // As it is written: a card's number with 20 digits is no other number.
            [b'-' | b'0'..=b'9', ..] if self.rules.patterns.is_match(json) => self.take_out(),
            _ => self.kept.push_str(json),
        }
    }

    fn object(&mut self, json: &str) {
        let Ok(members) = serde_json::Deserializer::from_str(json).deserialize_map(Members) else {
            return self.take_out();
        };
        self.kept.push('{');
        for (at, (key, value)) in members.into_iter().enumerate() {
            if at > 0 {
                self.kept.push(',');
            }
            self.kept.push_str(key.get());
            self.kept.push(':');
            match serde_json::from_str::<String>(key.get()) {
                Ok(name) if !self.rules.is_secret(&name) => self.within(name, value),
                // And what stands under a name that no text can hold (half a character, escaped): nobody can judge it.
                _ => self.take_out(),
            }
        }
        self.kept.push('}');
    }

    fn array(&mut self, json: &str) {
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) else { return self.take_out() };
        self.kept.push('[');
        for (at, element) in elements.into_iter().enumerate() {
            if at > 0 {
                self.kept.push(',');
            }
            self.within(at.to_string(), element);
        }
        self.kept.push(']');
    }

    fn within(&mut self, step: String, value: &RawValue) {
        self.place.push(step);
        self.value(value.get());
        self.place.pop();
    }

    fn text(&mut self, json: &str) {
        match serde_json::from_str::<String>(json) {
            Ok(text) if !self.rules.patterns.is_match(&text) => match self.redacted_within(&text) {
                Some(redacted) => self.kept.push_str(&serde_json::Value::from(redacted).to_string()),
                None => self.kept.push_str(json),
            },
            _ => self.take_out(),
        }
    }

    /// An object or an array that stands in a text, redacted as if it stood there itself; `None` where there is none, or nothing to
    /// take out of it.
    fn redacted_within(&mut self, text: &str) -> Option<String> {
        if !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        let value = serde_json::from_str::<&RawValue>(text).ok()?;
        let (outer, before) = (std::mem::take(&mut self.kept), self.taken_out);
        self.value(value.get());
        let redacted = std::mem::replace(&mut self.kept, outer);
        (self.taken_out > before).then_some(redacted)
    }

    fn take_out(&mut self) {
        self.kept.push_str(REDACTED);
        self.taken_out += 1;
    }
}

/// Reads the members of an object, also those that stand there twice: which of the two counts, readers of JSON disagree.
struct Members;

impl<'a> Visitor<'a> for Members {
    type Value = Vec<(&'a RawValue, &'a RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
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
