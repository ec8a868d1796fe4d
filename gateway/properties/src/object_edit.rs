//! Changing single members of a JSON object in its text.

use causeway_core::wire::ObjectEdit;
use serde_json::{Map, Value};

use crate::{input, json};

/// Lines of changes (`key=json` sets, `key` removes), an empty line, and then the object.
///
/// Whatever is an object for another reader is one here, and nothing else. Untouched it is the same text. Changed, it is JSON that another reader sees to differ in the changed members alone, and what
/// stands in the others is the same to the byte.
pub fn check(data: &[u8]) {
    let Some((changes, object)) = split(data) else { return };
    let Ok(edit) = ObjectEdit::parse(object) else { return assert!(!json::is_object(object), "an object was refused") };
    assert!(json::is_object(object), "what is no object was taken");
    let before: Vec<(String, &str)> = edit.members().map(|(key, value)| (key.to_owned(), value)).collect();
    let has_twins = edit.twin().is_some();
    assert_eq!(edit.finish(), object, "nothing was changed, and yet it differs");
    let mut edit = ObjectEdit::parse(object).expect("it was read a moment ago");
    for (key, value) in &changes {
        match value {
            Some(value) => edit.set(key, value),
            None => edit.remove(key),
        }
    }
    let is_empty = edit.is_empty();
    let changed = edit.finish();
    let after = ObjectEdit::parse(&changed).expect("what was changed is no object any more");
    assert_eq!(after.members().next().is_none(), is_empty);
    let is_changed = |key: &str| changes.iter().any(|(changed, _)| *changed == key);
    let kept = after.members().filter(|(key, _)| !is_changed(key));
    let expected = before.iter().filter(|(key, _)| !is_changed(key)).map(|(key, value)| (key.as_str(), *value));
    assert!(kept.eq(expected), "a member that was not to change did");
    for (key, _) in &changes {
        let last = changes.iter().rev().find(|(changed, _)| changed == key).and_then(|(_, value)| *value);
        assert_eq!(after.get(key), last, "`{key}` is not what was said last");
        assert!(after.members().filter(|(name, _)| name == key).count() <= 1, "`{key}` stands there more than once");
    }
    if !has_twins {
        compare(object, &changed, &changes);
    }
}

/// With the eyes of a reader who knows nothing of this.
fn compare(object: &str, changed: &str, changes: &[(&str, Option<&str>)]) {
    let Some(mut expected) = json::object(object) else { return };
    for (key, text) in changes {
        match text.map(json::value) {
            Some(Some(value)) => drop(expected.insert((*key).to_owned(), value)),
            // Deeper than this reader goes.
            Some(None) => return,
            None => drop(expected.shift_remove(*key)),
        }
    }
    let seen: Option<Map<String, Value>> = json::object(changed);
    assert_eq!(seen, Some(expected));
}

type Changes<'a> = Vec<(&'a str, Option<&'a str>)>;

fn split(data: &[u8]) -> Option<(Changes<'_>, &str)> {
    let ([], mut rest) = input::texts(data)?;
    let mut changes = Vec::new();
    while let Some((line, after)) = rest.split_once('\n') {
        rest = after;
        if line.is_empty() {
            break;
        }
        let (key, value) = line.split_once('=').map_or((line, None), |(key, value)| (key, Some(value)));
        // Values are given as JSON texts, by programs.
        if value.is_some_and(|value| !json::is_json(value) || value.trim() != value) {
            return None;
        }
        changes.push((key, value));
    }
    Some((changes, rest))
}
