//! What a target says about itself: in its answer to `initialize` in the legacy era, to `server/discover` in the modern
//! one. Asks nobody.
//!
//! Source: MCP 2025-11-25, basic/lifecycle; MCP 2026-07-28, server/discover.

use causeway_core::{
    canonical::tasks,
    era::{self, Era},
    wire::{Envelope, ObjectEdit},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Fault, fault::rpc_error};

/// A target in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub era: Era,
    /// The MCP version that the gateway speaks with it.
    pub version: String,
    /// `ServerCapabilities` object, as JSON text.
    pub capabilities: String,
    /// `Implementation` object, as JSON text.
    pub server_info: Option<String>,
    /// For the client's model.
    pub instructions: Option<String>,
}

impl About {
    /// Whether it declares this capability.
    pub(super) fn declares(&self, capability: &str) -> bool {
        let capabilities = ObjectEdit::parse(&self.capabilities);
        capabilities.is_ok_and(|all| all.get(capability).is_some_and(|value| value != "null"))
    }

    /// Whether it says that it answers calls with tasks, in either form.
    pub(super) fn gives_tasks(&self) -> bool {
        self.declares("tasks") || tasks::known_by(&self.capabilities)
    }

    /// Whether it declares this part of a capability, such as `listChanged` of `tools`.
    pub fn capability(&self, name: &str, part: &str) -> bool {
        let all = ObjectEdit::parse(&self.capabilities).ok();
        let one = all.as_ref().and_then(|all| ObjectEdit::parse(all.get(name)?).ok());
        one.is_some_and(|one| one.get(part).is_some_and(|value| !matches!(value, "null" | "false")))
    }

    /// Reads the answer to `initialize`.
    pub(super) fn initialized(message: &Envelope) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Initialized<'a> {
            protocol_version: String,
            #[serde(borrow)]
            capabilities: Option<&'a RawValue>,
            #[serde(borrow)]
            server_info: Option<&'a RawValue>,
            #[serde(default, deserialize_with = "lenient")]
            instructions: Option<String>,
        }
        let said: Initialized<'_> = read(message)?;
        match era::era_of(&said.protocol_version) {
            Some(Era::Legacy) => Ok(Self {
                era: Era::Legacy,
                version: said.protocol_version,
                capabilities: object(said.capabilities),
                server_info: said.server_info.map(|info| info.get().to_owned()),
                instructions: said.instructions,
            }),
            Some(Era::Modern) | None => Err(Fault::UnknownVersion(said.protocol_version)),
        }
    }

    /// Reads the answer to `server/discover`.
    pub(super) fn discovered(message: &Envelope) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Discovered<'a> {
            #[serde(borrow)]
            capabilities: Option<&'a RawValue>,
            #[serde(default, deserialize_with = "lenient")]
            instructions: Option<String>,
            #[serde(rename = "_meta", borrow)]
            meta: Option<Meta<'a>>,
        }
        #[derive(Deserialize)]
        struct Meta<'a> {
            #[serde(rename = "io.modelcontextprotocol/serverInfo", borrow)]
            server_info: Option<&'a RawValue>,
        }
        let said: Discovered<'_> = read(message)?;
        Ok(Self {
            era: Era::Modern,
            version: era::MODERN.into(),
            capabilities: object(said.capabilities),
            server_info: said.meta.and_then(|meta| meta.server_info).map(|info| info.get().to_owned()),
            instructions: said.instructions,
        })
    }
}

fn read<'a, T: Deserialize<'a>>(message: &'a Envelope) -> Result<T, Fault> {
    if let Some(error) = message.error() {
        return Err(Fault::Refused(rpc_error(error)));
    }
    serde_json::from_str(message.result().unwrap_or("null")).map_err(|error| Fault::Garbage(error.to_string()))
}

/// What is no object declares nothing.
fn object(text: Option<&RawValue>) -> String {
    let text = text.map(RawValue::get).filter(|text| text.starts_with('{'));
    text.unwrap_or("{}").to_owned()
}

/// A text of the wrong type is worth less than the rest of the answer.
fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_str().map(ToOwned::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(result: &str) -> Envelope {
        Envelope::parse(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#).into()).unwrap()
    }

    #[test]
    fn an_answer_to_initialize() {
        let said = r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{ }},"serverInfo":{"name":"s"},"instructions":"i"}"#;
        let about = About::initialized(&envelope(said)).unwrap();
        insta::assert_debug_snapshot!(about, @r#"
        About {
            era: Legacy,
            version: "2025-06-18",
            capabilities: "{\"tools\":{ }}",
            server_info: Some(
                "{\"name\":\"s\"}",
            ),
            instructions: Some(
                "i",
            ),
        }
        "#);
        let modern = envelope(r#"{"protocolVersion":"2026-07-28"}"#);
        assert!(matches!(About::initialized(&modern), Err(Fault::UnknownVersion(_))));
    }

    #[test]
    fn an_answer_to_discover_that_says_little() {
        let about = About::discovered(&envelope(r#"{"capabilities":7,"instructions":[],"_meta":{}}"#)).unwrap();
        assert_eq!((about.capabilities.as_str(), about.instructions, about.server_info), ("{}", None, None));
        let error = Envelope::parse(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}"#.into()).unwrap();
        assert!(matches!(About::discovered(&error), Err(Fault::Refused(_))));
    }
}
