//! Names of targets and of what they offer, and the `___` delimiter between the two. Knows no protocol messages.
//!
//! Source: AgentCore's tool naming page (`${target_name}___${tool_name}`) and its API model (the pattern of a target
//! name).

pub mod budget;
pub mod pattern;
mod short;
mod toolset;

use std::{fmt, num::NonZeroU16, str::FromStr};

pub use self::{
    budget::{Audience, Profile},
    pattern::{Pattern, Selection},
    short::Fit,
    toolset::{BadToolsetName, ToolsetName},
};

/// Stands between a target's name and the name that the target gave its tool or prompt.
pub const DELIMITER: &str = "___";

/// The name of a target: 1 to 100 letters and digits with single hyphens between or after them,
/// `([0-9a-zA-Z][-]?){1,100}`. It holds no underscore, so the first [`DELIMITER`] in a merged name ends it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetName(String);

impl TargetName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `target___name`: what a client sees for `name` of this target.
    pub fn join(&self, name: &str) -> String {
        [&self.0, DELIMITER, name].concat()
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One path to what a target offers: `calculator`, or `calculator/2`, the second endpoint of a target that has several. A
/// target's name holds no slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathName {
    target: TargetName,
    /// From 1; absent where there is but one.
    endpoint: Option<NonZeroU16>,
}

impl PathName {
    /// The path to a target that is in one place.
    pub fn only(target: TargetName) -> Self {
        Self { target, endpoint: None }
    }

    /// The path to one of a target's places, counted from 1.
    pub fn endpoint(target: TargetName, endpoint: NonZeroU16) -> Self {
        Self { target, endpoint: Some(endpoint) }
    }

    /// Which of the target's places it is, from 1; none where there is but one.
    pub fn number(&self) -> Option<NonZeroU16> {
        self.endpoint
    }

    /// Where it leads.
    pub fn target(&self) -> &TargetName {
        &self.target
    }
}

impl fmt::Display for PathName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.endpoint {
            None => write!(f, "{}", self.target),
            Some(endpoint) => write!(f, "{}/{endpoint}", self.target),
        }
    }
}

/// Why a text is no name of a path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no path: write the name of a target, or `target/2` for its second endpoint")]
pub struct BadPathName(String);

impl FromStr for PathName {
    type Err = BadPathName;

    fn from_str(name: &str) -> Result<Self, BadPathName> {
        let bad = || BadPathName(name.into());
        let target = |target: &str| target.parse().map_err(|_| bad());
        match name.split_once('/') {
            None => Ok(Self::only(target(name)?)),
            Some((before, endpoint)) => Ok(Self::endpoint(target(before)?, endpoint.parse().map_err(|_| bad())?)),
        }
    }
}

/// Why a text is no target name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no target name: use letters and digits with single hyphens between them, at most 100 of each \
     (AgentCore's pattern `([0-9a-zA-Z][-]?){{1,100}}`), for example `{1}`"
)]
pub struct BadTargetName(String, String);

impl FromStr for TargetName {
    type Err = BadTargetName;

    fn from_str(name: &str) -> Result<Self, BadTargetName> {
        let mut letters = 0;
        let mut after_letter = false;
        for byte in name.bytes() {
            match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => (letters, after_letter) = (letters + 1, true),
                b'-' if after_letter => after_letter = false,
                _ => return Err(BadTargetName(name.into(), suggest(name))),
            }
        }
        match letters {
            1..=100 => Ok(Self(name.into())),
            _ => Err(BadTargetName(name.into(), suggest(name))),
        }
    }
}

/// The nearest text to `name` that is a target name.
fn suggest(name: &str) -> String {
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let joined = words.join("-");
    if joined.is_empty() { "my-target".into() } else { joined.chars().take(100).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(name: &str, ok: bool) {
        assert_eq!(name.parse::<TargetName>().is_ok(), ok, "{name:?}");
    }

    #[test]
    fn the_pattern_of_agentcore() {
        check("calculator", true);
        check("cloudwatch-insights", true);
        check("a-", true);
        check("9", true);
        check("", false);
        check("-a", false);
        check("a--b", false);
        check("a_b", false);
        check("a b", false);
        check("é", false);
        check(&"a".repeat(100), true);
        check(&"a-".repeat(100), true);
        check(&"a".repeat(101), false);
    }

    #[test]
    fn a_bad_name_comes_with_a_good_one() {
        insta::assert_snapshot!("my_server.v2".parse::<TargetName>().unwrap_err(), @"`my_server.v2` is no target name: use letters and digits with single hyphens between them, at most 100 of each (AgentCore's pattern `([0-9a-zA-Z][-]?){1,100}`), for example `my-server-v2`");
    }

    #[test]
    fn a_path_is_a_target_or_one_of_its_endpoints() {
        for name in ["calculator", "calculator/1", "a-/65535"] {
            assert_eq!(name.parse::<PathName>().unwrap().to_string(), name);
        }
        for name in ["", "a/", "a/0", "a/x", "/1", "a/1/2", "a_b/1"] {
            assert!(name.parse::<PathName>().is_err(), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn the_first_delimiter_ends_the_target_name(target in "([0-9a-zA-Z]-?){1,100}", tool in ".{0,40}") {
            let target: TargetName = target.parse().unwrap();
            let joined = target.join(&tool);
            prop_assert_eq!(joined.split_once(DELIMITER), Some((target.as_str(), tool.as_str())));
        }
    }
}
