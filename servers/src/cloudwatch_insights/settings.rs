//! What the server `cloudwatch-insights` runs on, and the one place that reads it.
//!
//! There are two sources, and this is their order: what the first says, the second does not change. An empty text says
//! nothing.
//!
//! 1. the environment
//! 2. the file `.env` in the working directory, if there is one
//!
//! What the AWS SDK finds by itself (profiles, roles) is not repeated.

mod content;
mod sources;

use std::time::Duration;

use aws_credential_types::Credentials;

use self::sources::{BadSource, Origin, Sources};
use super::{
    allow_list::{AllowList, BadPattern},
    aws::{AwsSettings, Identity},
    time_range::duration,
};

const ALLOWED_LOG_GROUPS: &str = "ALLOWED_LOG_GROUPS";
const QUERY_TIMEOUT: &str = "QUERY_TIMEOUT";

const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const KEY_SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const KEY_TOKEN: &str = "AWS_SESSION_TOKEN";
const PROFILE: &str = "AWS_PROFILE";
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "AWS_ENDPOINT_URL"];

/// Each of these says who the server is; the first three only in the environment.
const IDENTITIES: [&str; 5] = [
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    KEY_ID,
    PROFILE,
];

/// Settings with their defaults filled in.
#[derive(Debug)]
pub(super) struct Settings {
    /// `ALLOWED_LOG_GROUPS`: names and `prefix*`, comma separated. Empty by default: nothing may be read.
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
    #[error("{origin} has `{KEY_ID}` without `{KEY_SECRET}`; write both, and `{KEY_TOKEN}` with temporary ones")]
    HalfAKey { origin: Origin },
}

impl Settings {
    /// Reads every source that is there.
    pub(super) async fn load() -> Result<(Self, AwsSettings), SettingsError> {
        let names: Vec<_> =
            [&[ALLOWED_LOG_GROUPS, QUERY_TIMEOUT, KEY_SECRET, KEY_TOKEN][..], &REGIONS, &ENDPOINTS, &IDENTITIES]
                .concat();
        #[expect(clippy::disallowed_methods, reason = "the home of this server's environment")]
        let sources = Sources::at_hand(&names, |name| std::env::var(name).ok())?;
        let settings = (Self::of(&sources)?, aws(&sources)?);
        tracing::info!("settings from {sources}");
        Ok(settings)
    }

    fn of(sources: &Sources) -> Result<Self, SettingsError> {
        let allowed = match sources.said(ALLOWED_LOG_GROUPS) {
            Some((text, origin)) => AllowList::parse(text)
                .map_err(|source| SettingsError::AllowedLogGroups { origin: origin.clone(), source })?,
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

/// What the sources after the environment say of AWS, where the environment does not. The environment the SDK reads by
/// itself.
fn aws(sources: &Sources) -> Result<AwsSettings, SettingsError> {
    let beside_environment = |names: &[&str]| {
        let source = sources.first_with(names).filter(|source| *source.origin != Origin::Environment)?;
        names.iter().find_map(|name| source.said(name)).map(str::to_owned)
    };
    Ok(AwsSettings {
        region: beside_environment(&REGIONS),
        endpoint: beside_environment(&ENDPOINTS),
        identity: identity(sources)?,
    })
}

/// From one source whole: a key of one with the secret of another is nobody's.
fn identity(sources: &Sources) -> Result<Identity, SettingsError> {
    let Some(source) = sources.first_with(&IDENTITIES).filter(|source| *source.origin != Origin::Environment) else {
        return Ok(Identity::Chain);
    };
    let Some(id) = source.said(KEY_ID) else {
        return Ok(source.said(PROFILE).map_or(Identity::Chain, |name| Identity::Profile(name.to_owned())));
    };
    let secret = source.said(KEY_SECRET).ok_or_else(|| SettingsError::HalfAKey { origin: source.origin.clone() })?;
    let token = source.said(KEY_TOKEN).map(str::to_owned);
    Ok(Identity::Key(Credentials::new(id, secret, token, None, "settings")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(environment: &[(&str, &str)], file: &str) -> Sources {
        let names: Vec<_> = environment.iter().map(|(name, _)| *name).collect();
        let variable =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let mut sources = Sources::at_hand(&names, variable).unwrap();
        sources.add(Origin::File, file).unwrap();
        sources
    }

    fn settings(environment: &[(&str, &str)], file: &str) -> Result<Settings, String> {
        Settings::of(&sources(environment, file)).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    }

    #[test]
    fn defaults() {
        let settings = settings(&[("QUERY_TIMEOUT", "")], "").unwrap();
        assert_eq!(settings.query_timeout, Duration::from_secs(60));
        assert!(settings.allowed.choose(None).is_err());
    }

    #[test]
    fn an_earlier_source_wins_and_a_later_one_fills_in() {
        let settings = settings(
            &[("QUERY_TIMEOUT", "5s"), ("ALLOWED_LOG_GROUPS", " ")],
            "QUERY_TIMEOUT=9s\nALLOWED_LOG_GROUPS=/of/the/file",
        );
        let settings = settings.unwrap();
        assert_eq!(settings.query_timeout, Duration::from_secs(5));
        assert_eq!(settings.allowed.choose(None).unwrap(), ["/of/the/file"]);
    }

    #[test]
    fn mistakes_name_the_source() {
        let error = settings(&[("ALLOWED_LOG_GROUPS", "/a,/b c")], "").unwrap_err();
        insta::assert_snapshot!(error, @"`ALLOWED_LOG_GROUPS` in the environment is no list of log groups: `/b c` is no log group; write names (letters, digits and `.-_/#`) or `prefix*`, separated by commas");
        let error = settings(&[], "QUERY_TIMEOUT=soon").unwrap_err();
        insta::assert_snapshot!(error, @"`QUERY_TIMEOUT` in `.env` is `soon`; write a duration such as `60s`, `500ms` or `5m`");
        let error = identity(&sources(&[], "AWS_ACCESS_KEY_ID=AKIA")).unwrap_err();
        insta::assert_snapshot!(error, @"`.env` has `AWS_ACCESS_KEY_ID` without `AWS_SECRET_ACCESS_KEY`; write both, and `AWS_SESSION_TOKEN` with temporary ones");
    }

    #[test]
    fn who_the_server_is_comes_from_one_source() {
        let file = "AWS_ACCESS_KEY_ID=AKIAFILE\nAWS_SECRET_ACCESS_KEY=hidden\nAWS_DEFAULT_REGION=eu-west-1\n";
        let of_file = aws(&sources(&[("AWS_SECRET_ACCESS_KEY", "of nobody")], file)).unwrap();
        assert!(matches!(&of_file.identity, Identity::Key(key) if key.access_key_id() == "AKIAFILE"));
        assert_eq!(of_file.region.as_deref(), Some("eu-west-1"));
        assert!(!format!("{of_file:?}").contains("hidden"));
        for said in ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
            let of_environment = aws(&sources(&[(said, "x"), ("AWS_REGION", "us-east-1")], file)).unwrap();
            assert!(matches!(of_environment.identity, Identity::Chain), "{said}");
            assert_eq!(of_environment.region, None);
        }
        let profile = aws(&sources(&[], "AWS_PROFILE=dev\nAWS_ENDPOINT_URL=http://localhost:1")).unwrap();
        assert!(matches!(&profile.identity, Identity::Profile(name) if name == "dev"));
        assert_eq!(profile.endpoint.as_deref(), Some("http://localhost:1"));
    }
}
