//! One page of a target's list, read as far as merging needs it: the names, and where they stand.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::wire::ObjectEdit;

/// One page of `tools/list`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub tools: Vec<Tool>,
    /// Tools of this page that have no name.
    pub nameless: usize,
    pub next_cursor: Option<String>,
    /// How long the page may be taken as fresh, in milliseconds (modern targets say it).
    pub ttl_ms: Option<u64>,
}

/// A tool as its target described it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    pub name: String,
    /// The whole entry, JSON text, untouched.
    pub json: Box<str>,
}

/// Why a result is no page of a list.
#[derive(Debug, thiserror::Error)]
#[error("the answer to `tools/list` is no list of tools: {0}")]
pub struct BadPage(#[from] serde_json::Error);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPage<'a> {
    #[serde(borrow)]
    tools: Vec<&'a RawValue>,
    next_cursor: Option<String>,
    #[serde(default, deserialize_with = "lenient_ttl")]
    ttl_ms: Option<u64>,
}

/// A hint that cannot be read is no hint; the list is worth more than it.
fn lenient_ttl<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_u64())
}

impl Page {
    /// Reads the `result` of a `tools/list`.
    pub fn parse(result: &str) -> Result<Self, BadPage> {
        let raw: RawPage<'_> = serde_json::from_str(result)?;
        let named: Vec<Tool> = raw.tools.iter().filter_map(|tool| Tool::parse(tool.get())).collect();
        let nameless = raw.tools.len() - named.len();
        Ok(Self { tools: named, nameless, next_cursor: raw.next_cursor, ttl_ms: raw.ttl_ms })
    }
}

impl Tool {
    fn parse(json: &str) -> Option<Self> {
        let name = serde_json::from_str(ObjectEdit::parse(json).ok()?.get("name")?).ok()?;
        Some(Self { name, json: json.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_its_entries_as_they_are() {
        let page =
            Page::parse(r#"{"tools":[{"x":1e2,"name":"a"}, {"title":"no name"}, 7],"nextCursor":"c","ttlMs":5}"#)
                .unwrap();
        let tool = Tool { name: "a".into(), json: r#"{"x":1e2,"name":"a"}"#.into() };
        assert_eq!(page, Page { tools: vec![tool], nameless: 2, next_cursor: Some("c".into()), ttl_ms: Some(5) });
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for result in ["{}", r#"{"tools":{}}"#, "[]", r#"{"tools":[],"nextCursor":7}"#] {
            assert!(Page::parse(result).is_err(), "{result}");
        }
        assert_eq!(Page::parse(r#"{"tools":[],"ttlMs":-1.5}"#).unwrap(), Page::default());
    }
}
