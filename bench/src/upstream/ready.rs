//! One server of the upstream, and its answers, of which all but ids and texts is made once.

use std::collections::HashMap;

use bytes::Bytes;
use causeway_core::{era, wire};
use http::Response;

use super::{
    HALVES, Server,
    body::{Content, Gated},
};
use crate::form::{self, Answers, Size, Speaks};

const HEAD: &str = r#"{"jsonrpc":"2.0","id":"#;
const RESULT: &str = r#","result":"#;

/// A server, its answers prepared.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) speaks: Speaks,
    pub(super) guarded: bool,
    answers: Answers,
    list: Bytes,
    /// What stands before the text that comes back and what after it, by size.
    results: [(String, Bytes); Size::ALL.len()],
    tools: HashMap<String, Size>,
}

impl Ready {
    pub(super) fn new(server: &Server) -> Self {
        let speaks = server.form.speaks;
        let size_of = |tool: &str| match tool {
            HALVES => Size::Large,
            tool => Size::ALL.into_iter().find(|size| size.tool() == tool).unwrap_or(Size::Small),
        };
        let results = Size::ALL.map(|size| {
            let (before, after) = form::result(speaks, size);
            (before, Bytes::from([after.as_str(), "}"].concat()))
        });
        Self {
            speaks,
            guarded: server.guarded,
            answers: server.form.answers,
            list: list(server).into(),
            results,
            tools: server.tools.iter().map(|tool| (tool.clone(), size_of(tool))).collect(),
        }
    }

    pub(super) fn has(&self, tool: &str) -> bool {
        self.tools.contains_key(tool)
    }

    pub(super) fn initialized(&self, id: &str) -> Response<Content> {
        let version = era::LEGACY;
        let about = r#""capabilities":{"tools":{}},"serverInfo":{"name":"upstream","version":"1"}"#;
        self.result(id, format!(r#"{{"protocolVersion":"{version}",{about}}}"#).into())
    }

    pub(super) fn discovered(&self, id: &str) -> Response<Content> {
        if self.speaks != Speaks::Modern {
            return self.unknown(id, "server/discover");
        }
        let version = era::MODERN;
        let about = r#""capabilities":{"tools":{}}"#;
        self.result(id, format!(r#"{{"resultType":"complete","supportedVersions":["{version}"],{about}}}"#).into())
    }

    pub(super) fn listed(&self, id: &str) -> Response<Content> {
        self.result(id, self.list.clone())
    }

    pub(super) fn pong(&self, id: &str) -> Response<Content> {
        self.result(id, Bytes::from_static(b"{}"))
    }

    pub(super) fn called(&self, id: &str, tool: &str, text: &str) -> Response<Content> {
        match self.tools.get(tool) {
            Some(size) => Content::answer(self.answers, self.pieces(id, *size, text), None),
            None => self.error(id, wire::INVALID_PARAMS, &format!("Unknown tool: {tool}")),
        }
    }

    /// The result of [`HALVES`], the second half of which waits for `gate`.
    pub(super) fn halves(
        &self,
        id: &str,
        text: &str,
        gate: impl Future<Output = ()> + Send + 'static,
    ) -> Response<Content> {
        let [head, mut rest] = self.pieces(id, Size::Large, text);
        let first = rest.split_to(rest.len() / 2);
        let gated = Gated { gate: Box::pin(gate), rest: [rest].into() };
        Content::answer(self.answers, [head, first], Some(gated))
    }

    pub(super) fn unknown(&self, id: &str, method: &str) -> Response<Content> {
        self.error(id, wire::METHOD_NOT_FOUND, &format!("Method not found: {method}"))
    }

    fn error(&self, id: &str, code: i64, text: &str) -> Response<Content> {
        Content::answer(self.answers, [wire::error_message(id, code, text, None).into()], None)
    }

    /// Head with the id and the text, and the rest, which is shared.
    fn pieces(&self, id: &str, size: Size, text: &str) -> [Bytes; 2] {
        let (before, after) = &self.results[size as usize];
        [[HEAD, id, RESULT, before, text].concat().into(), after.clone()]
    }

    fn result(&self, id: &str, result: Bytes) -> Response<Content> {
        let head = [HEAD, id, RESULT].concat().into();
        Content::answer(self.answers, [head, result, Bytes::from_static(b"}")], None)
    }
}

/// The result of `tools/list`: every tool takes a text, and says as much about itself as tools do, some 400 bytes.
fn list(server: &Server) -> String {
    let tools: Vec<String> = server.tools.iter().map(|tool| entry(tool)).collect();
    let tools = tools.join(",");
    match server.form.speaks {
        Speaks::Modern => {
            format!(r#"{{"resultType":"complete","tools":[{tools}],"ttlMs":3600000,"cacheScope":"public"}}"#)
        }
        Speaks::Session | Speaks::Stateless => format!(r#"{{"tools":[{tools}]}}"#),
    }
}

fn entry(tool: &str) -> String {
    let description = "Gives back the text that it is called with, in the first block of its result, and after it as much \
                       filling as its name says. It reads nothing, changes nothing and can be called as often as anybody likes.";
    let schema = r#"{"type":"object","properties":{"text":{"type":"string","description":"What comes back."}},"required":["text"]}"#;
    format!(r#"{{"name":"{tool}","title":"Echo","description":"{description}","inputSchema":{schema}}}"#)
}
