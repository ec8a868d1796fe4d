//! Calls that a legacy target refuses until the user has been somewhere: it says so with an error that the modern era no longer
//! has, and that becomes `input_required`. The refused call did nothing, so the retry is the call made anew.
//!
//! Source: MCP 2025-11-25, client/elicitation, "URL Elicitation Required Error"; MCP 2026-07-28, client/elicitation.

use causeway_core::{
    canonical::{InputRequest, InputRequired, Response},
    wire::{ObjectEdit, json},
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// `URLElicitationRequiredError`.
const REQUIRED: i64 = -32042;

/// Where the user must go before the target takes the call, if that is what `answer` says. `state` (JSON text) is for the
/// client's retry.
pub(super) fn required(answer: &Response, state: impl FnOnce() -> String) -> Option<InputRequired> {
    #[derive(Deserialize)]
    struct Refusal<'a> {
        #[serde(borrow)]
        data: Data<'a>,
    }
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        elicitations: Vec<&'a RawValue>,
    }
    if answer.error_code() != Some(REQUIRED) {
        return None;
    }
    let refusal: Refusal<'_> = serde_json::from_str(answer.error()?).ok()?;
    let requests = refusal.data.elicitations.iter().enumerate().filter_map(|(at, elicitation)| {
        let mut params = ObjectEdit::parse(elicitation.get()).ok()?;
        // It names what a notification will be about that the modern era does not have.
        params.remove("elicitationId");
        if params.get("mode").is_none() {
            params.set("mode", &json(&"url"));
        }
        let (key, method) = (format!("elicitation/create-{}", at + 1), "elicitation/create".into());
        Some(InputRequest { key, method, params: Some(params.finish()) })
    });
    let requests: Vec<_> = requests.collect();
    (!requests.is_empty()).then(|| InputRequired { requests, state: Some(state()) })
}

/// Whether a client's answer (JSON text) to such a request is that the user went there.
pub(super) fn went(result: &str) -> bool {
    ObjectEdit::parse(result).is_ok_and(|result| result.get("action") == Some(r#""accept""#))
}

#[cfg(test)]
mod tests {
    use causeway_core::{era::Era, wire::Envelope};

    use super::*;

    fn asked(error: &str) -> Option<String> {
        let message = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#);
        let answer = Response::new(Envelope::parse(message.into()).unwrap(), Era::Legacy).unwrap();
        required(&answer, || r#""s""#.into()).map(|asked| asked.result())
    }

    #[test]
    fn the_error_becomes_a_question() {
        let error = r#"{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://a.example/","message":"Sign in"}]}}"#;
        insta::assert_snapshot!(asked(error).unwrap(), @r#"{"resultType":"input_required","inputRequests":{"elicitation/create-1":{"method":"elicitation/create","params":{"mode":"url","url":"https://a.example/","message":"Sign in"}}},"requestState":"s"}"#);
        assert_eq!(asked(r#"{"code":-32042,"message":"m"}"#), None);
        assert_eq!(asked(r#"{"code":-32602,"message":"m","data":{"elicitations":[{}]}}"#), None);
        assert!(went(r#"{"action":"accept"}"#) && !went(r#"{"action":"decline"}"#) && !went("7"));
    }
}
