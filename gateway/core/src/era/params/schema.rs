//! Finding the `x-mcp-header` annotations of an input schema and judging them. Follows no `$ref` and validates nothing else.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http, "Schema Extension"; server/tools, "x-mcp-header"; JSON Schema
//! 2020-12.

use serde_json::{Map, Value};

use super::HeaderParam;
use crate::era::headers;

const ANNOTATION: &str = "x-mcp-header";

/// Why the annotations of a tool are invalid, and where: keys of the schema with slashes between them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnnotation {
    #[error("the schema cannot be read: {0}")]
    Unreadable(String),
    #[error("`{0}` must be a text")]
    NoText(String),
    #[error("`{at}` is {name:?}, which is no name of a header: use letters, digits and hyphens")]
    NoToken { at: String, name: String },
    #[error("`{at}` asks for a header `{name}` that another parameter has already")]
    Taken { at: String, name: String },
    #[error("`{0}` stands at a parameter whose `type` is neither `string` nor `integer` nor `boolean`")]
    NotPrimitive(String),
    #[error("`{0}` does not stand at a parameter that is reached from the root by `properties` alone")]
    Unreachable(String),
}

/// The annotated parameters of `schema`, JSON text, in its order.
pub(super) fn header_params(schema: &str) -> Result<Vec<HeaderParam>, BadAnnotation> {
    // Any key can be written with escapes; no tool of those that never say the word is worth reading.
    if !schema.contains(ANNOTATION) && !schema.contains(r"\u") {
        return Ok(Vec::new());
    }
    let schema: Value = serde_json::from_str(schema).map_err(|error| BadAnnotation::Unreadable(error.to_string()))?;
    let mut search = Search { at: Vec::new(), found: Vec::new() };
    search.schema(&schema, true)?;
    Ok(search.found)
}

struct Search<'a> {
    /// Keys from the root to where the search is.
    at: Vec<&'a str>,
    found: Vec<HeaderParam>,
}

impl<'a> Search<'a> {
    /// Searches a schema, or a list of schemas. `reachable`: only `properties` lead to it.
    fn schema(&mut self, schema: &'a Value, reachable: bool) -> Result<(), BadAnnotation> {
        match schema {
            Value::Object(members) => {
                members.iter().try_for_each(|(key, value)| self.within(key, |it| it.member(members, value, reachable)))
            }
            Value::Array(schemas) => schemas.iter().try_for_each(|schema| self.schema(schema, false)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn member(&mut self, of: &'a Map<String, Value>, value: &'a Value, reachable: bool) -> Result<(), BadAnnotation> {
        match self.at.last().copied() {
            Some(ANNOTATION) => self.annotation(of, value, reachable),
            Some("properties") => self.named_schemas(value, reachable),
            Some("patternProperties" | "dependentSchemas" | "$defs" | "definitions") => {
                self.named_schemas(value, false)
            }
            // They hold values, not schemas.
            Some("const" | "default" | "enum" | "examples") => Ok(()),
            _ => self.schema(value, false),
        }
    }

    /// Searches the schemas of an object whose keys are names and no keywords.
    fn named_schemas(&mut self, schemas: &'a Value, reachable: bool) -> Result<(), BadAnnotation> {
        let mut schemas = schemas.as_object().into_iter().flatten();
        schemas.try_for_each(|(name, schema)| self.within(name, |it| it.schema(schema, reachable)))
    }

    fn annotation(&mut self, of: &Map<String, Value>, name: &Value, reachable: bool) -> Result<(), BadAnnotation> {
        // Between `properties` and the annotation: every second key is a parameter's.
        let path: Vec<String> = self.at.chunks_exact(2).map(|step| step[1].to_owned()).collect();
        let at = self.at.join("/");
        if !reachable || path.is_empty() {
            return Err(BadAnnotation::Unreachable(at));
        }
        let Value::String(name) = name else { return Err(BadAnnotation::NoText(at)) };
        let name = name.as_str();
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(BadAnnotation::NoToken { at, name: name.to_owned() });
        }
        if !is_primitive(of.get("type")) {
            return Err(BadAnnotation::NotPrimitive(at));
        }
        let header = [headers::PARAM_PREFIX, &name.to_ascii_lowercase()].concat();
        if self.found.iter().any(|param| param.header == header) {
            return Err(BadAnnotation::Taken { at, name: name.to_owned() });
        }
        self.found.push(HeaderParam { header, path });
        Ok(())
    }

    fn within<T>(&mut self, key: &'a str, search: impl FnOnce(&mut Self) -> T) -> T {
        self.at.push(key);
        let found = search(self);
        self.at.pop();
        found
    }
}

/// RFC 9110, section 5.6.2, `tchar`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a parameter of this `type` can travel as a header. That it may be `null` is no obstacle: it has no header then.
fn is_primitive(types: Option<&Value>) -> bool {
    let primitive = |of: &Value| matches!(of.as_str(), Some("string" | "integer" | "boolean"));
    match types {
        Some(Value::Array(types)) => {
            let mut others = types.iter().filter(|of| of.as_str() != Some("null"));
            others.next().is_some_and(primitive) && others.next().is_none()
        }
        Some(of) => primitive(of),
        None => false,
    }
}
