//! Who the server is at AWS, where, and through which endpoints, by what the sources say. What the environment says, AWS's
//! own chain reads there; the other sources are asked where the environment is silent.

use causeway_aws::{Aws, Credentials, Identity, endpoint::Endpoints, identity::Settings};
use causeway_oidc::clock::Clock;

use super::sources::{Origin, Sources};
use crate::cloudwatch_insights::aws::AwsSettings;

const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const KEY_SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const KEY_TOKEN: &str = "AWS_SESSION_TOKEN";
const PROFILE: &str = "AWS_PROFILE";
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const IGNORE_ENDPOINTS: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
const LOGS_ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "AWS_ENDPOINT_URL"];

/// Each of these says who the server is; the first three only in the environment.
const IDENTITIES: [&str; 5] = [
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    KEY_ID,
    PROFILE,
];

/// Everything that is read here.
pub(super) const NAMES: [&str; 14] = [
    IDENTITIES[0],
    IDENTITIES[1],
    IDENTITIES[2],
    KEY_ID,
    KEY_SECRET,
    KEY_TOKEN,
    PROFILE,
    REGIONS[0],
    REGIONS[1],
    LOGS_ENDPOINTS[0],
    LOGS_ENDPOINTS[1],
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_SSM",
    IGNORE_ENDPOINTS,
];

/// Settings of AWS that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadAws {
    #[error("{origin} has `{KEY_ID}` without `{KEY_SECRET}`; write both, and `{KEY_TOKEN}` with temporary ones")]
    HalfAKey { origin: Origin },
    #[error("cannot make an HTTP client for AWS")]
    Http(#[from] reqwest::Error),
}

/// For calls of AWS that settings are read with.
pub(super) async fn client(sources: &Sources, clock: &Clock) -> Result<Aws, BadAws> {
    // A signed request is meant for one host.
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let said = NAMES.iter().filter_map(|&name| Some((name, sources.said(name)?.0.to_owned())));
    let said: Vec<_> = said.filter(|(name, _)| name.contains("ENDPOINT")).collect();
    let endpoint = move |name: &str| said.iter().find(|(known, _)| *known == name).map(|(_, text)| text.clone());
    Ok(Aws::new(http, identity(sources, clock).await?, Endpoints::new(endpoint), clock.clone()))
}

/// For the queries.
pub(super) async fn settings(sources: &Sources, clock: &Clock) -> Result<AwsSettings, BadAws> {
    Ok(AwsSettings { identity: identity(sources, clock).await?, endpoint: logs_endpoint(sources) })
}

/// Of the queries, by AWS's rules: the service's own goes before that of every service, and all of them may be ignored. What
/// the environment says of it, the SDK reads itself.
fn logs_endpoint(sources: &Sources) -> Option<String> {
    let is_ignored = sources.said(IGNORE_ENDPOINTS).is_some_and(|(text, _)| text.eq_ignore_ascii_case("true"));
    let (endpoint, origin) = LOGS_ENDPOINTS.iter().find_map(|name| sources.said(name))?;
    (!is_ignored && *origin != Origin::Environment).then(|| endpoint.to_owned())
}

/// From one source whole: a key of one with the secret of another is nobody's.
async fn identity(sources: &Sources, clock: &Clock) -> Result<Identity, BadAws> {
    let mut settings = Settings { region: beside_environment(sources, &REGIONS), ..Settings::default() };
    let Some(source) = sources.first_with(&IDENTITIES).filter(|source| *source.origin != Origin::Environment) else {
        return Ok(Identity::new(settings, clock.clone()));
    };
    let Some(id) = source.said(KEY_ID) else {
        settings.profile = source.said(PROFILE).map(str::to_owned);
        return Ok(Identity::new(settings, clock.clone()));
    };
    let secret = source.said(KEY_SECRET).ok_or_else(|| BadAws::HalfAKey { origin: source.origin.clone() })?;
    let key = Credentials::new(id, secret, source.said(KEY_TOKEN).map(str::to_owned), None, "settings");
    // A key has no region; what a profile or this machine says of it holds all the same.
    let region = Identity::new(settings, clock.clone()).region().await.ok();
    Ok(Identity::from_provider(key, region, clock.clone()))
}

/// What is said of the first of `names` that anything is said of, unless the environment says anything of one of them.
fn beside_environment(sources: &Sources, names: &[&str]) -> Option<String> {
    let source = sources.first_with(names).filter(|source| *source.origin != Origin::Environment)?;
    names.iter().find_map(|name| source.said(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "AWS_ACCESS_KEY_ID=AKIAFILE\nAWS_SECRET_ACCESS_KEY=hidden\nAWS_DEFAULT_REGION=eu-west-1\n";

    #[tokio::test]
    async fn a_key_of_the_file_is_used_with_its_own_secret() {
        let sources = Sources::of(&[("AWS_SECRET_ACCESS_KEY", "of nobody")], FILE);
        let settings = settings(&sources, &Clock::system()).await.unwrap();
        let key = settings.identity.credentials().await.unwrap().value;
        assert_eq!((key.access_key_id(), key.secret_access_key()), ("AKIAFILE", "hidden"));
        assert_eq!(settings.identity.region().await.unwrap(), "eu-west-1");
        assert!(!format!("{settings:?}").contains("hidden"));
    }

    #[tokio::test]
    async fn half_a_key_is_a_mistake() {
        let sources = Sources::of(&[], "AWS_ACCESS_KEY_ID=AKIA");
        let error = settings(&sources, &Clock::system()).await.unwrap_err();
        insta::assert_snapshot!(error, @"`.env` has `AWS_ACCESS_KEY_ID` without `AWS_SECRET_ACCESS_KEY`; write both, and `AWS_SESSION_TOKEN` with temporary ones");
    }

    #[tokio::test]
    async fn what_the_environment_says_is_left_to_the_chain() {
        let clock = Clock::system();
        for said in ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
            let sources = Sources::of(&[(said, "x"), ("AWS_REGION", "us-east-1")], FILE);
            assert_eq!(beside_environment(&sources, &REGIONS), None);
            let by_chain = format!("{:?}", Identity::new(Settings::default(), clock.clone()));
            assert_eq!(format!("{:?}", identity(&sources, &clock).await.unwrap()), by_chain, "{said}");
        }
    }

    #[tokio::test]
    async fn an_endpoint_of_the_file_is_for_every_service() {
        let sources = Sources::of(&[], "AWS_ENDPOINT_URL=http://localhost:1\nAWS_PROFILE=dev");
        let clock = Clock::system();
        assert_eq!(settings(&sources, &clock).await.unwrap().endpoint.as_deref(), Some("http://localhost:1"));
        let client = client(&sources, &clock).await.unwrap();
        let secrets = client.endpoints().of(&causeway_aws::endpoint::Service::SECRETS_MANAGER, "eu-west-1");
        assert_eq!(secrets.unwrap().as_str(), "http://localhost:1/");
        let own_one = Sources::of(&[("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://localhost:2")], "AWS_ENDPOINT_URL=x");
        assert_eq!(settings(&own_one, &clock).await.unwrap().endpoint, None);
    }

    /// As with every AWS program, and as for what settings are read with.
    #[test]
    fn an_endpoint_of_logs_goes_before_one_for_all_and_all_may_be_ignored() {
        let file = "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=http://localhost:2\nAWS_ENDPOINT_URL=http://localhost:1";
        let found = |environment| logs_endpoint(&Sources::of(environment, file));
        assert_eq!(found(&[]).as_deref(), Some("http://localhost:2"));
        assert_eq!(found(&[("AWS_ENDPOINT_URL", "http://localhost:3")]).as_deref(), Some("http://localhost:2"));
        assert_eq!(found(&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True")]), None);
    }
}
