//! A value of config.toml together with its place in the text, so that a mistake found late still names its line. Does not
//! know the text itself.

use std::{borrow::Cow, ops::Range};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// A value and the bytes of the file that it came from.
#[derive(Clone, Debug)]
pub struct Located<T> {
    pub value: T,
    /// For a table: its header, or its name where dotted keys made it.
    pub at: Range<usize>,
}

/// A member of a table. Absence is no mistake to the parser: what must be there is known to the resolver, which can then
/// report every missing member in one run.
pub type Member<T> = Option<Located<T>>;

/// A value that the program puts into a draft: it has no place in the file, so that a message about it names the first line.
impl<T> From<T> for Located<T> {
    fn from(value: T) -> Self {
        Self { value, at: 0..0 }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = toml::Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { at: spanned.span(), value: spanned.into_inner() })
    }
}

/// The schema of the value alone: the place is no part of the file.
impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
