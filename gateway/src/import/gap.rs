//! What of a live gateway a config.toml does not do, and what comes of it. Words alone; who finds gaps is `mirror`.

use std::fmt;

/// One thing that is different, for a person to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The target that it concerns; the gateway as a whole where there is none.
    pub target: Option<String>,
    /// What the live gateway has.
    pub what: String,
    /// What is different here because of it, and what to do about it.
    pub consequence: String,
}

impl Gap {
    /// Of the gateway as a whole.
    pub fn of_gateway(what: impl Into<String>, consequence: impl Into<String>) -> Self {
        Self { target: None, what: what.into(), consequence: consequence.into() }
    }

    /// Of one target.
    pub fn of_target(target: &str, what: impl Into<String>, consequence: impl Into<String>) -> Self {
        Self { target: Some(target.into()), ..Self::of_gateway(what, consequence) }
    }

    /// Without the target's name, for where that is plain.
    pub fn reason(&self) -> String {
        format!("{}; {}", self.what, self.consequence)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(target) = &self.target {
            write!(f, "target `{target}`: ")?;
        }
        f.write_str(&self.reason())
    }
}
