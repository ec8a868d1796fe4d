//! Calls and attempts as spans of a trace: OpenTelemetry's names for them, and AgentCore's beside.
//!
//! Source: OpenTelemetry semantic conventions for MCP, RPC and HTTP; AgentCore, observability-gateway-metrics, "Spans".

use std::{sync::Arc, time::Duration};

use super::{
    CallRecord, Outcome, meters,
    open::Lead,
    trace::{Attribute, Own, Span},
};

type Attributes = Vec<(&'static str, Attribute)>;

/// An attempt at a target, for its span.
#[derive(Debug)]
pub(super) struct Tried<'a> {
    pub(super) method: &'a str,
    pub(super) lead: &'a Lead,
    pub(super) transport: &'static str,
    pub(super) request_id: &'a str,
    /// What went wrong, in a word.
    pub(super) fault: Option<&'static str>,
}

/// The span of a whole call.
pub(super) fn of_call(own: &Own, state: Option<Arc<str>>, record: &CallRecord, gateway: &str) -> Span {
    let tool = record.name.as_deref().filter(|_| &*record.method == "tools/call");
    let mut attributes = named(&record.method, tool, record.name.as_deref());
    let http_method = match (&*record.method, record.status) {
        (method @ ("GET" | "DELETE"), _) => method,
        // What else HTTP has is not allowed.
        (_, 405) => "_OTHER",
        _ => "POST",
    };
    let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
    attributes.extend::<Attributes>(vec![
        ("http.request.method", http_method.into()),
        ("url.path", (*record.endpoint).into()),
        ("http.response.status_code", i64::from(record.status).into()),
        ("network.transport", "tcp".into()),
        ("gateway.name", gateway.into()),
        ("causeway.request_id", (*record.request_id).into()),
        ("causeway.outcome", record.outcome.word().into()),
        ("latency_ms", millis(record.duration).into()),
        ("overhead_latency_ms", millis(record.duration.saturating_sub(record.execution)).into()),
    ]);
    attributes.extend(record.target.as_deref().map(|target| ("causeway.target", target.into())));
    attributes.extend(record.path.as_deref().map(|path| ("causeway.path", path.into())));
    attributes.extend(record.caller.as_ref().map(|caller| ("enduser.id", caller.id.as_str().into())));
    if let Some(code) = record.outcome.code() {
        attributes.push(("jsonrpc.error.code", code.into()));
        attributes.push(("rpc.response.status_code", Attribute::Text(code.to_string())));
    }
    let error = error_type(&record.outcome);
    if let Some(error) = &error {
        attributes.push(("error.type", error.as_str().into()));
        attributes.push(("error_type", error.as_str().into()));
    }
    Span {
        trace_id: own.trace_id,
        span_id: own.span_id,
        parent: own.parent,
        state,
        name: name(&record.method, tool.filter(|_| record.tool.is_some())),
        is_server: true,
        start: record.at,
        end: record.at + record.duration,
        attributes,
        error,
    }
}

/// The span of an attempt.
pub(super) fn of_attempt(
    own: &Own,
    state: Option<Arc<str>>,
    tried: &Tried<'_>,
    start: Duration,
    took: Duration,
) -> Span {
    let Lead { target, tool, path, .. } = tried.lead;
    let mut attributes = named(tried.method, tool.as_deref(), None);
    attributes.extend::<Attributes>(vec![
        ("causeway.target", (**target).into()),
        ("network.transport", if tried.transport == "stdio" { "pipe" } else { "tcp" }.into()),
        ("causeway.request_id", tried.request_id.into()),
        ("latency_ms", (took.as_secs_f64() * 1e3).into()),
    ]);
    attributes.extend(path.as_deref().map(|path| ("causeway.path", path.into())));
    if let Some(fault) = tried.fault {
        attributes.push(("error.type", fault.into()));
        attributes.push(("error_type", fault.into()));
    }
    Span {
        trace_id: own.trace_id,
        span_id: own.span_id,
        parent: own.parent,
        state,
        name: name(tried.method, tool.as_deref()),
        is_server: false,
        start,
        end: start + took,
        attributes,
        error: tried.fault.map(ToOwned::to_owned),
    }
}

/// A name that no client can invent: of few spans, as those who sum them up by it count on.
fn name(method: &str, tool: Option<&str>) -> String {
    match (meters::method(method), tool) {
        ("", _) => "POST".to_owned(),
        (method, Some(tool)) => format!("{method} {tool}"),
        (method, None) => method.to_owned(),
    }
}

fn named(method: &str, tool: Option<&str>, name: Option<&str>) -> Attributes {
    let mut attributes: Attributes = vec![("mcp.method.name", method.into())];
    if let Some(tool) = tool {
        attributes.push(("gen_ai.operation.name", "execute_tool".into()));
        attributes.push(("gen_ai.tool.name", tool.into()));
        attributes.push(("tool.name", tool.into()));
    }
    match (method, name) {
        ("prompts/get", Some(name)) => attributes.push(("gen_ai.prompt.name", name.into())),
        ("resources/read", Some(uri)) => attributes.push(("mcp.resource.uri", uri.into())),
        _ => {}
    }
    attributes
}

/// `tool_error` is the conventions' own word for a result with `isError`.
fn error_type(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Ok | Outcome::InputRequired => None,
        Outcome::ToolError | Outcome::Cancelled => Some(outcome.word().to_owned()),
        _ => outcome.detail(),
    }
}
