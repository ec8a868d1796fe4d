//! Names of tasks in messages: a target gives them, and clients know them by others. Both forms of tasks are read, that of
//! MCP 2025-11-25 and that of the extension `io.modelcontextprotocol/tasks`.
//!
//! Source: MCP 2025-11-25, basic/utilities/tasks; SEP-2663.

use super::Request;
use crate::{
    era::Era,
    wire::{ObjectEdit, json},
};

/// The extension of the modern era.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";
/// `_meta` key of the task that a message belongs to.
const RELATED: &str = "io.modelcontextprotocol/related-task";

/// `object` (JSON text: a result or parameters) with each name of a task in it replaced by what `rename` gives; `None` where
/// nothing is to change.
pub fn renamed(object: &str, rename: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    // Most messages name no task: they are not read.
    if !object.contains("task") {
        return None;
    }
    let mut edit = ObjectEdit::parse(object).ok()?;
    let replaced = [
        ("taskId", edit.get("taskId").and_then(|id| name(id, rename))),
        ("task", edit.get("task").and_then(|task| member(task, "taskId", rename))),
        ("tasks", edit.get("tasks").and_then(|tasks| list(tasks, rename))),
        ("_meta", edit.get("_meta").and_then(|meta| related(meta, rename))),
    ];
    let mut changed = false;
    for (key, value) in replaced {
        if let Some(value) = value {
            edit.set(key, &value);
            changed = true;
        }
    }
    changed.then(|| edit.finish())
}

/// Whether the client asks for a task itself, which only the older form has (SEP-2663, "Backward Compatibility").
pub fn asks_for_task(request: &Request) -> bool {
    request.era == Era::Legacy && request.params.get("task").is_some()
}

/// `capabilities` of a client (JSON text) with the extension among them.
pub fn declared(capabilities: &str) -> String {
    with_extensions(capabilities, |extensions| {
        if extensions.get(EXTENSION).is_none() {
            extensions.set(EXTENSION, "{}");
        }
    })
}

/// `capabilities` (JSON text) without the extension.
pub fn undeclared(capabilities: &str) -> String {
    match capabilities.contains("extensions") {
        true => with_extensions(capabilities, |extensions| extensions.remove(EXTENSION)),
        false => capabilities.to_owned(),
    }
}

fn with_extensions(capabilities: &str, change: impl FnOnce(&mut ObjectEdit<'_>)) -> String {
    let object = |text| ObjectEdit::parse(text).ok();
    let empty = || ObjectEdit::parse("{}").expect("an object");
    let mut edit = object(capabilities).unwrap_or_else(empty);
    let mut extensions = edit.get("extensions").and_then(object).unwrap_or_else(empty);
    change(&mut extensions);
    match extensions.is_empty() {
        true => edit.remove("extensions"),
        false => edit.set("extensions", &extensions.finish()),
    }
    edit.finish()
}

/// A name, as JSON text.
fn name(id: &str, rename: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let id: String = serde_json::from_str(id).ok()?;
    rename(&id).map(|id| json(&id))
}

/// `object` with the name in its member `key` replaced.
fn member(object: &str, key: &str, rename: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut edit = ObjectEdit::parse(object).ok()?;
    let id = name(edit.get(key)?, rename)?;
    edit.set(key, &id);
    Some(edit.finish())
}

fn list(tasks: &str, rename: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let tasks: Vec<&serde_json::value::RawValue> = serde_json::from_str(tasks).ok()?;
    let renamed: Vec<Option<String>> = tasks.iter().map(|task| member(task.get(), "taskId", rename)).collect();
    if renamed.iter().all(Option::is_none) {
        return None;
    }
    let tasks = tasks.iter().zip(&renamed).map(|(task, renamed)| renamed.as_deref().unwrap_or(task.get()));
    Some(["[", &tasks.collect::<Vec<_>>().join(","), "]"].concat())
}

fn related(meta: &str, rename: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut edit = ObjectEdit::parse(meta).ok()?;
    let task = member(edit.get(RELATED)?, "taskId", rename)?;
    edit.set(RELATED, &task);
    Some(edit.finish())
}

/// Whether a peer that declares `capabilities` (JSON text) knows tasks of the extension.
pub fn known_by(capabilities: &str) -> bool {
    let capabilities = ObjectEdit::parse(capabilities).ok();
    let extensions = capabilities.as_ref().and_then(|all| ObjectEdit::parse(all.get("extensions")?).ok());
    extensions.is_some_and(|extensions| extensions.get(EXTENSION).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(object: &str, expected: Option<&str>) {
        let rename = |id: &str| Some(format!("x-{id}"));
        assert_eq!(renamed(object, &rename).as_deref(), expected);
    }

    #[test]
    fn the_extension_comes_and_goes_and_the_rest_stays() {
        assert_eq!(declared(r#"{"roots":{ }}"#), r#"{"roots":{ },"extensions":{"io.modelcontextprotocol/tasks":{}}}"#);
        assert_eq!(declared("7"), r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#);
        let both = r#"{"extensions":{"a/b":1e2,"io.modelcontextprotocol/tasks":{}}}"#;
        assert_eq!(declared(both), both);
        assert_eq!(undeclared(both), r#"{"extensions":{"a/b":1e2}}"#);
        assert_eq!(undeclared(&declared("{}")), "{}");
        assert_eq!(undeclared(r#"{"roots":{ }}"#), r#"{"roots":{ }}"#);
    }

    #[test]
    fn tasks_get_other_names_and_nothing_else_changes() {
        check(
            r#"{"resultType":"task","taskId":"a" ,"ttlMs":1e3}"#,
            Some(r#"{"resultType":"task","taskId":"x-a" ,"ttlMs":1e3}"#),
        );
        check(r#"{"task":{"ttl":1,"taskId":"a"}}"#, Some(r#"{"task":{"ttl":1,"taskId":"x-a"}}"#));
        check(
            r#"{"content":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a"},"v":0}}"#,
            Some(r#"{"content":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"x-a"},"v":0}}"#),
        );
        check(
            r#"{"tasks":[{"taskId":"a"},{"taskId":"b"},7]}"#,
            Some(r#"{"tasks":[{"taskId":"x-a"},{"taskId":"x-b"},7]}"#),
        );
        check(r#"{"content":[{"text":"a task"}]}"#, None);
        check(r#"{"taskId":7}"#, None);
        check(r#"{"tasks": [ {"taskId":7} , {} ]}"#, None);
    }
}
