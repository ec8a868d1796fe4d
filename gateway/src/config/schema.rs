//! The JSON Schema of config.toml, for editors. Made from the mirror's types, so that the two cannot differ.

use schemars::{Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value};

use super::file::File;

/// The schema, JSON Schema 2020-12. config.schema.json is this value as text.
pub fn schema() -> Value {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .with_transform(RecursiveTransform(for_editors))
        .into_generator()
        .into_root_schema_for::<File>()
        .to_value()
}

/// What the types say and an editor should see differ in two ways: TOML has no null, and lines that a comment was wrapped at
/// are no lines of its text.
fn for_editors(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    without_null(object);
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// An optional member is one that may be left out.
fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".into(), one);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(one)] = choices.as_slice() {
            let one = one.clone();
            object.remove("anyOf");
            object.extend(one);
        }
    }
}
