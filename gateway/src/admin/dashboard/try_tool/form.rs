//! A form made from a JSON Schema, as a tool's arguments and a tool's questions have it; and what was written into it, as JSON. What
//! is nested is written as JSON. Checks what must be there and of which type; the rest is the target's business.

mod control;

use std::collections::BTreeMap;

use causeway_core::wire::json;
use maud::{Markup, html};
use serde_json::Value;

use self::control::{Control, choices, control, input, marks, spelled};
use crate::{
    admin::dashboard::{Fields, json_view::cut},
    arguments::{Property, Shape},
};

/// For members that the schema does not name.
const MORE: &str = "more";
/// A form for an object of this schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form<'a> {
    schema: &'a Value,
    /// Before the names of its fields.
    prefix: &'a str,
}

/// A form with what is written in it.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    schema: Value,
    prefix: String,
    /// By name of the field, as it was sent; a field that was not sent is not there.
    texts: BTreeMap<String, Vec<String>>,
    /// Under the name of the field.
    mistakes: BTreeMap<String, String>,
    /// Members by name, JSON texts.
    members: Vec<(String, String)>,
}

impl<'a> Form<'a> {
    pub(super) fn new(schema: &'a Value, prefix: &'a str) -> Self {
        Self { schema, prefix }
    }

    /// With the defaults of the schema.
    pub(super) fn blank(self) -> Filled {
        let mut filled = self.empty();
        for property in Shape::of(self.schema).properties() {
            let texts = match (property.default(), property.choices()) {
                (Some(Value::Array(values)), Some(_)) => values.iter().map(spelled).collect(),
                (Some(value), _) => vec![spelled(value)],
                (None, _) => continue,
            };
            filled.texts.insert(self.field(property.name), texts);
        }
        filled
    }

    /// With what a browser sent.
    pub(super) fn filled(self, fields: &Fields) -> Filled {
        let mut filled = self.empty();
        for (name, value) in fields.0.iter().filter(|(name, _)| name.starts_with(self.prefix)) {
            // Browsers end lines of a form with CR LF.
            filled.texts.entry(name.clone()).or_default().push(value.replace("\r\n", "\n"));
        }
        for property in Shape::of(self.schema).properties() {
            filled.read(self.field(property.name), &property);
        }
        filled.read_more(self.field_of_more());
        filled
    }

    fn empty(self) -> Filled {
        let (texts, mistakes, members) = Default::default();
        Filled { schema: self.schema.clone(), prefix: self.prefix.to_owned(), texts, mistakes, members }
    }

    fn field(self, name: &str) -> String {
        // No name of a member can be taken for the field of the others.
        [self.prefix, "=", name].concat()
    }

    fn field_of_more(self) -> String {
        [self.prefix, MORE].concat()
    }
}

impl Filled {
    /// The object that is written there, JSON text; none if there are mistakes.
    pub(super) fn arguments(&self) -> Option<String> {
        let members: Vec<String> = self.members.iter().map(|(name, value)| format!("{}:{value}", json(name))).collect();
        self.mistakes.is_empty().then(|| format!("{{{}}}", members.join(",")))
    }

    pub(super) fn forget_mistakes(&mut self) {
        self.mistakes.clear();
    }

    /// Says that there are mistakes, for whoever does not see them.
    pub(super) fn complaint(&self) -> Markup {
        let own = |field: &str| field.trim_start_matches(&self.prefix).trim_start_matches('=').to_owned();
        html! {
            @if !self.mistakes.is_empty() {
                p.alert role="alert" {
                    "Nothing was sent: see "
                    @for (at, field) in self.mistakes.keys().enumerate() {
                        @if at > 0 { ", " }
                        a href={ "#" (field) } { (own(field)) }
                    }
                    "."
                }
            }
        }
    }

    /// The fields as hidden ones, for another form that goes on with them.
    pub(super) fn hidden(&self) -> Markup {
        html! { @for (name, texts) in &self.texts { @for text in texts { input type="hidden" name=(name) value=(text); } } }
    }

    /// The fields.
    pub(super) fn shown(&self) -> Markup {
        let form = Form::new(&self.schema, &self.prefix);
        let shape = Shape::of(&self.schema);
        let properties = shape.properties();
        let takes_more = shape.is_open() && self.schema.is_object();
        html! {
            @if properties.is_empty() && !takes_more { p.note { "It takes no arguments." } }
            @for property in &properties { (self.field(&form.field(property.name), property)) }
            @if takes_more { (self.more(&form.field_of_more(), properties.is_empty())) }
        }
    }

    fn read(&mut self, field: String, property: &Property<'_>) {
        let texts: Vec<&str> = self.texts.get(&field).into_iter().flatten().map(String::as_str).collect();
        let is_choice = property.choices().is_some();
        let given: Vec<&str> =
            if is_choice { texts } else { texts.into_iter().filter(|text| !text.is_empty()).collect() };
        match (&given[..], property.required) {
            ([], true) if is_choice => self.members.push((property.name.to_owned(), "[]".into())),
            ([], true) => drop(self.mistakes.insert(field, "is needed".into())),
            ([], false) => (),
            (given, _) if is_choice => match property.read(given) {
                // One of several is still a list of them.
                Ok(value) if value.starts_with('[') => self.members.push((property.name.to_owned(), value)),
                Ok(value) => self.members.push((property.name.to_owned(), format!("[{value}]"))),
                Err(why) => drop(self.mistakes.insert(field, why)),
            },
            (given, _) => match property.read(given) {
                Ok(value) => self.members.push((property.name.to_owned(), value)),
                Err(why) => drop(self.mistakes.insert(field, why)),
            },
        }
    }

    fn read_more(&mut self, field: String) {
        let text = self.texts.get(&field).and_then(|texts| texts.first()).map_or("", |text| text.trim());
        if text.is_empty() {
            return;
        }
        match serde_json::from_str::<BTreeMap<String, Box<serde_json::value::RawValue>>>(text) {
            Ok(members) => {
                let own = std::mem::take(&mut self.members);
                let is_own = |name: &String| own.iter().any(|(known, _)| known == name);
                let twice = members.keys().find(|name| is_own(name)).cloned();
                let more: Vec<_> = members.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect();
                self.members = own.into_iter().chain(more).collect();
                if let Some(name) = twice {
                    self.mistakes.insert(field, format!("names `{name}` again: write it in its own field only"));
                }
            }
            Err(why) => drop(self.mistakes.insert(field, format!("is no JSON object: {why}"))),
        }
    }

    fn field(&self, field: &str, property: &Property<'_>) -> Markup {
        let label = property.title().unwrap_or(property.name);
        let mistake = self.mistakes.get(field);
        let texts = self.texts.get(field).map(Vec::as_slice).unwrap_or_default();
        let (help, wrong) = (format!("{field}-help"), format!("{field}-wrong"));
        let control = control(property);
        let words = match control {
            Control::Choice(_) | Control::Choices(_) => String::new(),
            _ => cut(&property.words(), 200).0.to_owned(),
        };
        html! {
            div.field.wrong[mistake.is_some()] {
                @if let Control::Choices(options) = &control {
                    fieldset #(field) { legend { (label) (marks(property, &words)) } (choices(field, options, texts)) }
                } @else {
                    label for=(field) { (label) (marks(property, &words)) }
                    (input(field, &control, texts, property, mistake.is_some()))
                }
                @if let Some(why) = mistake { p.mistake #(wrong) { "It " (why) } }
                @if let Some(text) = property.description() { p.help #(help) { (cut(text, 600).0) } }
            }
        }
    }

    fn more(&self, field: &str, is_all: bool) -> Markup {
        let text = self.texts.get(field).and_then(|texts| texts.first()).map_or("", String::as_str);
        let mistake = self.mistakes.get(field);
        html! {
            @if is_all { p.note { "Its schema names no arguments." } }
            details.more open[!text.is_empty()] {
              summary { "Give " @if !is_all { "other " } "arguments as JSON" }
              div.field.wrong[mistake.is_some()] {
                label for=(field) { "Arguments" span.of { " a JSON object" } }
                textarea.code #(field) name=(field) rows="4" spellcheck="false" placeholder="{ }" { "\n" (text) }
                @if let Some(why) = mistake { p.mistake { "It " (why) } }
              }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "properties": {
            "name": {"type": "string", "title": "<b>Name</b>", "description": "Whom \"to\" greet"},
            "size": {"type": "integer", "default": 3},
            "loud": {"type": "boolean"},
            "when": {"type": "string", "format": "date"},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
            "where": {"type": "object"},
        }, "required": ["name"], "additionalProperties": true})
    }

    fn filled(text: &str) -> Filled {
        Form::new(&schema(), "a.").filled(&Fields::parse(text.as_bytes()))
    }

    fn check(text: &str, expected: Result<&str, &str>) {
        let filled = filled(text);
        let mistakes: Vec<String> = filled.mistakes.iter().map(|(field, why)| format!("{field} {why}")).collect();
        assert_eq!(
            filled.arguments().ok_or(mistakes.join("; ")).as_deref(),
            expected.map_err(str::to_owned).as_ref().copied()
        );
    }

    #[test]
    fn what_was_written_becomes_arguments() {
        check("a.%3Dname=Eve&a.%3Dsize=&a.%3Dloud=", Ok(r#"{"name":"Eve"}"#));
        check(
            "a.%3Dname=7&a.%3Dsize=12345678901234567890&a.%3Dloud=true",
            Ok(r#"{"name":"7","size":12345678901234567890,"loud":true}"#),
        );
        check("a.%3Dname=x&a.%3Dtags=a", Ok(r#"{"name":"x","tags":["a"]}"#));
        check(
            "a.%3Dname=x&a.%3Dtags=a&a.%3Dtags=b&a.%3Dwhere=%7B%7D",
            Ok(r#"{"name":"x","tags":["a","b"],"where":{}}"#),
        );
        check("a.%3Dname=x&a.more=%7B%22n%22:0.10%7D", Ok(r#"{"name":"x","n":0.10}"#));
    }

    #[test]
    fn mistakes_stand_with_their_fields() {
        check("a.%3Dsize=3", Err("a.=name is needed"));
        check("a.%3Dname=x&a.%3Dsize=big", Err("a.=size takes an integer, not `big`"));
        let no_object = filled("a.%3Dname=x&a.more=[]");
        assert!(no_object.arguments().is_none() && no_object.mistakes["a.more"].starts_with("is no JSON object: "));
        check(
            "a.%3Dname=x&a.more=%7B%22name%22:1%7D",
            Err("a.more names `name` again: write it in its own field only"),
        );
        let shown = filled("a.%3Dsize=big&a.%3Dwhere=%3Cscript%3E").shown().into_string();
        assert!(shown.contains(r#"value="big""#) && shown.contains("It is needed"), "{shown}");
        assert!(shown.contains("&lt;script&gt;") && !shown.contains("<script>"), "{shown}");
    }

    #[test]
    fn a_schema_is_text_too() {
        let shown = Form::new(&schema(), "a.").blank().shown().into_string();
        assert!(shown.contains("&lt;b&gt;Name&lt;/b&gt;") && shown.contains("Whom &quot;to&quot; greet"), "{shown}");
        assert!(shown.contains(r#"value="3""#) && shown.contains(r#"type="date""#), "{shown}");
    }
}
