//! What is wrong with a config.toml: all of it, each with its line, whom it concerns and what to write instead. Never
//! holds a value that could be a secret.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from 1; absent where the file as a whole is meant.
    pub line: Option<usize>,
    pub subject: Option<Subject>,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// What a mistake concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Target(Label),
    Toolset(Label),
}

/// What a target or a toolset is called in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// As the file has it, good or not.
    Name(String),
    /// Its place among the others, from 1, where it has no name.
    Number(usize),
}

/// Every mistake of one file, in the order of its lines. Its `Display` has one line for each and a last one with the count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Never empty.
    pub mistakes: Vec<Mistake>,
}

impl Mistakes {
    /// The file as a whole cannot be used.
    pub(crate) fn of_file(path: &Path, message: String) -> Self {
        Self { path: path.into(), mistakes: vec![Mistake { line: None, subject: None, message }] }
    }

    /// Sorts by line; what concerns the whole file comes last.
    pub(super) fn sorted(path: &Path, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| mistake.line.unwrap_or(usize::MAX));
        Self { path: path.into(), mistakes }
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.mistakes {
            write!(f, "{}:", self.path.display())?;
            if let Some(line) = mistake.line {
                write!(f, "{line}:")?;
            }
            writeln!(f, " {mistake}")?;
        }
        match self.mistakes.len() {
            1 => f.write_str("1 mistake"),
            count => write!(f, "{count} mistakes"),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(subject) = &self.subject {
            write!(f, "{subject}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(label) => write!(f, "target {label}"),
            Self::Toolset(label) => write!(f, "toolset {label}"),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Number(number) => write!(f, "number {number}"),
        }
    }
}
