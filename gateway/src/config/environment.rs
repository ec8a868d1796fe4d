//! Where the references of config.toml lead: variables of the process and files that hold one secret. The only place that
//! reads either; tests and `causeway dev` put their own values over it.

use std::{collections::BTreeMap, fmt, io::Read, path::Path, sync::Arc};

use crate::secret::Secret;

/// A secret file is read up to this many bytes; a longer one is not a secret.
const FILE_BYTES: u64 = 64 * 1024;
/// In place of what is not here: as long as a key must be.
const ELSEWHERE: &str = "the-value-of-this-is-on-another-machine";

/// Something that config.toml refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A variable of the gateway's environment, by name.
    Variable(&'a str),
    /// A file that holds the value alone; line ends after it are not a part of it.
    File(&'a Path),
}

/// A lookup of [`Reference`]s.
#[derive(Clone)]
pub struct Environment {
    lookup: Arc<Lookup>,
    /// What a file refers to is where the file will be served, not here.
    elsewhere: bool,
}

type Lookup = dyn Fn(Reference<'_>) -> Result<Secret, Unavailable> + Send + Sync;

/// Why a reference leads to nothing. Never holds the value.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    #[error("is not set")]
    Unset,
    #[error("is not UTF-8 text")]
    NotText,
    #[error("is empty")]
    Empty,
    #[error("holds more than {FILE_BYTES} bytes")]
    TooLong,
    #[error("cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
}

impl Environment {
    /// The environment of this process, and files as they are on disk.
    pub fn process() -> Self {
        Self::new(|reference| match reference {
            Reference::Variable(name) => process_variable(name),
            Reference::File(path) => read(path),
        })
    }

    /// That of another machine, of which nothing is known: whatever a file refers to is there, and nothing else is set.
    pub fn elsewhere() -> Self {
        Self { elsewhere: true, ..Self::new(|_| Err(Unavailable::Unset)) }
    }

    fn new(lookup: impl Fn(Reference<'_>) -> Result<Secret, Unavailable> + Send + Sync + 'static) -> Self {
        Self { lookup: Arc::new(lookup), elsewhere: false }
    }

    /// These variables and no others; files as they are on disk.
    pub fn of<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables: BTreeMap<String, Secret> =
            variables.into_iter().map(|(name, value)| (name.into(), Secret::new(value))).collect();
        Self::new(move |reference| match reference {
            Reference::Variable(name) => variables.get(name).cloned().ok_or(Unavailable::Unset),
            Reference::File(path) => read(path),
        })
    }

    /// Asks `first`, and what was there before only for what `first` does not know.
    #[must_use]
    pub fn overlay(self, first: impl Fn(Reference<'_>) -> Option<Secret> + Send + Sync + 'static) -> Self {
        let elsewhere = self.elsewhere;
        let lookup = move |reference: Reference<'_>| match first(reference) {
            Some(value) => Ok(value),
            None => self.look_up(reference),
        };
        Self { elsewhere, ..Self::new(lookup) }
    }

    /// The value that `reference` leads to, never empty.
    ///
    /// # Errors
    /// [`Unavailable`] says why there is none.
    pub fn look_up(&self, reference: Reference<'_>) -> Result<Secret, Unavailable> {
        match (self.lookup)(reference)? {
            value if value.expose().is_empty() => Err(Unavailable::Empty),
            value => Ok(value),
        }
    }

    /// Whether what a file refers to is on another machine, so that nothing can be said of it.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// The value that a file refers to by `reference`; elsewhere a text that would do for any.
    ///
    /// # Errors
    /// As [`Self::look_up`].
    pub(super) fn referred(&self, reference: Reference<'_>) -> Result<Secret, Unavailable> {
        match self.elsewhere {
            true => Ok(Secret::new(ELSEWHERE)),
            false => self.look_up(reference),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

#[expect(clippy::disallowed_methods, reason = "the one home of the process's environment")]
fn process_variable(name: &str) -> Result<Secret, Unavailable> {
    match std::env::var(name) {
        Ok(value) => Ok(Secret::new(value)),
        Err(std::env::VarError::NotPresent) => Err(Unavailable::Unset),
        Err(std::env::VarError::NotUnicode(_)) => Err(Unavailable::NotText),
    }
}

/// Reads one secret. Editors and secret mounts end a file with a line end that nobody means.
fn read(path: &Path) -> Result<Secret, Unavailable> {
    let file = std::fs::File::open(path).map_err(Unavailable::Unreadable)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(Unavailable::Unreadable)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(Unavailable::TooLong);
    }
    let text = String::from_utf8(bytes).map_err(|_| Unavailable::NotText)?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(environment: &Environment, reference: Reference<'_>) -> Result<String, String> {
        environment.look_up(reference).map(|it| it.expose().into()).map_err(|why| why.to_string())
    }

    #[test]
    fn variables_are_looked_up_by_name() {
        let environment = Environment::of([("A", "a"), ("EMPTY", "")]);
        assert_eq!(value(&environment, Reference::Variable("A")), Ok("a".into()));
        assert_eq!(value(&environment, Reference::Variable("B")), Err("is not set".into()));
        assert_eq!(value(&environment, Reference::Variable("EMPTY")), Err("is empty".into()));
    }

    #[test]
    fn the_process_environment_is_read() {
        assert!(value(&Environment::process(), Reference::Variable("PATH")).is_ok());
        assert_eq!(value(&Environment::process(), Reference::Variable("A=B")), Err("is not set".into()));
    }

    #[test]
    fn a_file_ends_before_its_line_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let environment = Environment::of::<&str, &str>([]);
        std::fs::write(&path, " s3cret \r\n").unwrap();
        assert_eq!(value(&environment, Reference::File(&path)), Ok(" s3cret ".into()));
        std::fs::write(&path, "\n").unwrap();
        assert_eq!(value(&environment, Reference::File(&path)), Err("is empty".into()));
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(value(&environment, Reference::File(&path)), Err("is not UTF-8 text".into()));
        std::fs::write(&path, vec![b'a'; 65 * 1024]).unwrap();
        assert_eq!(value(&environment, Reference::File(&path)), Err("holds more than 65536 bytes".into()));
    }

    #[test]
    fn an_overlay_is_asked_first() {
        let environment = Environment::of([("A", "under"), ("B", "under")])
            .overlay(|reference| (reference == Reference::Variable("A")).then(|| Secret::new("over")));
        assert_eq!(value(&environment, Reference::Variable("A")), Ok("over".into()));
        assert_eq!(value(&environment, Reference::Variable("B")), Ok("under".into()));
    }

    #[test]
    fn elsewhere_is_what_a_file_refers_to_and_nothing_else() {
        let environment = Environment::elsewhere();
        assert!(environment.referred(Reference::Variable("A")).unwrap().expose().len() >= 32);
        assert_eq!(value(&environment, Reference::Variable("HTTPS_PROXY")), Err("is not set".into()));
        assert!(Environment::of([("A", "a")]).referred(Reference::Variable("B")).is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", Environment::of([("A", "hunter2")])), "Environment");
    }
}
