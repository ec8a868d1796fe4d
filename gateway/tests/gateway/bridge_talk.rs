//! A raw client of either era that answers what it is asked: a legacy one by posts in the middle of its call, a modern one
//! by calling again. Asserts only that the gateway takes its answers.

use serde_json::{Value, json};

use crate::{caller::Caller, harness::Gateway, stream::Stream};

/// Eras of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

pub(crate) const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

/// What happened in a call.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    /// The last message, under its id.
    pub(crate) answer: Value,
    /// Questions in the order in which they came: method and parameters.
    pub(crate) asked: Vec<(String, Value)>,
    /// Notifications in the order in which they came.
    pub(crate) notes: Vec<Value>,
}

impl Talk {
    pub(crate) fn result(&self) -> &Value {
        self.answer.get("result").unwrap_or_else(|| panic!("no result: {}", self.answer))
    }

    /// The first text of the result.
    pub(crate) fn text(&self) -> &str {
        self.result()["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {}", self.answer))
    }
}

/// A client of alice's that can do everything.
pub(crate) async fn able(gateway: &Gateway, era: Era) -> Caller {
    declaring(gateway, era, everything()).await
}

/// A client of alice's with these capabilities.
pub(crate) async fn declaring(gateway: &Gateway, era: Era, capabilities: Value) -> Caller {
    let alice = gateway.caller("alice").declaring(capabilities);
    match era {
        Era::Legacy => alice.in_session().await,
        Era::Modern => alice.modern(),
    }
}

pub(crate) fn everything() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}})
}

/// Calls the tool and answers everything.
pub(crate) async fn talk(caller: &Caller, tool: &str, arguments: Value) -> Talk {
    ask(caller, "tools/call", json!({"name": tool, "arguments": arguments})).await
}

/// Sends a request and answers everything that it leads to.
pub(crate) async fn ask(caller: &Caller, method: &str, params: Value) -> Talk {
    let mut talk = Talk::default();
    let mut now = params.clone();
    loop {
        let mut stream = caller.open(method, now).await;
        talk.answer = read_on(caller, &mut stream, &mut talk).await;
        let result = &talk.answer["result"];
        if !caller.is_modern() || result["resultType"] != "input_required" {
            return talk;
        }
        now = retry(&params, result);
        let asked = result["inputRequests"].as_object().into_iter().flatten();
        talk.asked
            .extend(asked.map(|(_, asked)| (asked["method"].as_str().unwrap().to_owned(), asked["params"].clone())));
    }
}

/// The parameters of the retry that answers everything that `result` asks for.
pub(crate) fn retry(params: &Value, result: &Value) -> Value {
    let asked = result["inputRequests"].as_object().into_iter().flatten();
    let answers = asked.map(|(key, asked)| (key.clone(), answer_to(asked)));
    let mut params = params.clone();
    params["inputResponses"] = Value::Object(answers.collect());
    if let Some(state) = result.get("requestState") {
        params["requestState"] = state.clone();
    }
    params
}

/// Reads to the answer; a legacy client answers on the way.
async fn read_on(caller: &Caller, stream: &mut Stream, talk: &mut Talk) -> Value {
    loop {
        let message = stream.next().await;
        match (message.get("method"), message.get("id")) {
            (None, _) => return message,
            (Some(_), None) => talk.notes.push(message),
            (Some(method), Some(id)) => {
                let taken = caller.respond(id, answer_to(&message)).await;
                assert_eq!(taken.status, 202, "{taken:?}");
                talk.asked.push((method.as_str().unwrap().to_owned(), message["params"].clone()));
            }
        }
    }
}

/// What the client says to a question: each field of a form gets its own name, yes or 1.
pub(crate) fn answer_to(question: &Value) -> Value {
    let params = &question["params"];
    match question["method"].as_str().unwrap() {
        "elicitation/create" if params["mode"] == "url" => json!({"action": "accept"}),
        "elicitation/create" => {
            json!({"action": "accept", "content": filled(&params["requestedSchema"]["properties"])})
        }
        "sampling/createMessage" => {
            json!({"role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "m"})
        }
        "roots/list" => json!({"roots": [{"uri": "file:///root"}]}),
        other => panic!("nobody asks a client for `{other}`"),
    }
}

fn filled(fields: &Value) -> Value {
    let fields = fields.as_object().into_iter().flatten();
    let filled = fields.map(|(name, schema)| {
        let value = match schema["type"].as_str() {
            Some("boolean") => json!(true),
            Some("integer" | "number") => json!(1),
            Some("array") => json!([]),
            _ => json!(name),
        };
        (name.clone(), value)
    });
    Value::Object(filled.collect())
}
