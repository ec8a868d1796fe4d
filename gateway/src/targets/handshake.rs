//! How the gateway opens a conversation with a target and what it answers when asked itself, whatever carries the
//! messages.
//!
//! Source: MCP 2026-07-28, basic/versioning; MCP 2025-11-25, basic/lifecycle.

use bytestring::ByteString;
use causeway_core::{
    canonical::{Client, Logs, Repeat, Request, tasks},
    era::{self, Era},
    wire::{self, Envelope, Object, json},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Fault;

/// Ends the legacy handshake.
pub(super) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Error codes that only a modern server uses.
const MODERN_ERRORS: [i64; 3] = [wire::HEADER_MISMATCH, wire::MISSING_CAPABILITY, wire::UNSUPPORTED_VERSION];

/// The gateway as a client of its targets, for what it asks for itself. It declares all that it can pass on, because a target
/// may show a client only what that client can use; asked for something, it refuses.
pub(super) fn own_client() -> Client {
    Client {
        version: era::LEGACY,
        info: Some(own_info().into()),
        capabilities: format!(
            r#"{{"elicitation":{{"form":{{}},"url":{{}}}},"sampling":{{}},"roots":{{}},"extensions":{{"{}":{{}}}}}}"#,
            tasks::EXTENSION
        )
        .into(),
        logs: Logs::Unwanted,
        session: None,
        aside: None,
    }
}

fn own_info() -> String {
    format!(r#"{{"name":"causeway","version":{}}}"#, json(&env!("CARGO_PKG_VERSION")))
}

/// A request that the gateway makes for itself.
pub(super) fn own_request(method: &'static str, params: Object) -> Request {
    let (id, method) = (ByteString::from_static("1"), ByteString::from_static(method));
    let (param_headers, header_params) = Default::default();
    let (era, client, repeat) = (Era::Legacy, own_client(), Repeat::Safe);
    Request { id, method, params, era, client, param_headers, header_params, repeat, in_pieces: false }
}

/// The parameters of `server/discover`.
pub(super) fn discover_params() -> String {
    own_request("server/discover", Object::empty()).modern_params(&[]).finish()
}

/// The parameters of `initialize` for a client that can do what `capabilities` (JSON text) says.
pub(super) fn initialize_params(capabilities: &str) -> String {
    let info = own_info();
    format!(r#"{{"protocolVersion":"{}","capabilities":{capabilities},"clientInfo":{info}}}"#, era::LEGACY)
}

/// What an answer to `server/discover` says about its sender; `None` where it is one that any server may give.
pub(super) fn discovered(message: &Envelope) -> Result<Option<Era>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Discovered {
        supported_versions: Vec<String>,
    }
    #[derive(Deserialize)]
    struct RpcError<'a> {
        code: i64,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let versions = match (message.result(), message.error()) {
        (Some(result), _) => serde_json::from_str::<Discovered>(result).ok().map(|found| found.supported_versions),
        (None, Some(error)) => match serde_json::from_str::<RpcError<'_>>(error) {
            Ok(error) if error.code == wire::UNSUPPORTED_VERSION => Some(supported(error.data)),
            Ok(error) if MODERN_ERRORS.contains(&error.code) => return Ok(Some(Era::Modern)),
            _ => None,
        },
        (None, None) => None,
    };
    match versions {
        None => Ok(None),
        Some(versions) if versions.iter().any(|version| version == era::MODERN) => Ok(Some(Era::Modern)),
        Some(versions) if versions.iter().any(|version| era::era_of(version).is_some()) => Ok(Some(Era::Legacy)),
        Some(versions) => Err(Fault::UnknownVersion(versions.join(", "))),
    }
}

/// Whether an error is about how the gateway speaks (its version, its session, a missing handshake), not about what it
/// asked for. The codes of sessions are no standard: -32000 and -32001 are what the public SDKs use.
pub(super) fn refuses_conversation(message: &Envelope) -> bool {
    #[derive(Deserialize)]
    struct RpcError {
        code: i64,
    }
    let code = message.error().and_then(|error| serde_json::from_str::<RpcError>(error).ok()).map(|error| error.code);
    matches!(code, None | Some(wire::INVALID_REQUEST | wire::UNSUPPORTED_VERSION | -32000 | -32001))
}

/// Tells a legacy target, or a child process of either era, that nobody waits for request `id` any more.
pub(super) fn cancelled(id: u64) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id},"reason":"the client no longer waits"}}}}"#
    )
}

/// What the gateway answers when a target asks it something: it lives, and it declared no capability beyond that.
pub(super) fn refusal(request: &Envelope) -> String {
    let id = request.id().unwrap_or("null");
    match request.method() {
        "ping" => wire::result_message(id, "{}"),
        method => {
            let text = format!("the client declared no capability for `{method}`");
            wire::error_message(id, wire::METHOD_NOT_FOUND, &text, None)
        }
    }
}

fn supported(data: Option<&RawValue>) -> Vec<String> {
    #[derive(Deserialize)]
    struct Data {
        supported: Vec<String>,
    }
    let data = data.and_then(|data| serde_json::from_str::<Data>(data.get()).ok());
    data.map(|data| data.supported).unwrap_or_default()
}
