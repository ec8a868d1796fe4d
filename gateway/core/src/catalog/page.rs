//! One page of a target's list, read as far as merging needs it: the keys, and where they stand.

use serde_json::value::RawValue;

use super::Kind;
use crate::wire::ObjectEdit;

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// Entries of this page that have no key.
    pub keyless: usize,
    pub next_cursor: Option<String>,
    /// How long the page may be taken as fresh, in milliseconds (modern targets say it).
    pub ttl_ms: Option<u64>,
    /// `cacheScope` is `private`: the page is for who asked alone.
    pub private: bool,
}

/// A tool, prompt, resource or resource template as its target described it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, URI or URI template.
    pub key: String,
    /// The whole entry, JSON text, untouched.
    pub json: Box<str>,
}

/// Why a result is no page of a list.
#[derive(Debug, thiserror::Error)]
#[error("the answer to `{method}` is no such list: {why}")]
pub struct BadPage {
    method: &'static str,
    why: String,
}

impl Page {
    /// Reads the `result` of a request that lists `kind`.
    pub fn parse(kind: Kind, result: &str) -> Result<Self, BadPage> {
        let bad = |why: String| BadPage { method: kind.method(), why };
        let object = ObjectEdit::parse(result).map_err(|error| bad(error.to_string()))?;
        let list = object.get(kind.member()).ok_or_else(|| bad(format!("it has no `{}`", kind.member())))?;
        let raw: Vec<&RawValue> = serde_json::from_str(list).map_err(|error| bad(error.to_string()))?;
        let next_cursor = object.get("nextCursor").map(serde_json::from_str).transpose();
        let next_cursor: Option<Option<String>> = next_cursor.map_err(|error| bad(format!("`nextCursor`: {error}")))?;
        let entries: Vec<Entry> = raw.iter().filter_map(|entry| Entry::parse(kind, entry.get())).collect();
        // A hint that cannot be read is no hint; the list is worth more than it.
        let ttl_ms = object.get("ttlMs").and_then(|ttl| serde_json::from_str(ttl).ok());
        let private = object.get("cacheScope") == Some(r#""private""#);
        let keyless = raw.len() - entries.len();
        Ok(Self { entries, keyless, next_cursor: next_cursor.flatten(), ttl_ms, private })
    }
}

impl Entry {
    fn parse(kind: Kind, json: &str) -> Option<Self> {
        let key = serde_json::from_str(ObjectEdit::parse(json).ok()?.get(kind.key())?).ok()?;
        Some(Self { key, json: json.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_its_entries_as_they_are() {
        let result = r#"{"cacheScope":"private","tools":[{"x":1e2,"name":"a"}, {"title":"no name"}, 7],"nextCursor":"c","ttlMs":5}"#;
        let entries = vec![Entry { key: "a".into(), json: r#"{"x":1e2,"name":"a"}"#.into() }];
        let (next_cursor, ttl_ms) = (Some("c".into()), Some(5));
        let expected = Page { entries, keyless: 2, next_cursor, ttl_ms, private: true };
        assert_eq!(Page::parse(Kind::Tools, result).unwrap(), expected);
    }

    #[test]
    fn each_kind_has_its_member_and_its_key() {
        for kind in Kind::ALL {
            let result = format!(r#"{{"{}":[{{"{}":"k"}},{{"other":"k"}}]}}"#, kind.member(), kind.key());
            let page = Page::parse(kind, &result).unwrap();
            assert_eq!((page.entries[0].key.as_str(), page.keyless), ("k", 1), "{kind}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for result in ["{}", r#"{"tools":{}}"#, "[]", r#"{"tools":[],"nextCursor":7}"#] {
            assert!(Page::parse(Kind::Tools, result).is_err(), "{result}");
        }
        for result in [r#"{"tools":[],"ttlMs":-1.5}"#, r#"{"tools":[],"nextCursor":null,"cacheScope":"public"}"#] {
            assert_eq!(Page::parse(Kind::Tools, result).unwrap(), Page::default(), "{result}");
        }
        insta::assert_snapshot!(Page::parse(Kind::Templates, "{}").unwrap_err(), @"the answer to `resources/templates/list` is no such list: it has no `resourceTemplates`");
    }
}
