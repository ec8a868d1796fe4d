//! How a call ended, in words that metrics, the audit log and people share. Reads answers no further than it must.

use causeway_core::{canonical::Response, wire::ObjectEdit};
use memchr::memmem;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `ok`
    Ok,
    /// `input_required`: the answer asks the client for something before the call goes on.
    InputRequired,
    /// `tool_error`: a result with `isError` of the tool itself.
    ToolError,
    /// `error`: a JSON-RPC error with this code, of the target or the gateway; 0 for one without.
    Error(i64),
    /// `error`: an HTTP status without a message.
    Status(u16),
    /// `target_fault`: the target, or the way to it, failed so: a word as in `causeway/error`.
    TargetFault(&'static str),
    /// `throttled`: a bound of the gateway or of the target.
    Throttled(&'static str),
    /// `refused`: the caller was not let in, for this reason in a word.
    Refused(&'static str),
    /// `cancelled`: the client went away before the end of the answer.
    Cancelled,
}

/// Whose fault it is that a call did not end well, as AgentCore counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Throttle,
    SystemError,
    UserError,
}

/// How many words there are.
pub(super) const WORDS: usize = 8;

/// JSON-RPC's code for an error of the server.
const INTERNAL: i64 = causeway_core::wire::INTERNAL_ERROR;

impl Outcome {
    /// How a call ended that was answered so.
    pub(crate) fn of(answer: &Response) -> Self {
        match (answer.error(), answer.result()) {
            (Some(_), _) => Self::Error(answer.error_code().unwrap_or_default()),
            (None, Some(result)) if is_tool_error(result) => Self::ToolError,
            (None, Some(result)) if asks_for_input(result) => Self::InputRequired,
            (None, _) => Self::Ok,
        }
    }

    /// The value of the label `outcome`: one of eight words.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::InputRequired => "input_required",
            Self::ToolError => "tool_error",
            Self::Error(_) | Self::Status(_) => "error",
            Self::TargetFault(_) => "target_fault",
            Self::Throttled(_) => "throttled",
            Self::Refused(_) => "refused",
            Self::Cancelled => "cancelled",
        }
    }

    /// Which of the words it is, from 0.
    pub(super) fn index(&self) -> usize {
        match self {
            Self::Ok => 0,
            Self::InputRequired => 1,
            Self::ToolError => 2,
            Self::Error(_) | Self::Status(_) => 3,
            Self::TargetFault(_) => 4,
            Self::Throttled(_) => 5,
            Self::Refused(_) => 6,
            Self::Cancelled => 7,
        }
    }

    /// More of it, where there is more to say than the word: a code, a status, a reason.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Ok | Self::InputRequired | Self::ToolError | Self::Cancelled => None,
            Self::Error(code) => Some(code.to_string()),
            Self::Status(status) => Some(format!("HTTP {status}")),
            Self::TargetFault(why) | Self::Throttled(why) | Self::Refused(why) => Some((*why).to_owned()),
        }
    }

    /// The code of the JSON-RPC error, if it is one.
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Error(code) => Some(*code),
            _ => None,
        }
    }

    /// Whose fault it is; nobody's where the call was answered, whatever the tool said, or given up by its client. `status` is the one of the HTTP response.
    pub(super) fn class(&self, status: u16) -> Option<Class> {
        match (self, status) {
            (Self::Throttled(_), _) | (_, 429) => Some(Class::Throttle),
            (Self::Ok | Self::InputRequired | Self::ToolError | Self::Cancelled, _) => None,
            (Self::TargetFault(_) | Self::Error(INTERNAL), _) | (_, 500..) => Some(Class::SystemError),
            (Self::Error(_) | Self::Status(_) | Self::Refused(_), _) => Some(Class::UserError),
        }
    }
}

/// Whether `result` (JSON text) has `isError` set. Most have not: what holds no such text is not parsed.
fn is_tool_error(result: &str) -> bool {
    const KEY: &[u8] = br#""isError""#;
    let is_true = |at: usize| {
        let rest = result[at + KEY.len()..].trim_ascii_start();
        rest.strip_prefix(':').is_some_and(|rest| rest.trim_ascii_start().starts_with("true"))
    };
    let may = memmem::find_iter(result.as_bytes(), KEY).any(is_true);
    may && member(result, "isError").is_some_and(|value| value == "true")
}

fn asks_for_input(result: &str) -> bool {
    const WORD: &[u8] = br#""input_required""#;
    let may = memmem::find(result.as_bytes(), WORD).is_some();
    may && member(result, "resultType").is_some_and(|value| value.as_bytes() == WORD)
}

fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    ObjectEdit::parse(object).ok()?.get(key)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use causeway_core::{era::Era, wire::Envelope};

    use super::*;

    fn outcome(members: &str) -> Outcome {
        let message = format!(r#"{{"jsonrpc":"2.0","id":1,{members}}}"#);
        let envelope = Envelope::parse(Bytes::from(message)).unwrap();
        Outcome::of(&Response::new(envelope, Era::Modern).unwrap())
    }

    #[test]
    fn an_answer_says_how_the_call_ended() {
        let check = |members, expected| assert_eq!(outcome(members), expected, "{members}");
        check(r#""result":{"content":[]}"#, Outcome::Ok);
        check(r#""result":{"content":[],"isError":false}"#, Outcome::Ok);
        check(r#""result":{"content":[],"isError" : true}"#, Outcome::ToolError);
        // What a tool wrote is no word of its result.
        check(r#""result":{"structuredContent":{"isError":true,"resultType":"input_required"}}"#, Outcome::Ok);
        check(r#""result":{"resultType":"input_required","inputRequests":{}}"#, Outcome::InputRequired);
        check(r#""error":{"code":-32602,"message":"no"}"#, Outcome::Error(-32602));
        check(r#""error":{"message":"no"}"#, Outcome::Error(0));
    }

    #[test]
    fn faults_are_put_down_as_agentcore_does() {
        let check = |outcome: Outcome, status, class| assert_eq!(outcome.class(status), class, "{outcome:?} {status}");
        check(Outcome::Ok, 200, None);
        check(Outcome::ToolError, 200, None);
        check(Outcome::Error(-32602), 200, Some(Class::UserError));
        check(Outcome::Error(-32603), 200, Some(Class::SystemError));
        check(Outcome::TargetFault("timeout"), 200, Some(Class::SystemError));
        check(Outcome::Throttled("busy"), 200, Some(Class::Throttle));
        check(Outcome::Status(429), 429, Some(Class::Throttle));
        check(Outcome::Refused("missing_token"), 401, Some(Class::UserError));
        check(Outcome::Refused("issuer_unavailable"), 503, Some(Class::SystemError));
    }
}
