//! Configuration files of clients: JSON with comments, edited as their users wrote them.

use causeway::clients::Document;
use serde_json::Value;

use crate::{input, json};

/// A path (keys with slashes between them) and a value, each in a line, and then the file.
///
/// What is set is there, and set again changes nothing; what is taken out is gone; the members beside it are what they were, and
/// a file that every client reads stays one.
pub fn check(data: &[u8]) {
    let Some(([path, value], text)) = input::texts(data) else { return };
    let (Ok(mut document), Some(value)) = (Document::parse(text), json::value(value)) else { return };
    assert_eq!(document.text(), text, "nothing was changed, and yet it differs");
    // Longer than any that the program has: it is no way to put something in so deeply that nobody reads it any more.
    let path: Vec<&str> = path.splitn(8, '/').collect();
    let before = document.is_plain().then(|| json::object(text)).flatten();
    let was_there = document.get(&path);
    let changed = match document.set(&path, &value) {
        Ok(changed) => changed,
        Err(why) => return drop(why.to_string()),
    };
    assert_eq!(
        was_there == Ok(Some(value.clone())),
        !changed,
        "it changed what was so already, or did not what was not"
    );
    let again = document.text();
    let mut read = Document::parse(&again).unwrap_or_else(|why| panic!("{again:?} is no such file any more: {why}"));
    assert_eq!(read.get(&path), Ok(Some(value.clone())), "what was set is not there: {again:?}");
    assert_eq!(read.set(&path, &value), Ok(false), "a second time changes something");
    assert_eq!(read.text(), again);
    beside(before.as_ref(), &again, path[0], "set");
    assert_eq!(read.remove(&path), Ok(true));
    let without = read.text();
    let removed = Document::parse(&without).unwrap_or_else(|why| panic!("{without:?} is no such file any more: {why}"));
    assert_eq!(removed.get(&path), Ok(None), "what was taken out is there: {without:?}");
    beside(before.as_ref(), &without, path[0], "remove");
}

/// The other members, with the eyes of a reader who knows no comments.
fn beside(before: Option<&serde_json::Map<String, Value>>, after: &str, but: &str, what: &str) {
    let Some(before) = before else { return };
    assert!(json::is_object(after), "{what} made {after:?} of plain JSON");
    // A path may lead deeper than `serde_json` reads values.
    let Some(after) = json::object(after) else { return };
    let others = |of: &serde_json::Map<String, Value>| {
        of.iter().filter(|(key, _)| *key != but).map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(others(before), others(&after), "{what} changed another member");
}
