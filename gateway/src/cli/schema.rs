//! `causeway schema`: the JSON Schema of config.toml as text.

use crate::config::schema::schema;

/// The text of config.schema.json, with a line end.
pub fn text() -> String {
    let schema = serde_json::to_string_pretty(&schema()).expect("a JSON value has a text");
    format!("{schema}\n")
}
