//! A JSON object that is read once and looked into often: where its outermost members stand in its text. What they hold stays
//! unread, and nothing is changed here (`edit.rs` does that).

use std::{borrow::Cow, collections::HashSet, fmt, ops::Range, sync::Arc};

use bytestring::ByteString;
use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{ObjectEdit, scan, span};

/// With so many keys or fewer, comparing each with each costs less than remembering them.
const FEW: usize = 16;

/// One JSON object as text, and its outermost members. Clones share both.
#[derive(Clone)]
pub struct Object {
    text: ByteString,
    members: Arc<[Member]>,
}

/// Where a member stands.
#[derive(Clone, Debug)]
pub(super) struct Member {
    key: Key,
    /// From the key's opening quote to the end of the value.
    pub(super) whole: Range<usize>,
    pub(super) value: Range<usize>,
}

#[derive(Clone, Debug)]
enum Key {
    /// As it stands in the text.
    At(Range<usize>),
    /// It is written with escapes.
    Read(Box<str>),
}

impl Object {
    /// Reads the outermost members of `text`, which must be one JSON object.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: impl Into<ByteString>) -> Result<Self, serde_json::Error> {
        let text = text.into();
        let members = members(&text, |key, whole, value| {
            let key = match key {
                Cow::Borrowed(key) => Key::At(span(&text, key)),
                Cow::Owned(key) => Key::Read(key.into()),
            };
            Member { key, whole, value }
        })?;
        Ok(Self { members: members.into(), text })
    }

    /// The object with these members: keys, and values as JSON text.
    pub fn of<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut object = ObjectEdit::empty();
        members.into_iter().for_each(|(key, value)| object.set(key, value));
        object.into_object()
    }

    /// `{}`
    pub fn empty() -> Self {
        Self { text: ByteString::from_static("{}"), members: Arc::default() }
    }

    /// The whole object.
    pub fn text(&self) -> &ByteString {
        &self.text
    }

    /// The value of `key` as JSON text. Of a key that stands there twice, the last counts, as in most JSON readers.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.at(key).map(|at| &self.text[at])
    }

    /// The same as a text that shares what this one is kept in.
    pub fn share(&self, key: &str) -> Option<ByteString> {
        self.get(key).map(|value| self.text.slice_ref(value))
    }

    /// A key that stands there twice, if there is one: which of the two counts, readers of JSON disagree.
    pub fn twin(&self) -> Option<&str> {
        twin(self.members.iter().map(|member| member.key(&self.text)))
    }

    /// The members, for who changes them.
    pub(super) fn members(&self) -> impl ExactSizeIterator<Item = (&str, &Member)> {
        self.members.iter().map(|member| (member.key(&self.text), member))
    }

    fn at(&self, key: &str) -> Option<Range<usize>> {
        self.members.iter().rev().find(|member| member.key(&self.text) == key).map(|member| member.value.clone())
    }
}

impl fmt::Debug for Object {
    /// What it holds is its sender's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} bytes)", self.text.len())
    }
}

impl Member {
    fn key<'a>(&'a self, text: &'a str) -> &'a str {
        match &self.key {
            Key::At(at) => &text[at.clone()],
            Key::Read(key) => key,
        }
    }
}

/// The first of `keys` that came before.
pub(super) fn twin<'a>(keys: impl ExactSizeIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    if keys.len() <= FEW {
        return keys
            .clone()
            .enumerate()
            .find(|(at, key)| keys.clone().take(*at).any(|before| before == *key))
            .map(|it| it.1);
    }
    let mut seen = HashSet::with_capacity(keys.len());
    keys.into_iter().find(|key| !seen.insert(*key))
}

/// What `make` makes of each outermost member of `text`, which must be one JSON object: of its key, where it stands as a whole, and where
/// its value does. A key that JSON can write and no text can hold (half a character, escaped) is nobody's: it keeps its quotes.
pub(super) fn members<'a, T>(
    text: &'a str,
    make: impl Fn(Cow<'a, str>, Range<usize>, Range<usize>) -> T,
) -> Result<Vec<T>, serde_json::Error> {
    let make = |key: Range<usize>, value: Range<usize>| {
        let written = &text[key.clone()];
        make(super::text(written).unwrap_or(Cow::Borrowed(written)), key.start..value.end, value)
    };
    let mut members = Vec::with_capacity(8);
    let is_read = scan::members(text, |key, value| {
        members.push(make(key, value));
        true
    });
    if is_read {
        return Ok(members);
    }
    members.clear();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(Reader { text, take: |key, value| members.push(make(key, value)) })?;
    deserializer.end().map(|()| members)
}

struct Reader<'a, F> {
    text: &'a str,
    take: F,
}

impl<'a, F: FnMut(Range<usize>, Range<usize>)> Visitor<'a> for Reader<'a, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<&'a RawValue, &'a RawValue>()? {
            (self.take)(span(self.text, key.get()), span(self.text, value.get()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_as_they_stand() {
        let object = Object::parse(r#" {"a" : 1e2 ,"na\u006de":"x\n", "\ud800":1,"a":[ 2 ]} "#).unwrap();
        assert_eq!(object.get("a"), Some("[ 2 ]"));
        assert_eq!(object.get("name"), Some(r#""x\n""#));
        assert_eq!(object.get(r#""\ud800""#), Some("1"));
        assert_eq!(object.get("x"), None);
        assert_eq!(object.share("name").unwrap(), r#""x\n""#);
        assert_eq!(object.twin(), Some("a"));
        assert_eq!(format!("{object:?}"), "Object(54 bytes)");
    }

    #[test]
    fn a_key_that_stands_twice_is_found_among_many() {
        let members = |last: usize| (0..=FEW + 3).chain([last]).map(|key| format!(r#""{key}":0"#)).collect::<Vec<_>>();
        let object = |last| Object::parse(format!("{{{}}}", members(last).join(","))).unwrap();
        assert_eq!(object(7).twin(), Some("7"));
        assert_eq!(object(1000).twin(), None);
        assert_eq!(Object::parse(r#"{"a":1,"\u0061":2}"#).unwrap().twin(), Some("a"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", r#"{"a":}"#, "{}{}", r#"{"a":1"#] {
            assert!(Object::parse(text).is_err(), "{text}");
        }
        assert_eq!(*Object::empty().text(), "{}");
    }
}
