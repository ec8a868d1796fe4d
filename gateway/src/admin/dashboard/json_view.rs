//! JSON as a page shows it: members and elements one a line, what is long folded, and bounded, for it may be anything. The text as
//! it came is shown beside it by whoever needs it exactly.

use maud::{Markup, html};
use serde_json::{Map, Value};

/// Values are opened so far; deeper ones are shown as one line.
const OPEN: usize = 2;
const DEEPEST: usize = 24;
/// Members or elements of one value.
const MOST: usize = 200;
/// Characters of one text or number.
const LONGEST: usize = 20_000;
/// Members and characters of what stands for a folded value.
const PEEK: (usize, usize) = (4, 24);

/// `value`, folded where it is deep.
pub(super) fn view(value: &Value) -> Markup {
    html! { div.json { (of(value, 0)) } }
}

/// At most `most` characters of `text`, and how many there are beyond.
pub(super) fn cut(text: &str, most: usize) -> (&str, usize) {
    match text.char_indices().nth(most) {
        Some((at, _)) => (&text[..at], text[at..].chars().count()),
        None => (text, 0),
    }
}

/// A text in its own lines, bounded.
pub(super) fn block(text: &str, most: usize) -> Markup {
    let (shown, rest) = cut(text, most);
    html! {
        pre tabindex="0" { (shown) }
        @if rest > 0 { p.note { "… and " (rest) " more characters" } }
    }
}

fn of(value: &Value, depth: usize) -> Markup {
    match value {
        Value::Object(members) if members.is_empty() => html! { "{}" },
        Value::Array(items) if items.is_empty() => html! { "[]" },
        Value::Object(_) | Value::Array(_) if depth >= DEEPEST => {
            let text = value.to_string();
            html! { code { (cut(&text, LONGEST).0) } }
        }
        Value::Object(members) => {
            let rows = members.iter().take(MOST).map(|(key, value)| (Some(key.as_str()), value));
            folded(&format!("{{ {} }}", members.len()), &peek(members), rows, members.len(), depth)
        }
        Value::Array(items) => {
            let rows = items.iter().take(MOST).map(|value| (None, value));
            folded(&format!("[ {} ]", items.len()), "", rows, items.len(), depth)
        }
        Value::String(text) => {
            let (shown, rest) = cut(text, LONGEST);
            html! { span.s { "\"" (shown) @if rest > 0 { "… " (rest) " more" } "\"" } }
        }
        Value::Number(number) => html! { span.n { (number.to_string()) } },
        Value::Bool(_) | Value::Null => html! { span.k { (value.to_string()) } },
    }
}

/// The first members of an object, shortened.
fn peek(members: &Map<String, Value>) -> String {
    let (few, short) = PEEK;
    let shown = members.iter().take(few).map(|(key, value)| {
        let text = match value {
            Value::Object(_) => "{…}".to_owned(),
            Value::Array(_) => "[…]".to_owned(),
            Value::String(text) => {
                let (text, rest) = cut(text, short);
                format!("\"{text}{}\"", if rest > 0 { "…" } else { "" })
            }
            value => value.to_string(),
        };
        format!("{}: {text}", cut(key, short).0)
    });
    let shown: Vec<String> = shown.collect();
    shown.join(", ")
}

fn folded<'a>(
    summary: &str,
    peek: &str,
    rows: impl Iterator<Item = (Option<&'a str>, &'a Value)>,
    total: usize,
    depth: usize,
) -> Markup {
    html! {
        details open[depth < OPEN] {
            summary { (summary) @if !peek.is_empty() && depth >= OPEN { span.peek { " " (peek) } } }
            ul {
                @for (key, value) in rows {
                    li { @if let Some(key) = key { span.key { (key) } ": " } (of(value, depth + 1)) }
                }
                @if total > MOST { li.note { "… and " (total - MOST) " more" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_in_it_stays_text() {
        let shown = view(&json!({"<b>": "</pre><script>x</script>"})).into_string();
        insta::assert_snapshot!(shown, @r#"<div class="json"><details open><summary>{ 1 }</summary><ul><li><span class="key">&lt;b&gt;</span>: <span class="s">&quot;&lt;/pre&gt;&lt;script&gt;x&lt;/script&gt;&quot;</span></li></ul></details></div>"#);
    }

    #[test]
    fn what_is_large_is_cut() {
        let long = view(&json!(vec![0; MOST + 7])).into_string();
        assert!(long.contains("… and 7 more"));
        assert_eq!(cut("äöü", 2), ("äö", 1));
        let mut deep = json!(1);
        (0..DEEPEST * 2).for_each(|_| deep = json!([deep]));
        assert!(view(&deep).into_string().contains("<code>[["));
    }
}
