//! The result of a tool for a person: text as it is, everything else named, and binary content in files. Decides nothing about
//! success.
//!
//! Source: MCP 2026-07-28, server/tools, "Tool Result".

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::cli::screen::{plain, printable};

/// Where the block at this place of the content was written.
type Kept = Vec<(usize, PathBuf)>;

/// Writes binary content to `output`, the second to the same name with a 2, and so on. What was written, and whether that is all:
/// not if a file cannot be written, if content is no base64, or if there is none.
pub(super) fn keep(result: &Value, output: Option<&Path>) -> (Kept, anyhow::Result<()>) {
    let Some(output) = output else { return (Vec::new(), Ok(())) };
    let mut kept = Vec::new();
    for (at, (_, data)) in blocks(result).enumerate().filter_map(|(at, block)| Some((at, binary(block)?))) {
        let path = numbered(output, kept.len() + 1);
        match write(&path, data) {
            Ok(()) => kept.push((at, path)),
            Err(error) => return (kept, Err(error)),
        }
    }
    let all = match kept.is_empty() {
        true => Err(anyhow!("the tool gave nothing to write to `--output`")),
        false => Ok(()),
    };
    (kept, all)
}

fn write(path: &Path, data: &str) -> anyhow::Result<()> {
    let bytes = STANDARD.decode(data).context("the server's content is no base64")?;
    std::fs::write(path, bytes).with_context(|| format!("`{}` cannot be written", path.display()))
}

/// All of it, with a line end.
pub(super) fn text(result: &Value, kept: &Kept) -> String {
    let mut parts: Vec<String> = blocks(result)
        .enumerate()
        .map(|(at, block)| block_text(block, kept.iter().find(|(of, _)| *of == at).map(|(_, path)| path.as_path())))
        .collect();
    if let Some(structured) = result.get("structuredContent").filter(|value| !value.is_null() && !said(result, value)) {
        parts.push(plain(&serde_json::to_string_pretty(structured).expect("a JSON value has a text")));
    }
    let text = parts.join("\n");
    if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" }
}

/// Whether the content says in text what the structured content says, as MCP wants it.
fn said(result: &Value, structured: &Value) -> bool {
    let texts = blocks(result).filter_map(|block| block["text"].as_str());
    let values = texts.filter_map(|text| serde_json::from_str::<Value>(text).ok());
    // Some SDKs wrap a value that is no object.
    let wrapped = structured.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("result"));
    let plain = |text: &str| wrapped.and_then(Value::as_str) == Some(text);
    values.collect::<Vec<_>>().iter().any(|value| value == structured || Some(value) == wrapped)
        || blocks(result).filter_map(|block| block["text"].as_str()).any(plain)
}

fn blocks(result: &Value) -> impl Iterator<Item = &Value> {
    result["content"].as_array().into_iter().flatten()
}

/// Media type and base64 of a block that holds bytes.
fn binary(block: &Value) -> Option<(&str, &str)> {
    let (kind, data) = match block["type"].as_str()? {
        "image" | "audio" => (&block["mimeType"], &block["data"]),
        "resource" => (&block["resource"]["mimeType"], &block["resource"]["blob"]),
        _ => return None,
    };
    Some((kind.as_str().unwrap_or("application/octet-stream"), data.as_str()?))
}

fn block_text(block: &Value, kept: Option<&Path>) -> String {
    let text = |value: &Value| value.as_str().map(plain);
    if let Some((media, data)) = binary(block) {
        let what = match block["type"].as_str() {
            Some("resource") => format!("resource {}, ", printable(block["resource"]["uri"].as_str().unwrap_or("-"))),
            kind => format!("{} ", kind.unwrap_or_default()),
        };
        let bytes = data.trim_end_matches('=').len() * 3 / 4;
        let rest = match kept {
            Some(path) => format!("written to {}", path.display()),
            None => "write it to a file with --output PATH".into(),
        };
        return format!("[{what}{}, {bytes} bytes: {rest}]", printable(media));
    }
    match block["type"].as_str() {
        Some("text") => text(&block["text"]).unwrap_or_default(),
        Some("resource") => text(&block["resource"]["text"]).unwrap_or_default(),
        Some("resource_link") => {
            let title = text(&block["title"]).or(text(&block["name"])).unwrap_or_default();
            let description = text(&block["description"]).map(|text| format!(": {text}")).unwrap_or_default();
            format!("[{title} <{}>{description}]", printable(block["uri"].as_str().unwrap_or_default()))
        }
        _ => plain(&serde_json::to_string_pretty(block).expect("a JSON value has a text")),
    }
}

fn numbered(output: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return output.to_owned();
    }
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let extension = output.extension().map(|it| format!(".{}", it.to_string_lossy())).unwrap_or_default();
    output.with_file_name(format!("{stem}-{number}{extension}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_content_is_shown() {
        let result = json!({"content": [
            {"type": "text", "text": "two\u{1b}[31m\nlines"},
            {"type": "image", "mimeType": "image/png", "data": "aGVsbG8="},
            {"type": "resource", "resource": {"uri": "x:a", "text": "inside"}},
            {"type": "resource", "resource": {"uri": "x:b", "blob": "aGVsbG8="}},
            {"type": "resource_link", "uri": "x:c", "name": "c", "description": "See c"},
            {"type": "vendor/thing", "x": 1},
        ], "structuredContent": {"sum": 3}});
        insta::assert_snapshot!(text(&result, &Vec::new()), @r#"
        two�[31m
        lines
        [image image/png, 5 bytes: write it to a file with --output PATH]
        inside
        [resource x:b, application/octet-stream, 5 bytes: write it to a file with --output PATH]
        [c <x:c>: See c]
        {
          "type": "vendor/thing",
          "x": 1
        }
        {
          "sum": 3
        }
        "#);
    }

    #[test]
    fn what_is_said_in_text_is_not_said_twice() {
        let result = json!({"content": [{"type": "text", "text": "{\"sum\": 3}"}], "structuredContent": {"sum": 3}});
        assert_eq!(text(&result, &Vec::new()), "{\"sum\": 3}\n");
        let wrapped = json!({"content": [{"type": "text", "text": "hello"}], "structuredContent": {"result": "hello"}});
        assert_eq!(text(&wrapped, &Vec::new()), "hello\n");
        assert_eq!(text(&json!({"content": []}), &Vec::new()), "");
    }

    #[test]
    fn binary_content_goes_to_files() {
        let directory = tempfile::tempdir().unwrap();
        let result = json!({"content": [
            {"type": "text", "text": "look"},
            {"type": "image", "mimeType": "image/png", "data": "aGVsbG8="},
            {"type": "audio", "mimeType": "audio/wav", "data": "d29ybGQ="},
        ]});
        let (kept, all) = keep(&result, Some(&directory.path().join("it.png")));
        assert!(all.is_ok());
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!((read("it.png").as_str(), read("it-2.png").as_str()), ("hello", "world"));
        assert!(text(&result, &kept).contains("it-2.png]"));
        let nothing = json!({"content": []});
        assert!(keep(&nothing, Some(&directory.path().join("x"))).1.is_err());
        let odd = json!({"content": [{"type": "image", "data": "aGVsbG8="}, {"type": "image", "data": "!"}]});
        let (kept, all) = keep(&odd, Some(&directory.path().join("x")));
        assert!(kept.len() == 1 && all.is_err());
    }
}
