//! The parameters of a request, as each era writes them.

use causeway_core::{
    canonical::{Client, Level, Logs, Repeat, Request, progress_of, with_own_token, with_token},
    era::{self, Era},
    wire::{Envelope, Object, ObjectEdit, request_message},
};
use serde_json::Value;

use crate::{input, json};

/// What only the modern era has in `_meta`.
const MODERN: [&str; 4] = [era::META_VERSION, era::META_CLIENT_INFO, era::META_CAPABILITIES, era::META_LOG_LEVEL];

/// A method, the client's capabilities and a value, each in a line, and then the parameters.
///
/// A modern target gets all that its era wants, a legacy one nothing of it, and every other member as the client wrote it, to the
/// byte; there and back is the identity; a retry differs from the first request in what it brings.
pub fn check(data: &[u8]) {
    let Some(([method, capabilities, value], params)) = input::texts(data) else { return };
    // A front takes no other parameters than one object (`{}` where there are none), and no member twice.
    let is_read =
        |text: &str| ObjectEdit::parse(text).is_ok_and(|edit| edit.twin().is_none()) && json::object(text).is_some();
    // What this reader cannot read (half a character, a very large number) goes on as it is, and cannot be compared.
    let is_comparable = json::value(capabilities).is_some() || ObjectEdit::parse(capabilities).is_err();
    if !is_read(params) || !is_comparable {
        return;
    }
    let request = |era, params: &str| Request {
        id: "1".into(),
        method: method.into(),
        params: Object::parse(params).expect("it was read as an object"),
        era,
        client: client(capabilities),
        param_headers: Vec::new(),
        header_params: Default::default(),
        in_pieces: false,
        repeat: Repeat::Never,
    };
    for era in [Era::Modern, Era::Legacy] {
        let same = request(era, params);
        let kept = if era == Era::Modern { same.modern_params(&[]) } else { same.legacy_params(&[]) };
        assert_eq!(kept.finish(), params, "between peers of one era nothing changes");
        retried(&same, value);
        progress(&same);
    }
    let modern = request(Era::Legacy, params).modern_params(&[]).finish();
    assert!(is_read(&modern), "{modern} is no object");
    let meta = &json::object(&modern).expect("an object")["_meta"];
    assert_eq!(meta[era::META_VERSION], era::MODERN);
    assert!(meta[era::META_CAPABILITIES].is_object() || json::value(capabilities).is_none());
    kept(params, &modern, method);
    // A legacy client's own words about the modern era, if it has any, are not believed.
    let back = request(Era::Modern, &modern).legacy_params(&[]).finish();
    kept(params, &back, method);
    let own = meta_of(params).unwrap_or_default();
    let returned = meta_of(&back).unwrap_or_default();
    let expected: serde_json::Map<_, _> = own.into_iter().filter(|(key, _)| !MODERN.contains(&key.as_str())).collect();
    assert_eq!(returned, expected, "`_meta` came back as another");
    let legacy = request(Era::Modern, params).legacy_params(&[]).finish();
    let meta = meta_of(&legacy).unwrap_or_default();
    assert!(MODERN.iter().all(|key| !meta.contains_key(*key)), "a legacy target hears of the modern era");
    kept(params, &legacy, method);
}

fn client(capabilities: &str) -> Client {
    Client {
        version: era::LEGACY,
        info: Some(r#"{"name":"c","version":"1"}"#.into()),
        capabilities: capabilities.into(),
        logs: Logs::AtLeast(Level::Info),
        session: None,
        aside: None,
    }
}

fn meta_of(params: &str) -> Option<serde_json::Map<String, Value>> {
    json::object(ObjectEdit::parse(params).ok()?.get("_meta")?)
}

/// All members but those that an era has for itself are the same, in the same order.
fn kept(before: &str, after: &str, method: &str) {
    let own = |key: &str| key == "_meta" || key == "task" && method == "tools/call";
    let (before, after) =
        (ObjectEdit::parse(before).expect("read before"), ObjectEdit::parse(after).expect("read before"));
    let kept = |(key, _): &(&str, &str)| !own(key);
    assert!(before.members().filter(kept).eq(after.members().filter(kept)), "a member that no era means changed");
}

fn retried(request: &Request, value: &str) {
    if json::value(value).is_none() || value.trim() != value {
        return;
    }
    let brought = [("k\"1".to_owned(), value.to_owned())];
    let retry = request.retried(&brought, Some(value));
    let params = &retry.params;
    assert_eq!(params.get("requestState"), Some(value));
    let responses = params.get("inputResponses").and_then(|it| ObjectEdit::parse(it).ok()).expect("they were set");
    assert_eq!(responses.get("k\"1"), Some(value));
    let again = retry.without_input().expect("it brings input");
    let first = request.without_input().map_or_else(|| request.params.clone(), |request| request.params);
    assert_eq!(again.params.text(), first.text(), "a retry without what it brings is not the first request");
}

/// A call goes under a progress token of its own, and its notifications come back under the client's.
fn progress(request: &Request) {
    let Ok((params, token)) = with_own_token(request.params.text(), 7) else { return };
    let Some(token) = token else { return assert_eq!(*request.params.text(), params) };
    assert_eq!(request.progress_token().as_deref(), Some(token.as_str()));
    let seen = meta_of(&params).expect("it has `_meta`");
    assert_eq!(seen["progressToken"], 7);
    let message = request_message("1", "notifications/progress", r#"{"progressToken":7,"progress":1}"#);
    let message = Envelope::parse(message.into()).expect("a message");
    assert_eq!(progress_of(&message), Some(7));
    let returned = with_token(&message, &token).expect("it has a token");
    let params = ObjectEdit::parse(returned.params().expect("it has parameters")).expect("an object");
    assert_eq!(params.get("progressToken"), Some(token.as_str()), "the client's token came back as another");
}
