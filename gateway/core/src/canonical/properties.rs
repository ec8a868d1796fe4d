//! Properties of the change of era: there and back is the identity, and nothing unknown is lost on the way.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Client, InputRequest, InputRequired, Logs, Repeat, Request, Response};
use crate::{
    era::{self, Era},
    wire::{Envelope, Object},
};

fn client(logs: Logs) -> Client {
    Client {
        version: era::LEGACY,
        info: Some(r#"{"name":"c","version":"1"}"#.into()),
        capabilities: r#"{"elicitation":{}}"#.into(),
        logs,
        session: None,
        aside: None,
    }
}

fn request(era: Era, params: &Value, logs: Logs) -> Request {
    Request {
        id: "1".into(),
        method: "tools/call".into(),
        params: Object::parse(params.to_string()).unwrap(),
        era,
        client: client(logs),
        param_headers: Vec::new(),
        header_params: Default::default(),
        in_pieces: false,
        repeat: Repeat::Never,
    }
}

/// Any JSON, not deep.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("[a-zA-Z/._é]{1,12}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Members of an object that no version of MCP gives a meaning.
fn unknown_members() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::vec(("x-[a-z]{1,6}", json_value()), 0..5).prop_map(|members| members.into_iter().collect())
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap()
}

fn answer(era: Era, result: &Value) -> Response {
    let message = json!({"jsonrpc": "2.0", "id": 1, "result": result, "x-vendor": 1}).to_string();
    Response::new(Envelope::parse(message.into()).unwrap(), era).unwrap()
}

proptest! {
    /// A legacy client's parameters come back as they were from a gateway that spoke modern in between.
    #[test]
    fn legacy_parameters_there_and_back(unknown in unknown_members(), meta in proptest::option::of(unknown_members())) {
        let mut params = json!({"name": "a", "arguments": unknown.clone()});
        params.as_object_mut().unwrap().extend(unknown);
        if let Some(meta) = meta.filter(|meta| !meta.is_empty()) {
            params["_meta"] = meta.into();
        }
        for logs in [Logs::Unwanted, Logs::AsSent] {
            let modern = request(Era::Legacy, &params, logs).modern_params(&[]).finish();
            let modern: Value = serde_json::from_str(&modern).unwrap();
            prop_assert_eq!(modern["_meta"][era::META_VERSION].as_str(), Some(era::MODERN));
            let back = request(Era::Modern, &modern, logs).legacy_params(&[]).finish();
            prop_assert_eq!(&back, &params.to_string());
        }
    }

    /// A modern client's parameters lose what only its era has, and nothing else.
    #[test]
    fn modern_parameters_keep_what_is_theirs(unknown in unknown_members()) {
        let mut params = json!({"name": "a"});
        params.as_object_mut().unwrap().extend(unknown.clone());
        let mut meta = unknown;
        meta.insert("progressToken".into(), json!(7));
        params["_meta"] = meta.clone().into();
        params["_meta"][era::META_VERSION] = json!(era::MODERN);
        params["_meta"][era::META_CAPABILITIES] = json!({});
        let legacy = object(&request(Era::Modern, &params, Logs::Unwanted).legacy_params(&[]).finish());
        let mut expected = params.as_object().unwrap().clone();
        expected.insert("_meta".into(), meta.into());
        prop_assert_eq!(legacy, expected);
    }

    /// A result changes in `resultType` alone, and back again it is the same text.
    #[test]
    fn results_there_and_back(unknown in unknown_members()) {
        let result = Value::from(unknown);
        let to_modern = answer(Era::Legacy, &result).for_client(Era::Modern, "1");
        let modern = Envelope::parse(to_modern).unwrap();
        let seen = object(modern.result().unwrap());
        prop_assert_eq!(seen.get("resultType"), Some(&json!("complete")));
        let back = Response::new(modern, Era::Modern).unwrap().for_client(Era::Legacy, "1");
        prop_assert_eq!(back, answer(Era::Legacy, &result).for_client(Era::Legacy, "1"));
    }

    /// What a target asks for is read as it was written, and a retry brings the answers and the state to the byte.
    #[test]
    fn input_is_asked_for_and_brought(
        keys in proptest::collection::hash_set("[a-z]{1,8}", 1..4),
        params in json_value(),
        state in ".{0,20}",
    ) {
        let params = json!({"v": params});
        let requests = keys.iter().map(|key| InputRequest {
            key: key.clone(),
            method: "elicitation/create".into(),
            params: Some(params.to_string()),
        });
        let asked = InputRequired { requests: requests.collect(), state: Some(json!(state).to_string()) };
        let message = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{}}}"#, asked.result());
        let response = Response::new(Envelope::parse(message.into()).unwrap(), Era::Modern).unwrap();
        prop_assert_eq!(response.input_required(), Some(asked.clone()));
        let brought: Vec<_> = keys.iter().map(|key| (key.clone(), params.to_string())).collect();
        let first = request(Era::Legacy, &json!({"name": "a", "x": params.clone()}), Logs::Unwanted);
        let retried = first.retried(&brought, asked.state.as_deref());
        let sent = object(retried.params.text());
        prop_assert_eq!(sent["requestState"].as_str(), Some(state.as_str()));
        prop_assert_eq!(sent["inputResponses"].as_object().unwrap().len(), keys.len());
        prop_assert_eq!(&sent["x"], &params);
        let again = retried.retried(&[], None);
        prop_assert_eq!(again.params.text(), first.params.text());
    }
}
