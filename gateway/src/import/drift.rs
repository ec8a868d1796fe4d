//! What one gateway offers and another does not, or offers differently. Compares lists that somebody else fetched, entry by
//! entry and by what they mean, not by how their JSON is written.

use std::{collections::BTreeMap, fmt};

use causeway_core::catalog::{Entry, Kind, PerKind};
use serde::Serialize;
use serde_json::{Map, Number, Value};

/// AgentCore's own tool for finding tools; no target lists it.
const SEARCH_TOOL: &str = "x_amz_bedrock_agentcore_search";

/// Everything that a gateway lists.
pub type Offer = PerKind<Vec<Entry>>;

/// How two gateways differ. Its `Display` has one line for each difference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// What the live gateway alone lists (`+`).
    pub only_live: Vec<Item>,
    /// What the local one alone lists (`-`).
    pub only_local: Vec<Item>,
    /// What both list, but not the same (`~`).
    pub changed: Vec<Changed>,
}

/// One entry of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// `tool`, `prompt`, `resource` or `resource template`.
    pub kind: String,
    /// Its name, URI or URI template.
    pub key: String,
}

/// An entry that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    #[serde(flatten)]
    pub item: Item,
    /// The names of its members that differ.
    pub members: Vec<String>,
}

impl Drift {
    /// Compares what the live gateway offers with what the local one does.
    pub fn between(live: &Offer, local: &Offer) -> Self {
        let mut drift = Self::default();
        for kind in Kind::ALL {
            let (live, local) = (by_key(&live[kind]), by_key(&local[kind]));
            let item = |key: &str| Item { kind: kind.to_string(), key: key.to_owned() };
            for (key, entry) in &live {
                let Some(other) = local.get(key) else {
                    drift.only_live.push(item(key));
                    continue;
                };
                let members = differing(entry, other);
                if !members.is_empty() {
                    drift.changed.push(Changed { item: item(key), members });
                }
            }
            drift.only_local.extend(local.keys().filter(|key| !live.contains_key(*key)).map(|key| item(key)));
        }
        drift
    }

    /// Whether both offer the same.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many differences there are.
    pub fn len(&self) -> usize {
        self.only_live.len() + self.only_local.len() + self.changed.len()
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.only_live.iter().try_for_each(|item| writeln!(f, "+ {item}"))?;
        self.only_local.iter().try_for_each(|item| writeln!(f, "- {item}"))?;
        self.changed.iter().try_for_each(|Changed { item, members }| writeln!(f, "~ {item}: {}", members.join(", ")))
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys and members are a server's words: nothing in them may steer a terminal or begin a line.
        write!(f, "{} {}", self.kind, printable(&self.key))
    }
}

/// The entries by their keys; the first of those with one key, as everywhere.
fn by_key(entries: &[Entry]) -> BTreeMap<&str, &str> {
    let listed = entries.iter().rev().filter(|entry| entry.key != SEARCH_TOOL);
    listed.map(|entry| (entry.key.as_str(), &*entry.json)).collect()
}

/// The members in which two objects differ.
fn differing(live: &str, local: &str) -> Vec<String> {
    let members = |json: &str| serde_json::from_str::<Map<String, Value>>(json).unwrap_or_default();
    let (live, local) = (members(live), members(local));
    let mut names: Vec<&String> = live.keys().chain(local.keys().filter(|name| !live.contains_key(*name))).collect();
    names.retain(|name| match (live.get(*name), local.get(*name)) {
        (Some(one), Some(other)) => !same(one, other),
        _ => true,
    });
    names.into_iter().map(|name| printable(name)).collect()
}

/// Whether two values mean the same: the order of members does not count, nor how a number is written.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let in_other = |(name, value): (&String, &Value)| other.get(name).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(in_other)
        }
        _ => one == other,
    }
}

fn same_number(one: &Number, other: &Number) -> bool {
    one == other || (one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64()
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use causeway_core::catalog::Page;

    use super::*;

    fn offer(tools: &str, resources: &str) -> Offer {
        let mut offer = Offer::default();
        offer[Kind::Tools] = Page::parse(Kind::Tools, &format!(r#"{{"tools":[{tools}]}}"#)).unwrap().entries;
        let resources = format!(r#"{{"resources":[{resources}]}}"#);
        offer[Kind::Resources] = Page::parse(Kind::Resources, &resources).unwrap().entries;
        offer
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        let live = offer(
            r#"{"name":"a","inputSchema":{"type":"object","minimum":1.0,"required":["x"]},"title":"\u0041"},{"name":"x_amz_bedrock_agentcore_search"}"#,
            r#"{"uri":"r://1","name":"1"},{"uri":"r://1","name":"again"}"#,
        );
        let local = offer(
            r#"{"title":"A","inputSchema":{"required":["x"],"minimum":1,"type":"object"},"name":"a"}"#,
            r#"{"name":"1","uri":"r://1"}"#,
        );
        assert_eq!(Drift::between(&live, &local), Drift::default());
        assert!(Drift::between(&local, &live).is_empty());
    }

    #[test]
    fn every_difference_has_its_line() {
        let live = offer(
            r#"{"name":"a","description":"old","inputSchema":{"required":["x","y"]}},{"name":"b\n\u001b[31m"},{"name":"c","n":9007199254740993}"#,
            r#"{"uri":"r://live"}"#,
        );
        let local = offer(
            r#"{"name":"a","title":"new","inputSchema":{"required":["y","x"]}},{"name":"d"},{"name":"c","n":9007199254740992}"#,
            r#"{"uri":"r://local"}"#,
        );
        let drift = Drift::between(&live, &local);
        insta::assert_snapshot!(drift, @r"
        + tool b��[31m
        + resource r://live
        - tool d
        - resource r://local
        ~ tool a: description, inputSchema, title
        ~ tool c: n
        ");
        insta::assert_snapshot!(serde_json::to_string(&drift).unwrap(), @r#"{"onlyLive":[{"kind":"tool","key":"b\n\u001b[31m"},{"kind":"resource","key":"r://live"}],"onlyLocal":[{"kind":"tool","key":"d"},{"kind":"resource","key":"r://local"}],"changed":[{"kind":"tool","key":"a","members":["description","inputSchema","title"]},{"kind":"tool","key":"c","members":["n"]}]}"#);
        assert_eq!((drift.len(), drift.is_empty()), (6, false));
    }
}
