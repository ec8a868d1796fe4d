//! The sources of settings in their order: what an earlier one says, a later one does not change. Reads none but the
//! environment and the file.

use std::{fmt, fs, io};

use super::{
    content::{self, BadContent, Values},
    stored::Unread,
};

/// The file that is read from the working directory.
const FILE: &str = ".env";

/// What the sources say, the first source first.
#[derive(Default)]
pub(super) struct Sources(Vec<(Origin, Values)>);

/// A source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Environment,
    File,
    /// Of Secrets Manager, by its ARN or name.
    Secret(String),
    /// Of Parameter Store, by its ARN or name.
    Parameter(String),
}

/// A source that is there and cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadSource {
    #[error("cannot read `{FILE}` in the working directory; correct its permissions, or start the server elsewhere")]
    File(#[source] io::Error),
    #[error(transparent)]
    Stored(#[from] Unread),
    #[error("{origin} holds no settings: {content}; write a JSON object or lines `NAME=value`")]
    Content { origin: Origin, content: BadContent },
}

impl Sources {
    /// The environment, of which `variable` tells those that `names` names, and the file, if there is one.
    pub(super) fn at_hand(names: &[&str], variable: impl Fn(&str) -> Option<String>) -> Result<Self, BadSource> {
        let set = names.iter().filter_map(|&name| Some((name.to_owned(), variable(name)?)));
        let mut sources = Self(vec![(Origin::Environment, set.collect())]);
        match fs::read_to_string(FILE) {
            Ok(text) => sources.add(Origin::File, &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(BadSource::File(error)),
        }
        Ok(sources)
    }

    /// An environment and the text of a file.
    #[cfg(test)]
    pub(super) fn of(environment: &[(&str, &str)], file: &str) -> Self {
        let owned = environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let mut sources = Self(vec![(Origin::Environment, owned.collect())]);
        sources.add(Origin::File, file).unwrap();
        sources
    }

    /// One more source, after those that are there.
    pub(super) fn add(&mut self, origin: Origin, text: &str) -> Result<(), BadSource> {
        let values = content::parse(text).map_err(|content| BadSource::Content { origin: origin.clone(), content })?;
        self.0.push((origin, values));
        Ok(())
    }

    /// What the first source says that says anything of `name`, and which one that is. An empty text says nothing.
    pub(super) fn said(&self, name: &str) -> Option<(&str, &Origin)> {
        self.0.iter().find_map(|(origin, values)| Some((said(values, name)?, origin)))
    }

    /// The first source that says anything of one of `names`: what belongs together is taken from one place.
    pub(super) fn first_with(&self, names: &[&str]) -> Option<Source<'_>> {
        let (origin, values) =
            self.0.iter().find(|(_, values)| names.iter().any(|name| said(values, name).is_some()))?;
        Some(Source { origin, values })
    }
}

/// One of the sources.
pub(super) struct Source<'a> {
    pub(super) origin: &'a Origin,
    values: &'a Values,
}

impl Source<'_> {
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        said(self.values, name)
    }
}

fn said<'a>(values: &'a Values, name: &str) -> Option<&'a str> {
    values.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// Values may be secrets, so only the sources are shown.
impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins: Vec<_> = self.0.iter().map(|(origin, _)| origin.to_string()).collect();
        f.write_str(&origins.join(", "))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("the environment"),
            Self::File => write!(f, "`{FILE}`"),
            Self::Secret(name) => write!(f, "the secret `{name}`"),
            Self::Parameter(name) => write!(f, "the parameter `{name}`"),
        }
    }
}
