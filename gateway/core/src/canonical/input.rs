//! Input that a target asks for before it goes on: the modern `input_required` result and the retry that answers it, read
//! from and written into their JSON texts.
//!
//! Source: MCP 2026-07-28, basic/patterns/mrtr.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Request;
use crate::wire::{ObjectEdit, json};

/// What an `input_required` result asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRequired {
    /// In the order of the result.
    pub requests: Vec<InputRequest>,
    /// JSON text, to be sent back as it is.
    pub state: Option<String>,
}

/// One request to the client, under the key that the target chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRequest {
    pub key: String,
    pub method: String,
    /// JSON text; absent where the target sent none.
    pub params: Option<String>,
}

impl InputRequired {
    /// Reads a `result`; `None` where it asks for nothing.
    pub(super) fn parse(result: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Asked<'a> {
            method: String,
            #[serde(borrow)]
            params: Option<&'a RawValue>,
        }
        let edit = ObjectEdit::parse(result).ok()?;
        if edit.get("resultType") != Some(r#""input_required""#) {
            return None;
        }
        let requests = edit.get("inputRequests").and_then(|requests| ObjectEdit::parse(requests).ok());
        let requests = requests.iter().flat_map(ObjectEdit::members).filter_map(|(key, request)| {
            let asked: Asked<'_> = serde_json::from_str(request).ok()?;
            let params = asked.params.map(|params| params.get().to_owned());
            Some(InputRequest { key: key.to_owned(), method: asked.method, params })
        });
        Some(Self { requests: requests.collect(), state: edit.get("requestState").map(ToOwned::to_owned) })
    }

    /// The `result` that asks for it.
    pub fn result(&self) -> String {
        let requests = self.requests.iter().map(|request| {
            let params = request.params.as_ref().map(|params| [r#","params":"#, params].concat()).unwrap_or_default();
            [&json(&request.key), r#":{"method":"#, &json(&request.method), &params, "}"].concat()
        });
        let requests = requests.collect::<Vec<_>>().join(",");
        let state = self.state.as_ref().map(|state| [r#","requestState":"#, state].concat()).unwrap_or_default();
        [r#"{"resultType":"input_required","inputRequests":{"#, &requests, "}", &state, "}"].concat()
    }
}

impl Request {
    /// The request as it was before anyone wanted input for it; `None` for one that brings none.
    pub fn without_input(&self) -> Option<Self> {
        let brings = ["inputResponses", "requestState"].iter().any(|key| self.params.get(key).is_some());
        brings.then(|| self.retried(&[], None))
    }

    /// The same request as a retry that brings `responses` (key, result as JSON text) and `state` (JSON text).
    pub fn retried(&self, responses: &[(String, String)], state: Option<&str>) -> Self {
        let members: Vec<String> = responses.iter().map(|(key, value)| [&json(key), ":", value].concat()).collect();
        let mut retried = self.clone();
        retried.change(|params| {
            params.remove("inputResponses");
            params.remove("requestState");
            if !members.is_empty() {
                params.set("inputResponses", &["{", &members.join(","), "}"].concat());
            }
            if let Some(state) = state {
                params.set("requestState", state);
            }
        });
        retried
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let result = r#"{"resultType":"input_required","inputRequests":{"b":{"method":"roots/list"},"a":{"method":"elicitation/create","params":{"x":1e2}}},"requestState":"s"}"#;
        let read = InputRequired::parse(result).unwrap();
        assert_eq!(read.requests[0], InputRequest { key: "b".into(), method: "roots/list".into(), params: None });
        assert_eq!(read.result(), result);
        assert_eq!(InputRequired::parse(r#"{"resultType":"complete"}"#), None);
        let state_only = InputRequired::parse(r#"{"resultType":"input_required","requestState":{}}"#).unwrap();
        assert_eq!(state_only, InputRequired { requests: Vec::new(), state: Some("{}".into()) });
    }
}
