//! What the server `cloudwatch-insights` runs on. The one place that reads it: another source (a file, a secret, a
//! parameter) is one more lookup here. What the AWS SDK itself reads is not repeated.

use std::time::Duration;

use super::{
    allow_list::{AllowList, BadPattern},
    time_range::duration,
};

const ALLOWED_LOG_GROUPS: &str = "ALLOWED_LOG_GROUPS";
const QUERY_TIMEOUT: &str = "QUERY_TIMEOUT";

/// Settings with their defaults filled in.
#[derive(Debug)]
pub(super) struct Settings {
    /// `ALLOWED_LOG_GROUPS`: names and `prefix*`, comma separated. Empty by default: nothing may be read.
    pub(super) allowed: AllowList,
    /// `QUERY_TIMEOUT`: how long one query may run before it is stopped; `60s` by default.
    pub(super) query_timeout: Duration,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("`{ALLOWED_LOG_GROUPS}` is no list of log groups")]
    AllowedLogGroups(#[from] BadPattern),
    #[error("`{QUERY_TIMEOUT}` is `{0}`; write a duration such as `60s`, `500ms` or `5m`")]
    QueryTimeout(String),
}

impl Settings {
    pub(super) fn from_env() -> Result<Self, SettingsError> {
        #[expect(clippy::disallowed_methods, reason = "the home of this server's environment")]
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let timeout = lookup(QUERY_TIMEOUT).filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "60s".into());
        let query_timeout = duration(&timeout).filter(|timeout| !timeout.is_zero());
        Ok(Self {
            allowed: AllowList::parse(&lookup(ALLOWED_LOG_GROUPS).unwrap_or_default())?,
            query_timeout: query_timeout.ok_or(SettingsError::QueryTimeout(timeout))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let lookup = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::from_lookup(lookup).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    }

    #[test]
    fn defaults() {
        let settings = settings(&[("QUERY_TIMEOUT", "")]).unwrap();
        assert_eq!(settings.query_timeout, Duration::from_secs(60));
        assert!(settings.allowed.choose(None).is_err());
    }

    #[test]
    fn mistakes_name_the_variable() {
        let error = settings(&[("ALLOWED_LOG_GROUPS", "/a,/b c")]).unwrap_err();
        insta::assert_snapshot!(error, @"`ALLOWED_LOG_GROUPS` is no list of log groups: `/b c` is no log group; write names (letters, digits and `.-_/#`) or `prefix*`, separated by commas");
        let error = settings(&[("QUERY_TIMEOUT", "soon")]).unwrap_err();
        insta::assert_snapshot!(error, @"`QUERY_TIMEOUT` is `soon`; write a duration such as `60s`, `500ms` or `5m`");
    }
}
