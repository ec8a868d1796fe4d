//! Changing single members of a JSON object in its text: every byte that is not part of a change stays as it was.

use std::{borrow::Cow, ops::Range};

use super::{
    json,
    object::{self, Object},
};

/// A JSON object as text, with changes to its members that [`ObjectEdit::finish`] carries out.
#[derive(Debug)]
pub struct ObjectEdit<'a> {
    text: &'a str,
    members: Vec<Member<'a>>,
    /// Before all members that were there: key and value (JSON text).
    put_first: Vec<(String, String)>,
    /// After them, each key once.
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
        let members = object::members(text, |key, whole, value| Member { key, whole, value, change: Change::Kept })?;
        Ok(Self { text, members, put_first: Vec::new(), added: Vec::new() })
    }

    /// `{}`
    pub fn empty() -> Self {
        let (members, put_first, added) = Default::default();
        Self { text: "{}", members, put_first, added }
    }

    /// The changes that are to be made to `object`, none yet.
    pub fn of(object: &'a Object) -> Self {
        let members = object.members().map(|(key, member)| {
            let (whole, value) = (member.whole.clone(), member.value.clone());
            Member { key: Cow::Borrowed(key), whole, value, change: Change::Kept }
        });
        Self { text: object.text(), members: members.collect(), put_first: Vec::new(), added: Vec::new() }
    }

    /// The value of `key` as JSON text. Of a key that stands there twice, the last counts, as in most JSON readers.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.position(key).map(|at| &self.text[self.members[at].value.clone()])
    }

    /// Keys and values (JSON text) as they stand there.
    pub fn members(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members.iter().map(|member| (&*member.key, &self.text[member.value.clone()]))
    }

    /// A key that stands there twice, if there is one: which of the two counts, readers of JSON disagree.
    pub fn twin(&self) -> Option<&str> {
        object::twin(self.members.iter().map(|member| &*member.key))
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

    /// Puts `key`, which is not there, with the value `value` (JSON text) before all others.
    pub fn put_first(&mut self, key: &str, value: &str) {
        self.put_first.push((key.to_owned(), value.to_owned()));
    }

    /// Takes `key` out, every time it stands there.
    pub fn remove(&mut self, key: &str) {
        self.added.retain(|(added, _)| added != key);
        let twins = self.members.iter_mut().filter(|member| member.key == key);
        twins.for_each(|member| member.change = Change::Removed);
    }

    /// Whether nothing would be left.
    pub fn is_empty(&self) -> bool {
        self.put_first.is_empty() && self.added.is_empty() && !self.keeps_any()
    }

    /// The changed text.
    pub fn finish(self) -> String {
        let mut out = String::with_capacity(self.most());
        self.write_to(&mut out);
        out
    }

    /// The changed object.
    pub fn into_object(self) -> Object {
        Object::parse(self.finish()).expect("an object stays one, whatever is changed")
    }

    /// Bytes of the changed text, at most.
    pub fn most(&self) -> usize {
        let replaced = self.members.iter().map(|member| match &member.change {
            Change::Replaced(value) => value.len(),
            Change::Kept | Change::Removed => 0,
        });
        // With quotes, a colon and a comma; a key that is escaped is longer, which costs an allocation and nothing else.
        let new = self.put_first.iter().chain(&self.added).map(|(key, value)| key.len() + value.len() + 4);
        self.text.len() + replaced.chain(new).sum::<usize>()
    }

    /// Writes the changed text behind what stands in `out`.
    pub fn write_to(&self, out: &mut String) {
        let opening = self.text.split_inclusive('{').next().unwrap_or("{");
        out.push_str(opening);
        write_members(&self.put_first, out);
        if !self.put_first.is_empty() && (self.keeps_any() || !self.added.is_empty()) {
            out.push(',');
        }
        let Some((first, last)) = self.members.first().zip(self.members.last()) else {
            write_members(&self.added, out);
            // White space that stands there stays.
            return out.push_str(&self.text[opening.len()..]);
        };
        out.push_str(&self.text[opening.len()..first.whole.start]);
        let mut empty = true;
        for (at, member) in self.members.iter().enumerate() {
            if matches!(member.change, Change::Removed) {
                continue;
            }
            if !std::mem::replace(&mut empty, false) {
                // What stands between a member and the one before it: the comma and white space.
                out.push_str(&self.text[self.members[at - 1].whole.end..member.whole.start]);
            }
            member.write(self.text, out);
        }
        if !self.added.is_empty() {
            if !empty {
                out.push(',');
            }
            write_members(&self.added, out);
        }
        out.push_str(&self.text[last.whole.end..]);
    }

    fn keeps_any(&self) -> bool {
        self.members.iter().any(|member| !matches!(member.change, Change::Removed))
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.members.iter().rposition(|member| member.key == key)
    }
}

/// Writes `members` one after the other.
fn write_members(members: &[(String, String)], out: &mut String) {
    for (at, (key, value)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&json(key));
        out.push(':');
        out.push_str(value);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &'static str, change: impl Fn(&mut ObjectEdit<'_>), expected: &str) {
        let object = Object::parse(text).unwrap();
        for mut edit in [ObjectEdit::parse(text).unwrap(), ObjectEdit::of(&object)] {
            change(&mut edit);
            assert!(edit.most() >= expected.len(), "{text}");
            assert_eq!(edit.finish(), expected);
        }
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
        check(r#" { "a":1}"#, |edit| edit.put_first("b", "2"), r#" {"b":2, "a":1}"#);
        check("{ }", |edit| edit.put_first("b", "2"), r#"{"b":2 }"#);
        check("{}", |edit| (edit.put_first("b", "2"), edit.set("a", "1")).1, r#"{"b":2,"a":1}"#);
        check(r#"{"a":1}"#, |edit| (edit.put_first("b", "2"), edit.remove("a")).1, r#"{"b":2}"#);
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
