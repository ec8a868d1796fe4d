//! What a tool's JSON Schema says of its arguments, in few words, and a text that a person typed as a value that it asks for.
//! No validator: what a server makes of a value is its own business.
//!
//! Source: JSON Schema 2020-12, as MCP's `inputSchema` and `requestedSchema` use it.

use causeway_core::{nearest::hint, wire::json};
use serde_json::Value;

/// References are followed this far.
const DEEPEST: usize = 8;

/// The schema of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape<'a>(&'a Value);

/// One member of the object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property<'a> {
    root: &'a Value,
    pub(crate) name: &'a str,
    schema: &'a Value,
    pub(crate) required: bool,
}

impl<'a> Shape<'a> {
    pub(crate) fn of(schema: &'a Value) -> Self {
        Self(schema)
    }

    /// In the order of the schema, those that must be there first.
    pub(crate) fn properties(self) -> Vec<Property<'a>> {
        let root = self.0;
        let required = |name: &str| {
            let names = root["required"].as_array().into_iter().flatten();
            names.filter_map(Value::as_str).any(|other| other == name)
        };
        let properties = root["properties"].as_object().into_iter().flatten();
        let mut properties: Vec<_> =
            properties.map(|(name, schema)| Property { root, name, schema, required: required(name) }).collect();
        properties.sort_by_key(|property| !property.required);
        properties
    }

    /// Whether it takes members that it does not name.
    pub(crate) fn is_open(self) -> bool {
        let more = match &self.0["additionalProperties"] {
            Value::Bool(more) => *more,
            Value::Object(_) => true,
            // A schema that names its members means these.
            _ => self.0["properties"].as_object().is_none_or(serde_json::Map::is_empty),
        };
        more || self.0["patternProperties"].is_object()
    }
}

impl<'a> Property<'a> {
    pub(crate) fn description(&self) -> Option<&'a str> {
        self.of("description").and_then(Value::as_str)
    }

    pub(crate) fn title(&self) -> Option<&'a str> {
        self.of("title").and_then(Value::as_str)
    }

    pub(crate) fn default(&self) -> Option<&'a Value> {
        self.of("default")
    }

    /// What the schema says under a keyword of its own, such as `format`.
    pub(crate) fn of(&self, key: &str) -> Option<&'a Value> {
        self.schema.get(key).or_else(|| resolved(self.root, self.schema).get(key))
    }

    /// `number`, `array of string`, `one of "a", "b"`.
    pub(crate) fn words(&self) -> String {
        words(self.root, self.schema)
    }

    /// The value (JSON text) that `texts`, all that was given under its name, stand for.
    pub(crate) fn read(&self, texts: &[&str]) -> Result<String, String> {
        match texts {
            [text] => read(self.root, self.schema, text),
            _ if types(self.root, self.schema, 0).contains(&"array") => self.items(texts),
            _ => Err(format!("takes one value, and {} were given", texts.len())),
        }
    }

    fn items(&self, texts: &[&str]) -> Result<String, String> {
        let items: Result<Vec<String>, String> =
            texts.iter().map(|text| read(self.root, items(self.root, self.schema), text)).collect();
        Ok(format!("[{}]", items?.join(",")))
    }

    /// The types that it may have; none if it may have any.
    pub(crate) fn types(&self) -> Vec<&'a str> {
        types(self.root, self.schema, 0)
    }

    /// What it may be, where that is a closed list.
    pub(crate) fn values(&self) -> Vec<&'a Value> {
        values(self.root, self.schema)
    }

    /// Whether several of a closed list may be chosen, and which.
    pub(crate) fn choices(&self) -> Option<Vec<&'a Value>> {
        let many = types(self.root, self.schema, 0).contains(&"array");
        Some(values(self.root, items(self.root, self.schema))).filter(|values| many && !values.is_empty())
    }
}

/// The schema that a reference within `root` leads to.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEEPEST {
        let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        let Some(next) = pointer.and_then(|pointer| root.pointer(pointer)) else { break };
        schema = next;
    }
    schema
}

fn items<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = resolved(root, schema);
    if let Some(items) = schema.get("items") {
        return items;
    }
    let nested = alternatives(schema).find(|one| resolved(root, one).get("items").is_some());
    nested.map_or(&Value::Null, |one| &resolved(root, one)["items"])
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten()
}

/// The types that a value may have; none if it may have any.
fn types<'a>(root: &'a Value, schema: &'a Value, depth: usize) -> Vec<&'a str> {
    let schema = resolved(root, schema);
    let mut found: Vec<&'a str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ if depth < DEEPEST => alternatives(schema).flat_map(move |one| types(root, one, depth + 1)).collect(),
        _ => Vec::new(),
    };
    if found.is_empty() {
        found = values(root, schema).into_iter().map(type_of).collect();
    }
    let mut once = Vec::with_capacity(found.len());
    for one in found {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

/// The values of a closed list: of `enum`, of `const`, or of alternatives that are constants.
fn values<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = resolved(root, schema);
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().collect();
    }
    if let Some(value) = schema.get("const") {
        return vec![value];
    }
    let constants: Vec<_> = alternatives(schema).map(|one| one.get("const")).collect();
    constants.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn type_of(value: &Value) -> &str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn words(root: &Value, schema: &Value) -> String {
    let values = values(root, schema);
    if !values.is_empty() {
        return format!("one of {}", values.into_iter().map(json).collect::<Vec<_>>().join(", "));
    }
    let types = types(root, schema, 0);
    let named = types.iter().map(|one| match *one {
        "array" => {
            let of = words(root, items(root, schema));
            if of == "anything" { "array".to_owned() } else { format!("array of {of}") }
        }
        one => one.to_owned(),
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { "anything".into() } else { named.join(" or ") }
}

/// `text` as a value, JSON text; else what is wanted instead.
fn read(root: &Value, schema: &Value, text: &str) -> Result<String, String> {
    let values = values(root, schema);
    if !values.is_empty() {
        return closed(&values, text);
    }
    let types = types(root, schema, 0);
    let parsed: Option<Value> = serde_json::from_str(text).ok();
    let fits = |value: &Value| match type_of(value) {
        // A text is taken as it was typed, quotes and all.
        "string" => false,
        "integer" => types.is_empty() || types.contains(&"integer") || types.contains(&"number"),
        other => types.is_empty() || types.contains(&other),
    };
    if parsed.as_ref().is_some_and(fits) {
        // Not as it was read: a number may have more digits than a program's.
        return Ok(text.trim().to_owned());
    }
    if types.is_empty() || types.contains(&"string") {
        return Ok(json(&text));
    }
    if types.contains(&"array") {
        let item = read(root, items(root, schema), text)
            .map_err(|_| format!("takes {}: write JSON such as `[…]`", article(&words(root, schema))))?;
        return Ok(format!("[{item}]"));
    }
    let advice = if types == ["object"] { ": write JSON such as `{…}`" } else { "" };
    Err(format!("takes {}, not `{text}`{advice}", article(&words(root, schema))))
}

fn closed(values: &[&Value], text: &str) -> Result<String, String> {
    let spelled = |value: &Value| value.as_str().map_or_else(|| json(value), str::to_owned);
    if let Some(value) = values.iter().find(|value| spelled(value) == text) {
        return Ok(json(value));
    }
    let spelled: Vec<String> = values.iter().map(|value| spelled(value)).collect();
    let hint = hint(text, spelled.iter().map(String::as_str));
    Err(format!("takes one of `{}`, not `{text}`{hint}", spelled.join("`, `")))
}

fn article(words: &str) -> String {
    let an = words.starts_with(['a', 'e', 'i', 'o', 'u']) && words != "one" && !words.starts_with("one ");
    format!("{} {words}", if an { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "free": {},
                "a": {"type": "number"},
                "n": {"type": ["integer", "null"]},
                "name": {"type": "string", "description": "Whom to greet"},
                "loud": {"type": "boolean", "default": false},
                "tags": {"type": "array", "items": {"type": "string"}},
                "sizes": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]},
                "colour": {"$ref": "#/$defs/Colour"},
                "where": {"type": "object"},
            },
            "required": ["a", "name"],
            "$defs": {"Colour": {"enum": ["red", "green"]}},
        })
    }

    fn check(name: &str, texts: &[&str], expected: Result<&str, &str>) {
        let schema = schema();
        let property = *Shape::of(&schema).properties().iter().find(|it| it.name == name).unwrap();
        assert_eq!(
            property.read(texts).as_deref(),
            expected.map_err(str::to_owned).as_ref().copied(),
            "{name} {texts:?}"
        );
    }

    #[test]
    fn a_text_becomes_what_the_schema_asks_for() {
        check("a", &["12345678901234567890.5"], Ok("12345678901234567890.5"));
        check("a", &["x"], Err("takes a number, not `x`"));
        check("n", &["7"], Ok("7"));
        check("n", &["null"], Ok("null"));
        check("n", &["7.5"], Err("takes an integer or null, not `7.5`"));
        check("name", &["7"], Ok("\"7\""));
        check("name", &["\"x\""], Ok(r#""\"x\"""#));
        check("loud", &["true"], Ok("true"));
        check("loud", &["yes"], Err("takes a boolean, not `yes`"));
        check("tags", &["a", "1"], Ok(r#"["a","1"]"#));
        check("tags", &["a"], Ok(r#"["a"]"#));
        check("tags", &[r#"["a", "b"]"#], Ok(r#"["a", "b"]"#));
        check("sizes", &["1", "2"], Ok("[1,2]"));
        check("sizes", &["x"], Err("takes an array of integer or null: write JSON such as `[…]`"));
        check("colour", &["green"], Ok("\"green\""));
        check("colour", &["gren"], Err("takes one of `red`, `green`, not `gren`; did you mean `green`?"));
        check("where", &[r#"{"x":1}"#], Ok(r#"{"x":1}"#));
        check("where", &["here"], Err("takes an object, not `here`: write JSON such as `{…}`"));
        check("free", &["1"], Ok("1"));
        check("free", &["one"], Ok("\"one\""));
        check("a", &["1", "2"], Err("takes one value, and 2 were given"));
    }

    #[test]
    fn types_are_said_in_words() {
        let schema = schema();
        let words: Vec<String> =
            Shape::of(&schema).properties().iter().map(|it| format!("{} {}", it.name, it.words())).collect();
        insta::assert_snapshot!(words.join("\n"), @r#"
        a number
        name string
        free anything
        n integer or null
        loud boolean
        tags array of string
        sizes array of integer or null
        colour one of "red", "green"
        where object
        "#);
    }

    #[test]
    fn a_schema_that_names_its_members_means_these() {
        assert!(!Shape::of(&schema()).is_open());
        assert!(Shape::of(&json!({"type": "object"})).is_open());
        assert!(Shape::of(&json!({"properties": {"a": {}}, "additionalProperties": {"type": "string"}})).is_open());
        assert!(!Shape::of(&json!({"additionalProperties": false})).is_open());
    }
}
