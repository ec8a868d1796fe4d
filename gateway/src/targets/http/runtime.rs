//! Tells AgentCore Runtime's own answers from those of the server that it hosts. Only for targets by `http.runtime_arn`: the
//! same codes from another server are its own.
//!
//! Runtime speaks JSON-RPC in the server's place, with codes that a server may use as well. So a JSON-RPC error is Runtime's
//! only where AWS's header `x-amzn-errortype` names the error, or where its message is the whole sentence that AWS documents for
//! the code; whatever else is JSON-RPC passes unchanged. What is left of risk: a server that answers such a sentence word for
//! word with its code, or that sets the header where Runtime lets it through, is taken for Runtime, so a call that it carried
//! out may be sent again; and a Runtime that words an error anew, without the header, is taken for its server.
//!
//! An answer that is no JSON-RPC is told by its status. A server may have given it, so it counts for no more than it does from any
//! server.

use causeway_aws::refusal::{error_name, words};
use causeway_core::wire::Envelope;
use http::StatusCode;
use serde::Deserialize;

use super::{Fault, answer::Answer};
use crate::targets::{Problem, RuntimeFault};

/// Codes and messages of the errors that Runtime answers in JSON-RPC, some of them with HTTP 200.
///
/// Source: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-mcp-protocol-contract.html>, which has two
/// messages for -32005 and leaves open whether the second begins as the first does.
const ERRORS: [(i64, &str, Problem); 10] = [
    (-32002, "Authorization error - Insufficient permissions", Problem::AccessDenied),
    (-32003, "Rate limit exceeded - Too many requests", Problem::Throttled),
    (-32004, "Resource not found - Requested resource does not exist", Problem::NotFound),
    (-32005, "Session operation in progress, please retry", Problem::SessionBusy),
    (-32005, "Resource conflict - Session operation in progress, please retry", Problem::SessionBusy),
    (-32005, "Resource conflict - Resource already exists", Problem::Conflict),
    (-32006, "Validation error - Invalid request data", Problem::Invalid),
    (-32010, "Tool execution error - Please check your CloudWatch logs for more information", Problem::ServerFailed),
    (
        -32011,
        "Accept Header Error - MCP protocol requires Accept header: application/json, text/event-stream",
        Problem::Invalid,
    ),
    (-32603, "Internal error - Server error", Problem::Internal),
];

/// AWS's names of these errors.
const NAMES: [(&str, Problem); 12] = [
    ("AccessDeniedException", Problem::AccessDenied),
    ("ThrottlingException", Problem::Throttled),
    ("ServiceQuotaExceededException", Problem::QuotaExceeded),
    ("ServiceQuotaExceeded", Problem::QuotaExceeded),
    ("ResourceNotFoundException", Problem::NotFound),
    ("ConflictException", Problem::Conflict),
    ("RetryableConflictException", Problem::SessionBusy),
    ("ValidationException", Problem::Invalid),
    ("McpRequestUnacceptableException", Problem::Invalid),
    ("RuntimeClientError", Problem::ServerFailed),
    ("InternalServerException", Problem::Internal),
    ("InternalServerError", Problem::Internal),
];

/// Bytes of an answer that may be one of Runtime's errors.
const MOST_BYTES: usize = 64 * 1024;

/// `answer`, if it is the server's. A request that was `in_session` and got a 404 gets it back: the session may be gone.
///
/// # Errors
/// [`Fault::Runtime`] if it is Runtime's own.
pub(super) async fn of_the_server(answer: Answer, in_session: bool) -> Result<Answer, Fault> {
    let status = answer.status();
    if answer.is_event_stream() || in_session && status == StatusCode::NOT_FOUND {
        return Ok(answer);
    }
    let name = error_name(answer.headers());
    let (answer, body) = answer.read().await?;
    if body.len() > MOST_BYTES {
        return Ok(answer);
    }
    match fault(status, name.as_deref(), &body) {
        Some(fault) => Err(fault.into()),
        None => Ok(answer),
    }
}

fn fault(status: StatusCode, name: Option<&str>, body: &bytes::Bytes) -> Option<RuntimeFault> {
    #[derive(Deserialize)]
    struct RpcError {
        code: i64,
        message: String,
    }
    #[derive(Deserialize)]
    struct AwsError {
        #[serde(alias = "Message")]
        message: String,
    }
    let named = name.and_then(|name| NAMES.iter().find(|(known, _)| *known == name)).map(|(_, problem)| *problem);
    if let Ok(message) = Envelope::parse(body.clone()) {
        let error: RpcError = serde_json::from_str(message.error()?).ok()?;
        let of_code = || ERRORS.iter().filter(|(code, _, _)| *code == error.code);
        let by_words = of_code().find(|(_, sentence, _)| error.message == *sentence).map(|(_, _, problem)| *problem);
        // The name first: two errors have one code and one sentence.
        let problem = of_code().next().and(named).or(by_words)?;
        return Some(RuntimeFault { problem, named: true, message: words(&error.message) });
    }
    let named = named.filter(|_| !status.is_success());
    let problem = named.or_else(|| by_status(status))?;
    let message = serde_json::from_slice::<AwsError>(body).map(|error| error.message).unwrap_or_default();
    Some(RuntimeFault { problem, named: named.is_some(), message: words(&message) })
}

fn by_status(status: StatusCode) -> Option<Problem> {
    match status.as_u16() {
        402 => Some(Problem::QuotaExceeded),
        403 => Some(Problem::AccessDenied),
        404 => Some(Problem::NotFound),
        406 => Some(Problem::Invalid),
        // Of the two that it may be, the one that does not promise that nothing was done.
        409 => Some(Problem::Conflict),
        424 => Some(Problem::ServerFailed),
        429 => Some(Problem::Throttled),
        500 => Some(Problem::Internal),
        504 => Some(Problem::TimedOut),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an answer is taken for: `-` for the server's own.
    fn check(status: u16, name: Option<&str>, body: &str, expected: &str) {
        let found = fault(StatusCode::from_u16(status).unwrap(), name, &bytes::Bytes::copy_from_slice(body.as_bytes()));
        let found = found.map_or("-", |fault| fault.problem.kind());
        assert_eq!(found, expected, "{status} {name:?} {body}");
    }

    fn rpc(code: i64, message: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"{message}"}}}}"#)
    }

    #[test]
    fn the_documented_errors_are_runtimes() {
        for (code, message, expected) in [
            (-32002, "Authorization error - Insufficient permissions", "access_denied"),
            (-32003, "Rate limit exceeded - Too many requests", "throttled"),
            (-32004, "Resource not found - Requested resource does not exist", "not_found"),
            (-32005, "Resource conflict - Resource already exists", "conflict"),
            (-32005, "Session operation in progress, please retry", "conflict"),
            (-32005, "Resource conflict - Session operation in progress, please retry", "conflict"),
            (-32006, "Validation error - Invalid request data", "invalid"),
            (-32010, "Tool execution error - Please check your CloudWatch logs for more information", "server_failed"),
            (-32603, "Internal error - Server error", "runtime_failed"),
        ] {
            check(200, None, &rpc(code, message), expected);
        }
        let unacceptable =
            "Accept Header Error - MCP protocol requires Accept header: application/json, text/event-stream";
        check(406, None, &rpc(-32011, unacceptable), "invalid");
    }

    #[test]
    fn what_the_server_says_with_the_same_codes_is_its_own() {
        check(200, None, &rpc(-32002, "Resource not found: x:y"), "-");
        check(200, None, &rpc(-32603, "Internal error"), "-");
        check(200, None, &rpc(-32003, "no such widget"), "-");
        // What begins as Runtime's sentences do.
        check(200, None, &rpc(-32002, "Authorization error: you may not read this widget"), "-");
        check(200, None, &rpc(-32003, "Rate limit exceeded: 5 widgets a minute"), "-");
        check(200, None, &rpc(-32003, "Rate limit exceeded - Too many requests for widget 7"), "-");
        check(200, None, &rpc(-32005, "Session operation in progress"), "-");
        check(200, None, &rpc(-32006, "Validation error - `id` is no number"), "-");
        check(200, None, &rpc(-32010, "Tool execution error"), "-");
        check(200, None, &rpc(-32006, "Rate limit exceeded - Too many requests"), "-");
        check(404, None, &rpc(-32601, "Method not found"), "-");
        check(400, Some("RuntimeClientError"), &rpc(-32602, "_meta is missing"), "-");
        check(200, None, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "-");
        check(200, None, "", "-");
        check(202, Some("ThrottlingException"), "", "-");
        check(400, None, "<html>", "-");
        check(503, None, "", "-");
    }

    #[test]
    fn a_name_decides_where_words_do_not() {
        check(200, Some("ThrottlingException"), &rpc(-32003, "slow down"), "throttled");
        check(200, Some("ServiceQuotaExceededException"), &rpc(-32003, "too many sessions"), "quota_exceeded");
        // Two errors share a code and a sentence: only the name tells them apart.
        let shared = rpc(-32003, "Rate limit exceeded - Too many requests");
        check(200, Some("ServiceQuotaExceededException"), &shared, "quota_exceeded");
        check(200, Some("Unheard"), &shared, "throttled");
        check(400, Some("ValidationException"), r#"{"message":"bad"}"#, "invalid");
        check(400, Some("Unheard"), r#"{"message":"bad"}"#, "-");
    }

    #[test]
    fn without_words_the_status_decides() {
        for (status, expected) in [
            (402, "quota_exceeded"),
            (403, "access_denied"),
            (404, "not_found"),
            (406, "invalid"),
            (409, "conflict"),
            (424, "server_failed"),
            (429, "throttled"),
            (500, "runtime_failed"),
            (504, "timeout"),
        ] {
            check(status, None, r#"{"message":"x"}"#, expected);
            check(status, None, "", expected);
        }
    }

    #[test]
    fn only_what_runtime_itself_says_is_sent_again() {
        let again = |status: u16, name: Option<&str>, body: &str| {
            let body = bytes::Bytes::copy_from_slice(body.as_bytes());
            fault(StatusCode::from_u16(status).unwrap(), name, &body).unwrap().is_for_now()
        };
        assert!(again(200, None, &rpc(-32003, "Rate limit exceeded - Too many requests")));
        assert!(again(200, Some("ThrottlingException"), &rpc(-32003, "slow down")));
        assert!(again(429, Some("ThrottlingException"), r#"{"message":"x"}"#));
        assert!(again(409, Some("RetryableConflictException"), r#"{"message":"x"}"#));
        assert!(!again(409, Some("ConflictException"), r#"{"message":"x"}"#));
        assert!(!again(429, None, r#"{"message":"x"}"#));
        assert!(!again(409, None, ""));
        assert!(!again(200, None, &rpc(-32006, "Validation error - Invalid request data")));
    }

    #[test]
    fn the_operator_reads_awss_words() {
        let body = bytes::Bytes::from_static(br#"{"Message":"User: a is not\nauthorized"}"#);
        let fault = fault(StatusCode::FORBIDDEN, Some("AccessDeniedException"), &body).unwrap();
        insta::assert_snapshot!(Fault::from(fault), @"is denied to the gateway by AgentCore Runtime (AccessDenied): allow the gateway's identity `bedrock-agentcore:InvokeAgentRuntime` on it, and check whether it wants a token instead of a signature: User: a is not authorized");
    }
}
