//! Changing single members of a JSON object in its text: every byte that is not part of a change stays as it was.

use std::{borrow::Cow, collections::HashSet, fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{json, span};

/// A JSON object as text, with changes to its members that [`ObjectEdit::finish`] carries out.
#[derive(Debug)]
pub struct ObjectEdit<'a> {
    text: &'a str,
    members: Vec<Member<'a>>,
    /// New members, key and value (JSON text), each key once.
    added: Vec<(String, String)>,
}

#[derive(Debug)]
struct Member<'a> {
    key: Cow<'a, str>,
    /// From the key's opening quote to the end of the value.
    whole: Range<usize>,
    value: Range<usize>,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Kept,
    Replaced(String),
    Removed,
}

impl<'a> ObjectEdit<'a> {
    /// Reads the outermost members of `text`, which must be one JSON object.
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        let raw: RawMembers<'a> = serde_json::from_str(text)?;
        let members = raw.0.into_iter().map(|(key, value)| {
            let (key_at, value) = (span(text, key.get()), span(text, value.get()));
            // JSON can escape half a character, which no text can hold. Such a key is nobody's: it keeps its quotes.
            let read: Result<Key<'a>, _> = serde_json::from_str(key.get());
            let key = read.map_or(Cow::Borrowed(key.get()), |key| key.0);
            Member { key, whole: key_at.start..value.end, value, change: Change::Kept }
        });
        let members = members.collect();
        Ok(Self { text, members, added: Vec::new() })
    }

    /// The value of `key` as JSON text. Of a key that stands there twice, the last counts, as in most JSON readers.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.position(key).map(|at| &self.text[self.members[at].value.clone()])
    }

    /// Keys and values (JSON text) as they stand there.
    pub fn members(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members.iter().map(|member| (&*member.key, &self.text[member.value.clone()]))
    }

    /// A key that stands there more than once.
    pub fn twin(&self) -> Option<&str> {
        let mut seen = HashSet::with_capacity(self.members.len());
        self.members.iter().map(|member| &*member.key).find(|key| !seen.insert(*key))
    }

    /// Makes `value` (JSON text) the one value of `key`; a new key goes to the end. Of a key that stands there twice only
    /// the last stays: readers that take the first would see another value than those that take the last.
    pub fn set(&mut self, key: &str, value: &str) {
        let Some(last) = self.position(key) else {
            match self.added.iter_mut().find(|(added, _)| added == key) {
                Some((_, added)) => value.clone_into(added),
                None => self.added.push((key.to_owned(), value.to_owned())),
            }
            return;
        };
        self.remove(key);
        self.members[last].change = Change::Replaced(value.to_owned());
    }

    /// Takes `key` out, every time it stands there.
    pub fn remove(&mut self, key: &str) {
        self.added.retain(|(added, _)| added != key);
        let twins = self.members.iter_mut().filter(|member| member.key == key);
        twins.for_each(|member| member.change = Change::Removed);
    }

    /// Whether nothing would be left.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.members.iter().all(|member| matches!(member.change, Change::Removed))
    }

    /// The changed text.
    pub fn finish(self) -> String {
        let added: Vec<String> = self.added.iter().map(|(key, value)| [&json(key), ":", value].concat()).collect();
        let Some((first, last)) = self.members.first().zip(self.members.last()) else {
            let (opening, rest) = self.text.split_once('{').expect("it was read as an object");
            return [opening, "{", &added.join(","), rest].concat();
        };
        let length: usize = added.iter().map(|added| added.len() + 1).sum();
        let mut out = String::with_capacity(self.text.len() + length);
        out.push_str(&self.text[..first.whole.start]);
        let mut empty = true;
        for (at, member) in self.members.iter().enumerate() {
            if matches!(member.change, Change::Removed) {
                continue;
            }
            if !std::mem::replace(&mut empty, false) {
                // What stands between a member and the one before it: the comma and white space.
                out.push_str(&self.text[self.members[at - 1].whole.end..member.whole.start]);
            }
            member.write(self.text, &mut out);
        }
        for added in &added {
            if !std::mem::replace(&mut empty, false) {
                out.push(',');
            }
            out.push_str(added);
        }
        out.push_str(&self.text[last.whole.end..]);
        out
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.members.iter().rposition(|member| member.key == key)
    }
}

impl Member<'_> {
    fn write(&self, text: &str, out: &mut String) {
        match &self.change {
            Change::Kept => out.push_str(&text[self.whole.clone()]),
            Change::Replaced(value) => {
                out.push_str(&text[self.whole.start..self.value.start]);
                out.push_str(value);
            }
            Change::Removed => (),
        }
    }
}

/// The members of an object, keys and values unread.
struct RawMembers<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = RawMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(RawMembers(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, change: impl Fn(&mut ObjectEdit<'_>), expected: &str) {
        let mut edit = ObjectEdit::parse(text).unwrap();
        change(&mut edit);
        assert_eq!(edit.finish(), expected);
    }

    #[test]
    fn only_the_changed_member_differs() {
        let text = r#"{ "a" : 1e2 ,"na\u006de":"x", "c":[ 1,2 ] }"#;
        check(text, |_| (), text);
        check(text, |edit| edit.set("name", r#""y""#), r#"{ "a" : 1e2 ,"na\u006de":"y", "c":[ 1,2 ] }"#);
        check(text, |edit| edit.set("d", "null"), r#"{ "a" : 1e2 ,"na\u006de":"x", "c":[ 1,2 ],"d":null }"#);
        check(text, |edit| edit.remove("a"), r#"{ "na\u006de":"x", "c":[ 1,2 ] }"#);
        check(text, |edit| edit.remove("name"), r#"{ "a" : 1e2, "c":[ 1,2 ] }"#);
        check(text, |edit| edit.remove("c"), r#"{ "a" : 1e2 ,"na\u006de":"x" }"#);
        check(text, |edit| ["a", "name", "c"].into_iter().for_each(|key| edit.remove(key)), "{  }");
        check(r#"{"\ud800":1,"a":2}"#, |edit| edit.remove("a"), r#"{"\ud800":1}"#);
        check("{}", |edit| edit.set("a", "1"), r#"{"a":1}"#);
        check(" { } ", |edit| edit.remove("a"), " { } ");
        check(" { } ", |edit| edit.set("a", "1"), r#" {"a":1 } "#);
        check(r#"{"a":1}"#, |edit| (edit.remove("a"), edit.set("b", "2")).1, r#"{"b":2}"#);
        check(r#"{"a":1,"a":2}"#, |edit| edit.remove("a"), "{}");
        check(r#"{"a":1,"b":0,"a":2}"#, |edit| edit.set("a", "3"), r#"{"b":0,"a":3}"#);
        // A new member may be changed once more, or taken out.
        check("{}", |edit| (edit.set("a", "1"), edit.set("a", "2")).1, r#"{"a":2}"#);
        check(r#"{"b":0}"#, |edit| (edit.set("a", "1"), edit.remove("a")).1, r#"{"b":0}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", r#"{"a":}"#, "{}{}"] {
            assert!(ObjectEdit::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        /// Setting and removing leave an object that differs from the old one in that member only.
        #[test]
        fn a_change_is_what_a_json_reader_sees(
            members in proptest::collection::vec(("[a-d]{1,2}", "[ ]{0,2}", 0..9u8), 0..6),
            key in "[a-e]{1,2}",
            remove: bool,
        ) {
            let body: Vec<String> = members.iter().map(|(key, space, value)| format!("{space}\"{key}\"{space}:{space}{value}{space}")).collect();
            let text = format!("{{{}}}", body.join(","));
            let mut expected: serde_json::Map<_, _> = serde_json::from_str(&text).unwrap();
            let mut edit = ObjectEdit::parse(&text).unwrap();
            if remove {
                edit.remove(&key);
                expected.shift_remove(&key);
            } else {
                edit.set(&key, "true");
                expected.insert(key, true.into());
            }
            let changed: serde_json::Map<_, _> = serde_json::from_str(&edit.finish()).unwrap();
            prop_assert_eq!(changed, expected);
        }
    }
}
