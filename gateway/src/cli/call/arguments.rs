//! The arguments of a call, put together from the command line and checked against the tool's schema. Sends nothing.

use std::fmt::Write;

use causeway_core::{nearest::hint, wire::json};
use serde_json::{Map, Value, value::RawValue};

use crate::arguments::{Property, Shape};

/// What was given on the command line.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    pub(super) tool: &'a str,
    /// By name, as texts.
    pub(super) given: &'a [(String, String)],
    /// As one JSON object.
    pub(super) whole: Option<&'a str>,
}

impl Arguments<'_> {
    /// One JSON object (text). `schema` is the tool's; without one, a value that is JSON is taken as such.
    ///
    /// # Errors
    /// Everything that is wrong with them, and what the tool takes.
    pub(super) fn assembled(&self, schema: Option<&Value>) -> Result<String, String> {
        let mut members = self.members()?;
        let anything = Value::Object(Map::new());
        let shape = Shape::of(schema.unwrap_or(&anything));
        let properties = shape.properties();
        let mut problems = Vec::new();
        for name in self.names() {
            let texts: Vec<&str> =
                self.given.iter().filter(|(other, _)| other == name).map(|(_, text)| text.as_str()).collect();
            if members.iter().any(|(other, _)| other == name) {
                problems.push(format!("`{name}` is given twice, by `--arg` and in the object"));
                continue;
            }
            match properties.iter().find(|property| property.name == name).map(|property| property.read(&texts)) {
                Some(Ok(value)) => members.push((name.to_owned(), value)),
                Some(Err(why)) => problems.push(format!("`{name}` {why}")),
                None => members.push((name.to_owned(), untyped(&texts))),
            }
        }
        if schema.is_some() {
            problems.extend(unknown(&members, &properties, shape));
            let missing = properties.iter().filter(|property| property.required);
            let missing = missing.filter(|property| !self.mentions(property.name, &members));
            problems.extend(missing.map(|property| format!("`{}` ({}) is missing", property.name, property.words())));
        }
        match problems.is_empty() {
            true => {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("{}:{value}", json(name))).collect();
                Ok(format!("{{{}}}", members.join(",")))
            }
            false => Err(self.complaint(&problems, &properties)),
        }
    }

    /// Those of the whole object, as they are written there.
    fn members(&self) -> Result<Vec<(String, String)>, String> {
        let Some(whole) = self.whole else { return Ok(Vec::new()) };
        // In their order, which a map of raw values does not keep.
        let object: Map<String, Value> =
            serde_json::from_str(whole).map_err(|why| format!("the arguments are no JSON object: {why}"))?;
        let raw: std::collections::HashMap<String, &RawValue> =
            serde_json::from_str(whole).map_err(|why| format!("the arguments are no JSON object: {why}"))?;
        Ok(object.keys().map(|name| (name.clone(), raw[name].get().to_owned())).collect())
    }

    /// The names given as texts, each once.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.given {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    fn mentions(&self, name: &str, members: &[(String, String)]) -> bool {
        members.iter().any(|(other, _)| other == name) || self.given.iter().any(|(other, _)| other == name)
    }

    fn complaint(&self, problems: &[String], properties: &[Property<'_>]) -> String {
        let mut text = format!("`{}` was not called:", self.tool);
        for problem in problems {
            let _ = write!(text, "\n  {problem}");
        }
        let takes = properties.iter().map(|property| {
            let required = if property.required { ", required" } else { "" };
            format!("{} ({}{required})", property.name, property.words())
        });
        let takes: Vec<String> = takes.collect();
        match takes.is_empty() {
            true => text.push_str("\nit takes no arguments"),
            false => {
                let _ = write!(text, "\nit takes {}", takes.join(", "));
            }
        }
        text
    }
}

fn unknown(members: &[(String, String)], properties: &[Property<'_>], shape: Shape<'_>) -> Vec<String> {
    let known = |name: &str| properties.iter().any(|property| property.name == name);
    let strange = members.iter().filter(|(name, _)| !shape.is_open() && !known(name));
    let names = || properties.iter().map(|property| property.name);
    strange.map(|(name, _)| format!("it takes no `{name}`{}", hint(name, names()))).collect()
}

/// A value that no schema speaks of.
fn untyped(texts: &[&str]) -> String {
    let value = |text: &str| match serde_json::from_str::<&RawValue>(text) {
        Ok(value) => value.get().to_owned(),
        Err(_) => json(&text),
    };
    match texts {
        [text] => value(text),
        _ => format!("[{}]", texts.iter().map(|text| value(text)).collect::<Vec<_>>().join(",")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn assembled(given: &[(&str, &str)], whole: Option<&str>, schema: Option<&Value>) -> Result<String, String> {
        let given: Vec<_> = given.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Arguments { tool: "add", given: &given, whole }.assembled(schema)
    }

    fn schema() -> Value {
        json!({"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}, "note": {"type": "string"}}, "required": ["a", "b"]})
    }

    #[test]
    fn arguments_are_typed_by_the_schema_and_keep_their_order() {
        let given = [("b", "2"), ("a", "1e2"), ("note", "3")];
        assert_eq!(assembled(&given, None, Some(&schema())).unwrap(), r#"{"b":2,"a":1e2,"note":"3"}"#);
        let whole = r#" {"b": 0.10000000000000000001, "a":1} "#;
        assert_eq!(assembled(&[], Some(whole), Some(&schema())).unwrap(), r#"{"b":0.10000000000000000001,"a":1}"#);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let text = assembled(&[("aa", "1"), ("b", "two")], None, Some(&schema())).unwrap_err();
        insta::assert_snapshot!(text, @"
        `add` was not called:
          `b` takes a number, not `two`
          it takes no `aa`; did you mean `a`?
          `a` (number) is missing
        it takes a (number, required), b (number, required), note (string)
        ");
        let twice = assembled(&[("a", "1")], Some(r#"{"a":1,"b":2}"#), Some(&schema())).unwrap_err();
        assert!(twice.contains("`a` is given twice"), "{twice}");
        assert!(assembled(&[], Some("[1]"), None).unwrap_err().contains("no JSON object"));
        let none = assembled(&[("x", "1")], None, Some(&json!({"additionalProperties": false}))).unwrap_err();
        assert!(none.ends_with("it takes no arguments"), "{none}");
    }

    #[test]
    fn without_a_schema_json_is_json() {
        let given = [("a", "1"), ("b", "x"), ("c", "1"), ("c", "y"), ("d", r#"{"e":[]}"#)];
        assert_eq!(assembled(&given, None, None).unwrap(), r#"{"a":1,"b":"x","c":[1,"y"],"d":{"e":[]}}"#);
    }
}
