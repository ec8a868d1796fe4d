//! What the server `cloudwatch-insights` runs on, and the one place that reads it.
//!
//! There are four sources, and this is their order: what an earlier one says, a later one does not change. An empty text
//! says nothing.
//!
//! 1. the environment
//! 2. the file `.env` in the working directory, if there is one
//! 3. the secret of Secrets Manager that `RUNTIME_CONFIG_SECRET_ID` names
//! 4. the parameter of Parameter Store that `RUNTIME_CONFIG_SSM_PARAMETER_NAME` names
//!
//! The last two are named by the first two, and read with the AWS identity, region and endpoint that those give. A source
//! that is named and cannot be read ends the start. What the AWS SDK finds by itself (profiles, roles) is not repeated.

mod aws;
mod content;
mod logs;
mod sources;
mod stored;

use std::time::Duration;

use causeway_oidc::clock::Clock;

pub(crate) use self::{aws::BadAws, logs::BadLogs};
use self::{
    logs::LOGS_NAMES,
    sources::{BadSource, Origin, Sources},
    stored::{Kept, PARAMETER_NAME, SECRET_ID},
};
use super::{
    allow_list::{AllowList, BadPattern},
    source::Source,
    time_range::duration,
};

const ALLOWED_LOG_GROUPS: &str = "ALLOWED_LOG_GROUPS";
const QUERY_TIMEOUT: &str = "QUERY_TIMEOUT";

/// Settings with their defaults filled in.
#[derive(Debug)]
pub(super) struct Settings {
    /// `ALLOWED_LOG_GROUPS`: names and `prefix*`, comma separated. By default nothing may be read of CloudWatch, and
    /// everything of a directory.
    pub(super) allowed: AllowList,
    /// `QUERY_TIMEOUT`: how long one call may take before its query is stopped; `60s` by default.
    pub(super) query_timeout: Duration,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error(transparent)]
    Source(#[from] BadSource),
    #[error("`{ALLOWED_LOG_GROUPS}` in {origin} is no list of log groups")]
    AllowedLogGroups { origin: Origin, source: BadPattern },
    #[error("`{QUERY_TIMEOUT}` in {origin} is `{text}`; write a duration such as `60s`, `500ms` or `5m`")]
    QueryTimeout { origin: Origin, text: String },
    #[error(transparent)]
    Aws(#[from] BadAws),
    #[error(transparent)]
    Logs(#[from] BadLogs),
}

impl Settings {
    /// Reads every source of settings that is there, and finds the source of logs that they choose.
    pub(super) async fn load(clock: &Clock) -> Result<(Self, Source), SettingsError> {
        let own = [ALLOWED_LOG_GROUPS, QUERY_TIMEOUT, SECRET_ID, PARAMETER_NAME];
        let names = [&own[..], &LOGS_NAMES, &aws::NAMES].concat();
        #[expect(clippy::disallowed_methods, reason = "the home of this server's environment")]
        let mut sources = Sources::at_hand(&names, |name| std::env::var(name).ok())?;
        let stored = stored(&sources);
        if !stored.is_empty() {
            // Made once, before they are read: what one of them says is not how the other is read.
            let aws = aws::client(&sources, clock).await?;
            for (kept, id) in stored {
                let text = kept.read(&id, &aws).await.map_err(BadSource::from)?;
                sources.add(kept.origin(&id), text.expose())?;
            }
        }
        let (settings, logs) = (Self::of(&sources)?, logs::source(&sources, clock).await?);
        tracing::info!("settings from {sources}");
        Ok((settings, logs))
    }

    fn of(sources: &Sources) -> Result<Self, SettingsError> {
        let allowed = match sources.said(ALLOWED_LOG_GROUPS) {
            Some((text, origin)) => AllowList::parse(text)
                .map_err(|source| SettingsError::AllowedLogGroups { origin: origin.clone(), source })?,
            None if logs::choice(sources)?.is_local() => AllowList::everything(),
            None => AllowList::default(),
        };
        let query_timeout = match sources.said(QUERY_TIMEOUT) {
            Some((text, origin)) => duration(text)
                .filter(|timeout| !timeout.is_zero())
                .ok_or_else(|| SettingsError::QueryTimeout { origin: origin.clone(), text: text.to_owned() })?,
            None => Duration::from_secs(60),
        };
        Ok(Self { allowed, query_timeout })
    }
}

/// What the sources at hand name. One that is kept names no other.
fn stored(sources: &Sources) -> Vec<(Kept, String)> {
    let named = |kept: Kept| sources.said(kept.variable()).map(|(id, _)| (kept, id.to_owned()));
    Kept::ALL.into_iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(environment: &[(&str, &str)], file: &str) -> Result<Settings, String> {
        Settings::of(&Sources::of(environment, file)).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    }

    #[test]
    fn defaults() {
        let settings = settings(&[("QUERY_TIMEOUT", "")], "").unwrap();
        assert_eq!(settings.query_timeout, Duration::from_secs(60));
        assert!(settings.allowed.choose(None, 50).is_err());
    }

    #[test]
    fn of_a_directory_everything_may_be_read_unless_a_list_says_what() {
        let allows = |environment: &[(&str, &str)], group: &str| {
            let settings = settings(environment, "").unwrap();
            settings.allowed.choose_one(group.to_owned()).is_ok()
        };
        assert!(allows(&[("LOG_SOURCE", "directory"), ("LOG_DIRECTORY", "/logs")], "/a"));
        assert!(allows(&[("LOG_SOURCE", "samples")], "/a"));
        assert!(!allows(&[("LOG_SOURCE", "samples"), ("ALLOWED_LOG_GROUPS", "/b")], "/a"));
        assert!(!allows(&[("LOG_SOURCE", "aws")], "/a"));
    }

    #[test]
    fn an_earlier_source_wins_and_a_later_one_fills_in() {
        let settings = settings(
            &[("QUERY_TIMEOUT", "5s"), ("ALLOWED_LOG_GROUPS", " ")],
            "QUERY_TIMEOUT=9s\nALLOWED_LOG_GROUPS=/of/the/file",
        );
        let settings = settings.unwrap();
        assert_eq!(settings.query_timeout, Duration::from_secs(5));
        assert_eq!(settings.allowed.choose(None, 50).unwrap(), ["/of/the/file"]);
    }

    #[test]
    fn mistakes_name_the_source() {
        let error = settings(&[("ALLOWED_LOG_GROUPS", "/a,/b c")], "").unwrap_err();
        insta::assert_snapshot!(error, @"`ALLOWED_LOG_GROUPS` in the environment is no list of log groups: `/b c` is no log group; write names (letters, digits and `.-_/#`) or `prefix*`, separated by commas");
        let error = settings(&[], "QUERY_TIMEOUT=soon").unwrap_err();
        insta::assert_snapshot!(error, @"`QUERY_TIMEOUT` in `.env` is `soon`; write a duration such as `60s`, `500ms` or `5m`");
    }
}
