//! The result of a tool as people read it: texts in their lines, JSON folded, pictures and sounds that are in the answer itself. What
//! is elsewhere is named and not loaded.
//!
//! Source: MCP 2026-07-28, server/tools, "Tool Result".

use maud::{Markup, html};
use serde_json::Value;

use crate::admin::dashboard::json_view;

/// Characters of one text.
const TEXT: usize = 200_000;
/// Bytes of one picture or sound, in base64.
const MEDIA: usize = 8_000_000;
/// Blocks of one result.
const MOST: usize = 100;
/// Types that browsers show; an SVG in an `img` runs nothing and loads nothing.
const PICTURES: [&str; 6] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml"];

pub(super) fn of_result(result: &Value) -> Markup {
    let blocks = result["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    let structured = &result["structuredContent"];
    html! {
        @if blocks.is_empty() && structured.is_null() { p.note { "The result is empty." } }
        @for content in blocks.iter().take(MOST) { div.block { (block(content)) } }
        @if blocks.len() > MOST { p.note { "… and " (blocks.len() - MOST) " more blocks" } }
        @if !structured.is_null() { h3 { "Structured content" } (json_view::view(structured)) }
    }
}

fn block(content: &Value) -> Markup {
    match content["type"].as_str().unwrap_or_default() {
        "text" => text(content["text"].as_str().unwrap_or_default()),
        "image" => media(content, content["data"].as_str(), content["mimeType"].as_str()),
        "audio" => media(content, content["data"].as_str(), content["mimeType"].as_str()),
        "resource_link" => link(content),
        "resource" => resource(&content["resource"]),
        _ => json_view::view(content),
    }
}

/// A text, and where it is JSON, that too.
fn text(text: &str) -> Markup {
    let trimmed = text.trim_start();
    let value: Option<Value> = match trimmed.starts_with(['{', '[']) && text.len() <= TEXT {
        true => serde_json::from_str(text).ok(),
        false => None,
    };
    match value {
        Some(value) => html! { (json_view::view(&value)) },
        None => json_view::block(text, TEXT),
    }
}

fn link(content: &Value) -> Markup {
    let field = |name: &str| content[name].as_str().unwrap_or_default();
    html! {
        p { strong { "Resource " } (field("title")) " " (field("name")) }
        p { code { (field("uri")) } span.of { " " (field("mimeType")) } }
        @if !field("description").is_empty() { p.note { (field("description")) } }
    }
}

fn resource(resource: &Value) -> Markup {
    let kind = resource["mimeType"].as_str();
    html! {
        p {
            strong { "Resource " } code { (resource["uri"].as_str().unwrap_or_default()) }
            span.of { " " (kind.unwrap_or_default()) }
        }
        @match (resource["text"].as_str(), resource["blob"].as_str()) {
            (Some(inner), _) => (text(inner)),
            (None, Some(blob)) => (media(resource, Some(blob), kind)),
            (None, None) => (json_view::view(resource)),
        }
    }
}

fn media(content: &Value, data: Option<&str>, kind: Option<&str>) -> Markup {
    let (Some(data), Some(kind)) = (data, kind) else { return json_view::view(content) };
    let size = data.len() / 4 * 3;
    let is_base64 = data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let is_sound =
        kind.starts_with("audio/") && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.+-".contains(&byte));
    let url = || format!("data:{kind};base64,{data}");
    html! {
        @if data.len() > MEDIA || !is_base64 {
            p.note { (kind) ", about " (size) " bytes: too large to show, or not base64." }
        } @else if PICTURES.contains(&kind) {
            figure {
                img src=(url()) alt={ "A picture that the tool gave (" (kind) ")" };
                figcaption { (kind) ", " (size) " bytes" }
            }
        } @else if is_sound {
            figure { audio controls src=(url()) {} figcaption { (kind) ", " (size) " bytes" } }
        } @else {
            p.note { (kind) ", about " (size) " bytes." }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(content: Value) -> String {
        of_result(&json!({"content": [content]})).into_string()
    }

    #[test]
    fn what_a_tool_gives_cannot_become_html() {
        let text = shown(json!({"type": "text", "text": "</pre><script>x</script>"}));
        assert!(text.contains("&lt;script&gt;") && !text.contains("<script"), "{text}");
        let picture = shown(json!({"type": "image", "mimeType": "image/png\" onerror=\"x", "data": "AAAA"}));
        assert!(!picture.contains("<img") && !picture.contains("onerror=\""), "{picture}");
        let data = shown(json!({"type": "image", "mimeType": "image/png", "data": "\"><script>"}));
        assert!(!data.contains("<img"), "{data}");
        let link = shown(json!({"type": "resource_link", "uri": "javascript:x", "name": "n"}));
        assert!(!link.contains("href"), "{link}");
    }

    #[test]
    fn pictures_and_sounds_are_in_the_page() {
        assert!(
            shown(json!({"type": "image", "mimeType": "image/png", "data": "AAAA"}))
                .contains("data:image/png;base64,AAAA")
        );
        assert!(shown(json!({"type": "audio", "mimeType": "audio/wav", "data": "AAAA"})).contains("<audio"));
    }
}
