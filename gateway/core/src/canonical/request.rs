//! A request that says everything about itself, and its parameters as each era writes them. Of the answer it knows nothing.

use std::borrow::Cow;

use bytestring::ByteString;

use super::{Client, Level, Logs};
use crate::{
    era::{self, Era, params::HeaderParams},
    wire::{self, Object, ObjectEdit, json},
};

/// A request on its way from a client to the gateway or a target. Its texts are parts of the message that it came in, so that a clone
/// copies none of them.
#[derive(Clone, Debug)]
pub struct Request {
    /// The client's id, as JSON text.
    pub id: ByteString,
    pub method: ByteString,
    /// As the client wrote them, `{}` where it sent none.
    pub params: Object,
    /// The era of `params`.
    pub era: Era,
    pub client: Client,
    /// The `Mcp-Param-*` headers of a modern client: name in lower case, value as it came.
    pub param_headers: Vec<(String, String)>,
    /// What of it the target wants repeated in such headers; known once it is routed.
    pub header_params: HeaderParams,
    /// Whether it may be carried out twice; known once it is routed.
    pub repeat: Repeat,
    /// A long answer may be given to its client while it comes.
    pub in_pieces: bool,
}

/// What a request may be put through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// Carried out twice, it does no more than carried out once.
    Safe,
    /// It must be carried out once at most.
    #[default]
    Never,
}

impl Request {
    /// The text of `key` in the parameters, where it is a text.
    pub fn param(&self, key: &str) -> Option<Cow<'_, str>> {
        wire::text(self.params.get(key)?)
    }

    /// Whether it brings input that a target asked for, so that it is a retry.
    pub fn brings_input(&self) -> bool {
        let may = self.may_be_asked_for_input() && self.era == Era::Modern;
        may && ["inputResponses", "requestState"].iter().any(|key| self.params.get(key).is_some())
    }

    /// Whether a target may answer it with `input_required` (MCP 2026-07-28, basic/patterns/mrtr).
    pub fn may_be_asked_for_input(&self) -> bool {
        matches!(&*self.method, "tools/call" | "prompts/get" | "resources/read")
    }

    /// The least level of log messages that a modern target is asked to send. A legacy client that set none expects
    /// messages all the same: the level is then what servers commonly send unasked.
    pub fn log_level(&self) -> Option<Level> {
        match self.client.logs {
            Logs::Unwanted => None,
            Logs::AsSent => Some(Level::Info),
            Logs::AtLeast(level) => Some(level),
        }
    }

    /// Makes `members` (names and texts) members of `_meta`; all else stays byte for byte, also where `_meta` is no object.
    pub fn set_meta<'a>(&mut self, members: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let Ok(mut meta) = ObjectEdit::parse(self.params.get("_meta").unwrap_or("{}")) else { return };
        members.into_iter().for_each(|(name, text)| meta.set(name, &json(&text)));
        let meta = meta.finish();
        self.change(|params| params.set("_meta", &meta));
    }

    /// Makes a `change` to the parameters.
    pub fn change(&mut self, change: impl FnOnce(&mut ObjectEdit<'_>)) {
        let mut params = ObjectEdit::of(&self.params);
        change(&mut params);
        self.params = params.into_object();
    }

    /// The client's progress token, JSON text.
    pub fn progress_token(&self) -> Option<String> {
        Some(ObjectEdit::parse(self.params.get("_meta")?).ok()?.get("progressToken")?.to_owned())
    }

    /// The parameters for a modern target, with `changes` (key, JSON text) made.
    pub fn modern_params(&self, changes: &[(&str, &str)]) -> ObjectEdit<'_> {
        let mut params = ObjectEdit::of(&self.params);
        changes.iter().for_each(|(key, value)| params.set(key, value));
        if self.era == Era::Legacy {
            if self.method == "tools/call" {
                // A wish for a task of the older form: a target that gives none of those is to work on the call at once (MCP
                // 2025-11-25, basic/utilities/tasks, "Task Support and Handling").
                params.remove("task");
            }
            // What is no object, such as `null`, says nothing.
            let meta = params.get("_meta").and_then(|meta| ObjectEdit::parse(meta).ok());
            let mut meta = meta.unwrap_or_else(ObjectEdit::empty);
            meta.set(era::META_VERSION, &json(&era::MODERN));
            if let Some(info) = &self.client.info {
                meta.set(era::META_CLIENT_INFO, info);
            }
            meta.set(era::META_CAPABILITIES, &self.client.declared());
            if let Some(level) = self.log_level() {
                meta.set(era::META_LOG_LEVEL, &json(&level.to_string()));
            }
            params.set("_meta", &meta.finish());
        }
        params
    }

    /// The `Mcp-Param-*` headers (name in lower case, value) that go to a modern target. A modern client wrote them itself, those that nobody here knows included; for a legacy one, whose era has none,
    /// they are written here.
    pub fn modern_param_headers(&self) -> Cow<'_, [(String, String)]> {
        match self.era {
            Era::Modern => Cow::Borrowed(&self.param_headers),
            Era::Legacy if self.header_params.is_empty() => Cow::default(),
            Era::Legacy => Cow::Owned(self.header_params.headers(self.params.get("arguments").unwrap_or("{}"))),
        }
    }

    /// The parameters for a legacy target, with `changes` (key, JSON text) made.
    pub fn legacy_params(&self, changes: &[(&str, &str)]) -> ObjectEdit<'_> {
        let mut params = ObjectEdit::of(&self.params);
        if self.era == Era::Modern && self.method == "tools/call" {
            // It means nothing in the client's era, and to a legacy target that the client wants a task (SEP-2663, "Backward
            // Compatibility").
            params.remove("task");
        }
        changes.iter().for_each(|(key, value)| params.set(key, value));
        if self.era == Era::Modern
            && let Some(mut meta) = params.get("_meta").and_then(|meta| ObjectEdit::parse(meta).ok())
        {
            for key in [era::META_VERSION, era::META_CLIENT_INFO, era::META_CAPABILITIES, era::META_LOG_LEVEL] {
                meta.remove(key);
            }
            match meta.is_empty() {
                true => params.remove("_meta"),
                false => params.set("_meta", &meta.finish()),
            }
        }
        params
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(era: Era, params: &str) -> Request {
        let client = Client {
            version: era::LEGACY,
            info: Some(r#"{"name":"c","version":"1"}"#.into()),
            capabilities: "{}".into(),
            logs: Logs::Unwanted,
            session: None,
            aside: None,
        };
        let (id, method) = ("1".into(), "tools/call".into());
        let (param_headers, header_params) = Default::default();
        Request {
            in_pieces: false,
            id,
            method,
            params: Object::parse(params).unwrap(),
            era,
            client,
            param_headers,
            header_params,
            repeat: Repeat::Never,
        }
    }

    #[test]
    fn what_is_added_to_meta_leaves_all_else_as_it_was() {
        let mut given = request(Era::Modern, r#"{"name": "x", "_meta": {"a" : 0.10, "traceparent":"old"}, "z":1}"#);
        given.set_meta([("traceparent", "new"), ("baggage", "b")]);
        assert_eq!(
            *given.params.text(),
            r#"{"name": "x", "_meta": {"a" : 0.10, "traceparent":"new","baggage":"b"}, "z":1}"#
        );
        let mut bare = request(Era::Legacy, "{}");
        bare.set_meta([("traceparent", "new")]);
        assert_eq!(*bare.params.text(), r#"{"_meta":{"traceparent":"new"}}"#);
    }

    #[test]
    fn between_modern_peers_only_the_change_is_made() {
        let request = request(Era::Modern, r#"{"name":"t___a", "arguments":{"x":1e2},"_meta":{"v":1}}"#);
        let params = request.modern_params(&[("name", r#""a""#)]).finish();
        assert_eq!(params, r#"{"name":"a", "arguments":{"x":1e2},"_meta":{"v":1}}"#);
    }

    #[test]
    fn a_legacy_request_says_all_about_itself_to_a_modern_target() {
        let params = request(Era::Legacy, r#"{"name":"a","_meta":{"progressToken":7}}"#).modern_params(&[]).finish();
        insta::assert_snapshot!(params, @r#"{"name":"a","_meta":{"progressToken":7,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}"#);
    }

    #[test]
    fn headers_are_written_for_those_whose_era_has_none() {
        let schema = r#"{"properties":{"x":{"type":"string","x-mcp-header":"X"}}}"#;
        let given = vec![("mcp-param-x".to_owned(), "=?base64?Yg==?=".to_owned())];
        let headers = |era, params: &str| {
            let header_params = HeaderParams::of_schema(schema).unwrap();
            let request = Request { header_params, param_headers: given.clone(), ..request(era, params) };
            request.modern_param_headers().into_owned()
        };
        let written = [("mcp-param-x".to_owned(), "a".to_owned())];
        assert_eq!(headers(Era::Legacy, r#"{"name":"t","arguments":{"x":"a"}}"#), written);
        assert_eq!(headers(Era::Legacy, r#"{"name":"t"}"#), []);
        assert_eq!(headers(Era::Modern, r#"{"name":"t","arguments":{"x":"a"}}"#), given);
    }

    #[test]
    fn a_meta_that_is_no_object_says_nothing() {
        let params = request(Era::Legacy, r#"{"name":"a","_meta":null}"#).modern_params(&[]).finish();
        insta::assert_snapshot!(params, @r#"{"name":"a","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}"#);
    }

    #[test]
    fn a_modern_request_keeps_its_own_meta_toward_a_legacy_target() {
        let meta = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":"p","io.modelcontextprotocol/clientCapabilities":{}}"#;
        let params = request(Era::Modern, &format!(r#"{{"name":"a","_meta":{meta}}}"#)).legacy_params(&[]).finish();
        assert_eq!(params, r#"{"name":"a","_meta":{"progressToken":"p"}}"#);
    }

    #[test]
    fn a_meta_that_only_the_modern_era_has_goes_as_a_whole() {
        let params = r#"{"_meta":{"io.modelcontextprotocol/logLevel":"info"},"name":"a"}"#;
        assert_eq!(request(Era::Modern, params).legacy_params(&[]).finish(), r#"{"name":"a"}"#);
    }

    #[test]
    fn there_and_back_is_the_identity() {
        let legacy = r#"{"name":"a","_meta":{"progressToken":7}}"#;
        let modern = request(Era::Legacy, legacy).modern_params(&[]).finish();
        assert_eq!(request(Era::Modern, &modern).legacy_params(&[]).finish(), legacy);
    }
}
