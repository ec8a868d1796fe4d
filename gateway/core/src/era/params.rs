//! Arguments of a tool call that the modern era repeats in `Mcp-Param-*` headers: writing those headers and checking them
//! against the arguments. Whether an argument fits its schema is the target's to say.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http, "Custom Headers from Tool Parameters" and "Value Encoding".

mod number;
mod schema;

use std::{borrow::Cow, sync::Arc};

pub use self::schema::BadAnnotation;
use super::headers;
use crate::wire::ObjectEdit;

/// The parameters of one tool that travel as headers; for most tools none. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderParams(Arc<[HeaderParam]>);

/// One parameter that travels as a header.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HeaderParam {
    /// `mcp-param-<name>`, in lower case.
    header: String,
    /// The keys that lead from the arguments to it, at least one.
    path: Vec<String>,
}

/// Why headers and arguments do not agree. Says where, and never what stands there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("`{header}` is missing: the body has a value at `{path}`")]
    Missing { header: String, path: String },
    #[error("`{header}` is there, but the body has no value at `{path}`")]
    Extra { header: String, path: String },
    #[error("`{header}` and the body's `{path}` differ")]
    Differs { header: String, path: String },
    #[error("`{header}` stands more than once")]
    Repeated { header: String },
    #[error("`{header}` holds bytes that no header value may hold")]
    BadBytes { header: String },
    #[error("`{header}` holds broken Base64")]
    BadBase64 { header: String },
    /// Readers would disagree on which of the two counts.
    #[error("`{path}`, which `{header}` repeats, stands twice in the body")]
    Twice { header: String, path: String },
}

impl HeaderParams {
    /// Reads the `x-mcp-header` annotations of a tool's `inputSchema`, JSON text.
    ///
    /// # Errors
    /// An annotation breaks a constraint of the page, which makes the whole tool definition invalid.
    pub fn of_schema(schema: &str) -> Result<Self, BadAnnotation> {
        Ok(Self(schema::header_params(schema)?.into()))
    }

    /// Whether no parameter travels as a header.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The headers (name in lower case, encoded value) that go with `arguments`, JSON text. An argument that is absent,
    /// `null`, a list or an object has none.
    pub fn headers(&self, arguments: &str) -> Vec<(String, String)> {
        let Some(arguments) = self.arguments(arguments) else { return Vec::new() };
        let values = self.0.iter().filter_map(|param| Some((param, text(param.value(&arguments)?.json)?)));
        values.map(|(param, text)| (param.header.clone(), headers::encode(&text).into_owned())).collect()
    }

    /// Checks that headers say what `arguments`, JSON text, say. `lines` gives the values of all lines with a header of this
    /// name; headers of other names are nobody's concern here.
    ///
    /// # Errors
    /// The first header that does not agree.
    pub fn check<'h, L>(&self, arguments: &str, lines: impl Fn(&str) -> L) -> Result<(), Mismatch>
    where
        L: IntoIterator<Item = &'h [u8]>,
    {
        let arguments = self.arguments(arguments);
        self.0.iter().try_for_each(|param| {
            let value = arguments.as_ref().and_then(|arguments| param.value(arguments));
            param.check(value, lines(&param.header).into_iter())
        })
    }

    /// The arguments, where there are any and they matter.
    fn arguments<'a>(&self, arguments: &'a str) -> Option<ObjectEdit<'a>> {
        (!self.is_empty()).then(|| ObjectEdit::parse(arguments).ok()).flatten()
    }
}

/// A value among the arguments.
struct Found<'a> {
    /// JSON text.
    json: &'a str,
    /// A key on the way to it stands twice.
    twice: bool,
}

impl HeaderParam {
    fn value<'a>(&self, arguments: &ObjectEdit<'a>) -> Option<Found<'a>> {
        let (first, rest) = self.path.split_first()?;
        let mut found = member(arguments, first)?;
        for key in rest {
            let deeper = member(&ObjectEdit::parse(found.json).ok()?, key)?;
            found = Found { twice: found.twice || deeper.twice, ..deeper };
        }
        Some(found)
    }

    fn check<'h>(&self, value: Option<Found<'_>>, mut lines: impl Iterator<Item = &'h [u8]>) -> Result<(), Mismatch> {
        let (header, path) = (self.header.clone(), self.path.join("."));
        let line = lines.next();
        if lines.next().is_some() {
            return Err(Mismatch::Repeated { header });
        }
        if value.as_ref().is_some_and(|value| value.twice) {
            return Err(Mismatch::Twice { header, path });
        }
        let body = value.and_then(|value| Some((value.json, text(value.json)?)));
        match (line, body) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Mismatch::Missing { header, path }),
            (Some(_), None) => Err(Mismatch::Extra { header, path }),
            (Some(line), Some((json, text))) => {
                let said = plain(line).ok_or_else(|| Mismatch::BadBytes { header: header.clone() })?;
                let said = headers::decode(said).ok_or_else(|| Mismatch::BadBase64 { header: header.clone() })?;
                let same = said == text || number::equal(&said, json);
                if same { Ok(()) } else { Err(Mismatch::Differs { header, path }) }
            }
        }
    }
}

fn member<'a>(object: &ObjectEdit<'a>, key: &str) -> Option<Found<'a>> {
    let values = object.members().filter(|(name, _)| *name == key).count();
    Some(Found { json: object.get(key)?, twice: values > 1 })
}

/// A value, JSON text, as a header says it before encoding; `None` for one that no header can say.
fn text(json: &str) -> Option<Cow<'_, str>> {
    match json.bytes().next()? {
        b'"' => serde_json::from_str(json).ok().map(Cow::Owned),
        b't' | b'f' => Some(json.into()),
        b'-' | b'0'..=b'9' => Some(number::decimal(json)),
        _ => None,
    }
}

/// The value of a header line, without the white space around it (RFC 9110, section 5.5).
fn plain(line: &[u8]) -> Option<&str> {
    let allowed = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    let text = std::str::from_utf8(line).ok().filter(|_| line.iter().all(allowed))?;
    Some(text.trim_matches([' ', '\t']))
}

#[cfg(test)]
mod tests;
