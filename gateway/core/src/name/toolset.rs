//! Names of toolsets: the last part of their endpoints' paths.

use std::{fmt, str::FromStr};

use super::TargetName;

/// The name of a toolset, which is written as that of a target is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ToolsetName(TargetName);

/// Why a text is no name of a toolset.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no name of a toolset: use letters and digits with single hyphens between them, as it is the last part of its URL, for \
     example `{1}`"
)]
pub struct BadToolsetName(String, String);

impl ToolsetName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for ToolsetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ToolsetName {
    type Err = BadToolsetName;

    fn from_str(name: &str) -> Result<Self, BadToolsetName> {
        name.parse().map(Self).map_err(|super::BadTargetName(name, nearest)| BadToolsetName(name, nearest))
    }
}
