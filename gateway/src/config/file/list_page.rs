//! The setting `gateway.list_page`: a number or a word, which no derived reader tells apart in good words.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// Where a list is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListPage {
    /// After so many entries.
    Entries(u64),
    /// Between two targets.
    Target,
}

/// What a wrong value is answered with, after "expected": `shape/wording.rs` knows it.
pub const EXPECTED: &str = "a number of entries or the word target";

const TARGET: &str = "target";

impl<'de> Deserialize<'de> for ListPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl Visitor<'_> for NumberOrWord {
            type Value = ListPage;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_i64<E: Error>(self, entries: i64) -> Result<ListPage, E> {
                let number = u64::try_from(entries).map(ListPage::Entries);
                number.map_err(|_| E::invalid_value(Unexpected::Signed(entries), &self))
            }

            fn visit_u64<E: Error>(self, entries: u64) -> Result<ListPage, E> {
                Ok(ListPage::Entries(entries))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<ListPage, E> {
                match word {
                    TARGET => Ok(ListPage::Target),
                    _ => Err(E::unknown_variant(word, &["a number", TARGET])),
                }
            }
        }
        deserializer.deserialize_any(NumberOrWord)
    }
}

impl JsonSchema for ListPage {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ListPage".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "oneOf": [{ "type": "integer", "minimum": 1, "maximum": 1_000_000 }, { "const": TARGET }] })
    }
}
