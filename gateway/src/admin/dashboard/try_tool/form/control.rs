//! How one member of an object is asked for: a choice, a number, a line, or JSON where it is nested; by what its schema says. Reads
//! nothing back.

use maud::{Markup, html};
use serde_json::Value;

use crate::arguments::Property;

/// Words in a name that promise more than one line.
const LONG: [&str; 9] = ["text", "body", "content", "query", "sql", "code", "markdown", "message", "prompt"];

/// How a member is asked for.
#[derive(Debug)]
pub(super) enum Control<'a> {
    /// One of these, each with what it is called.
    Choice(Vec<(String, String)>),
    /// Any of these.
    Choices(Vec<(String, String)>),
    Number,
    Line(&'a str),
    Lines,
    /// Whatever it is, as JSON.
    Json,
}

/// What stands beside the name of a member: its type in `words`, and whether it must be there.
pub(super) fn marks(property: &Property<'_>, words: &str) -> Markup {
    html! {
        @if property.title().is_some_and(|title| title != property.name) { " " code.of { (property.name) } }
        @if !words.is_empty() { span.of { " " (words) } }
        @if property.required { span.needed { " needed" } }
    }
}

/// The field called `field` with what is written in it; it is marked where that is wrong.
pub(super) fn input(
    field: &str,
    control: &Control<'_>,
    texts: &[String],
    property: &Property<'_>,
    wrong: bool,
) -> Markup {
    let text = texts.first().map_or("", String::as_str);
    let described = match (wrong, property.description()) {
        (true, Some(_)) => Some(format!("{field}-wrong {field}-help")),
        (true, None) => Some(format!("{field}-wrong")),
        (false, Some(_)) => Some(format!("{field}-help")),
        (false, None) => None,
    };
    let (needed, invalid) = (property.required, wrong.then_some("true"));
    html! {
        @match control {
            Control::Choice(options) => {
                select #(field) name=(field) required[needed] aria-describedby=[described] aria-invalid=[invalid] {
                    @if !needed || text.is_empty() { option value="" { @if needed { "choose" } @else { "leave out" } } }
                    @for (value, name) in options { option value=(value) selected[value == text] { (name) } }
                }
            }
            Control::Number => {
                input #(field) name=(field) value=(text) inputmode="decimal" autocomplete="off" required[needed]
                    aria-describedby=[described] aria-invalid=[invalid];
            }
            Control::Line(kind) => {
                input #(field) name=(field) type=(kind) value=(text) autocomplete="off" required[needed]
                    aria-describedby=[described] aria-invalid=[invalid];
            }
            Control::Lines => {
                textarea #(field) name=(field) rows="3" required[needed] aria-describedby=[described] aria-invalid=[invalid] {
                    "\n" (text)
                }
            }
            Control::Json => {
                textarea.code #(field) name=(field) rows="3" spellcheck="false" placeholder="JSON" required[needed]
                    aria-describedby=[described] aria-invalid=[invalid] { "\n" (text) }
            }
            Control::Choices(_) => {}
        }
    }
}

/// Boxes to tick.
pub(super) fn choices(field: &str, options: &[(String, String)], texts: &[String]) -> Markup {
    html! {
        @for (value, name) in options {
            label.choice { input type="checkbox" name=(field) value=(value) checked[texts.contains(value)]; " " (name) }
        }
    }
}

/// How this member is asked for.
pub(super) fn control<'a>(property: &Property<'a>) -> Control<'a> {
    if let Some(values) = property.choices() {
        let names = property.of("items").map(|items| names(items, &values)).unwrap_or_default();
        return Control::Choices(named(&values, names));
    }
    let values = property.values();
    if !values.is_empty() {
        let names = property.of("enumNames").and_then(Value::as_array).map(|names| names.iter().map(spelled).collect());
        let names = names.or_else(|| property.of("oneOf").map(titles)).unwrap_or_default();
        return Control::Choice(named(&values, names));
    }
    let types: Vec<&str> = property.types().into_iter().filter(|one| *one != "null").collect();
    match types[..] {
        ["boolean"] => Control::Choice(vec![("true".into(), "yes".into()), ("false".into(), "no".into())]),
        ["number" | "integer"] | ["integer", "number"] | ["number", "integer"] => Control::Number,
        ["string"] => line(property),
        _ => Control::Json,
    }
}

fn line<'a>(property: &Property<'a>) -> Control<'a> {
    let name = property.name.to_lowercase();
    match property.of("format").and_then(Value::as_str) {
        Some("date") => Control::Line("date"),
        Some("email") => Control::Line("email"),
        Some("uri") => Control::Line("url"),
        Some(_) => Control::Line("text"),
        None if LONG.iter().any(|word| name.contains(word)) => Control::Lines,
        None if property.default().and_then(Value::as_str).is_some_and(|text| text.contains('\n')) => Control::Lines,
        None => Control::Line("text"),
    }
}

/// Titles of alternatives that are constants.
fn titles(alternatives: &Value) -> Vec<String> {
    let titles =
        alternatives.as_array().into_iter().flatten().map(|one| one["title"].as_str().unwrap_or_default().to_owned());
    titles.collect()
}

fn names(items: &Value, values: &[&Value]) -> Vec<String> {
    let found =
        ["anyOf", "oneOf"].into_iter().map(|key| titles(&items[key])).find(|titles| titles.len() == values.len());
    found.unwrap_or_default()
}

/// Values with their names, where there is one for each.
fn named(values: &[&Value], names: Vec<String>) -> Vec<(String, String)> {
    let names = if names.len() == values.len() { names } else { vec![String::new(); values.len()] };
    let pairs = values.iter().zip(names).map(|(value, name)| {
        let value = spelled(value);
        let name = if name.is_empty() { value.clone() } else { name };
        (value, name)
    });
    pairs.collect()
}

/// A value as it is written into a field.
pub(super) fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
