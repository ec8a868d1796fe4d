//! Which source of logs the settings choose. Opens a directory, but asks nothing of CloudWatch.

use std::path::{Path, PathBuf};

use causeway_oidc::clock::Clock;

use super::{
    ALLOWED_LOG_GROUPS, SettingsError, aws,
    sources::{Origin, Sources},
};
use crate::cloudwatch_insights::{
    aws::Aws,
    directory::{Directory, DirectoryError},
    source::Source,
};

/// `LOG_SOURCE`: `aws` (the default), `directory` or `samples`.
const SOURCE: &str = "LOG_SOURCE";

/// `LOG_DIRECTORY`: the folder of log groups, where the source is a directory.
const DIRECTORY: &str = "LOG_DIRECTORY";

/// `DEFAULT_LOG_SOURCE`: what `LOG_SOURCE` is where nothing says that nor which log groups may be read. `causeway dev`
/// sets it, so that a machine without AWS has logs, and one with AWS settings its own.
const DEFAULT_SOURCE: &str = "DEFAULT_LOG_SOURCE";

/// Everything that is read here.
pub(super) const LOGS_NAMES: [&str; 3] = [SOURCE, DIRECTORY, DEFAULT_SOURCE];

/// A source of logs, not yet opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Aws,
    Directory(PathBuf),
    Samples,
}

/// A choice that cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadLogs {
    #[error("`{name}` in {origin} is `{text}`; write `aws`, `directory` or `samples`")]
    Unknown { name: &'static str, origin: Origin, text: String },
    #[error("`{SOURCE}` in {origin} is `directory`, and `{DIRECTORY}` is not set; set it to the folder of log groups")]
    NoDirectory { origin: Origin },
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// What the settings choose.
pub(super) fn choice(sources: &Sources) -> Result<Choice, BadLogs> {
    let default = sources.said(DEFAULT_SOURCE).filter(|_| sources.said(ALLOWED_LOG_GROUPS).is_none());
    let chosen = sources.said(SOURCE).map(|said| (SOURCE, said));
    let Some((name, (text, origin))) = chosen.or(default.map(|said| (DEFAULT_SOURCE, said))) else {
        return Ok(Choice::Aws);
    };
    match text {
        "aws" => Ok(Choice::Aws),
        "samples" => Ok(Choice::Samples),
        "directory" => match sources.said(DIRECTORY) {
            Some((path, _)) => Ok(Choice::Directory(path.into())),
            None => Err(BadLogs::NoDirectory { origin: origin.clone() }),
        },
        _ => Err(BadLogs::Unknown { name, origin: origin.clone(), text: text.to_owned() }),
    }
}

/// The source that the settings choose. Missing settings of AWS are no error.
pub(super) async fn source(sources: &Sources, clock: &Clock) -> Result<Source, SettingsError> {
    let open = |path: &Path| Directory::open(path, clock.clone()).map_err(BadLogs::from);
    Ok(match choice(sources)? {
        Choice::Aws => Source::Aws(Aws::new(aws::settings(sources, clock).await?)),
        Choice::Directory(path) => Source::Directory(open(&path)?),
        Choice::Samples => Source::Directory(Directory::samples(clock.clone())),
    })
}

impl Choice {
    pub(super) fn is_local(&self) -> bool {
        !matches!(self, Self::Aws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(environment: &[(&str, &str)], file: &str) -> Result<Choice, String> {
        choice(&Sources::of(environment, file)).map_err(|error| error.to_string())
    }

    #[test]
    fn choices() {
        let check = |environment, file, expected| assert_eq!(chosen(environment, file), Ok(expected));
        check(&[], "", Choice::Aws);
        check(&[("LOG_SOURCE", "directory")], "LOG_DIRECTORY=/logs", Choice::Directory("/logs".into()));
        let dev = [("DEFAULT_LOG_SOURCE", "samples")];
        check(&dev, "", Choice::Samples);
        check(&dev, "ALLOWED_LOG_GROUPS=/a", Choice::Aws);
        check(&dev, "LOG_SOURCE=aws", Choice::Aws);
        check(
            &dev,
            "LOG_SOURCE=directory\nLOG_DIRECTORY=/logs\nALLOWED_LOG_GROUPS=/a",
            Choice::Directory("/logs".into()),
        );
    }

    #[test]
    fn mistakes() {
        insta::assert_snapshot!(chosen(&[("LOG_SOURCE", "files")], "").unwrap_err(), @"`LOG_SOURCE` in the environment is `files`; write `aws`, `directory` or `samples`");
        insta::assert_snapshot!(chosen(&[], "LOG_SOURCE=directory").unwrap_err(), @"`LOG_SOURCE` in `.env` is `directory`, and `LOG_DIRECTORY` is not set; set it to the folder of log groups");
    }
}
