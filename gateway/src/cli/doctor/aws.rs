//! Who the gateway is at AWS, and whether AWS gives it the secrets that the configuration names. Shows no secret.

use std::time::Duration;

use causeway_aws::{
    Identity,
    caller_identity::{self, LONGEST, Token, Unknown, present},
    endpoint::Service,
    identity::Settings,
    secret::Reference,
};

use super::{Bench, Finding};
use crate::{
    cli::screen::duration,
    config::{Authorizer, Config, Credential, SecretSource},
};

/// A token for this question alone; no gateway takes it.
const AUDIENCE: &str = "causeway-doctor";
const SKEW: Duration = Duration::from_secs(300);
/// Credentials that end sooner, and that nobody renews, are worth a word.
const SOON: Duration = Duration::from_secs(15 * 60);

/// A secret that AWS keeps, and what for.
#[derive(Clone, Debug)]
pub(super) struct Kept<'a> {
    pub(super) place: String,
    pub(super) reference: &'a Reference,
    pub(super) json_key: Option<&'a str>,
}

/// All identities that the configuration needs, each once.
pub(super) fn identities(config: &Config) -> Vec<Settings> {
    let mut all: Vec<Settings> = Vec::new();
    let signing = config.targets.iter().filter_map(|target| match &target.credential {
        Credential::Sigv4(sigv4) => Some(sigv4.identity.clone()),
        _ => None,
    });
    let own = Some(config.aws.identity.clone()).filter(|_| !secrets(config).is_empty());
    for settings in signing.chain(own) {
        // The region alone makes no other identity.
        let known = |other: &Settings| (&other.profile, &other.role) == (&settings.profile, &settings.role);
        if !all.iter().any(known) {
            all.push(settings);
        }
    }
    all
}

/// All secrets that AWS keeps for the configuration.
pub(super) fn secrets<'a>(config: &'a Config) -> Vec<Kept<'a>> {
    let mut all = Vec::new();
    let mut note = |place: String, source: &'a SecretSource| {
        if let SecretSource::Aws { reference, json_key } = source {
            all.push(Kept { place, reference, json_key: json_key.as_deref() });
        }
    };
    for (_, authorizer) in config.authorizers() {
        let Authorizer::AwsIam(iam) = authorizer else { continue };
        iam.access_keys
            .iter()
            .for_each(|key| note(format!("access key {}", key.access_key_id), &key.secret_access_key));
    }
    config.sessions.keys.iter().for_each(|key| note("sessions".into(), key));
    for target in &config.targets {
        match &target.credential {
            Credential::ClientCredentials(client) => note(format!("target {}", target.name), &client.client_secret),
            Credential::ApiKey(key) => note(format!("target {}", target.name), &key.key),
            Credential::None | Credential::Sigv4(_) => (),
        }
    }
    all
}

/// Whose credentials these are, as STS says it.
pub(super) async fn who(bench: &Bench, settings: Settings) -> Vec<Finding> {
    let identity = Identity::new(settings, bench.clock.clone());
    let credentials = match identity.credentials().await {
        Ok(credentials) => credentials.value,
        Err(error) => return vec![Finding::failed("credentials", error)],
    };
    let mut findings = Vec::new();
    let end = credentials.expiry().and_then(|end| end.duration_since(std::time::UNIX_EPOCH).ok());
    if let Some(left) = end.map(|end| end.saturating_sub(bench.clock.now())).filter(|left| *left < SOON) {
        findings.push(
            Finding::warning("credentials", format!("they end in {}", duration(left)))
                .todo("sign in again, if nobody renews them"),
        );
    }
    let region = match identity.region().await {
        Ok(region) => region,
        Err(error) => {
            findings.push(Finding::problem("region", error.to_string()).todo("or write `aws.region`"));
            return findings;
        }
    };
    let endpoint = match bench.sources.aws.endpoints().of(&Service::STS, &region) {
        Ok(endpoint) => endpoint,
        Err(error) => return vec![Finding::failed("STS", error)],
    };
    findings.extend(bench.network().look(&endpoint).await.into_iter().filter(|finding| finding.what == "clock"));
    let now = bench.clock.now();
    let token = present(&credentials, &region, &endpoint, AUDIENCE, LONGEST, now).map_err(|error| error.to_string());
    let token =
        token.and_then(|token| Token::read(&token, &endpoint, &region, now, SKEW).map_err(|why| why.to_string()));
    findings.push(match token {
        Ok(token) => known(token.identity(&bench.sources.http, AUDIENCE).await, &region),
        Err(error) => Finding::problem("identity", format!("STS cannot be asked: {error}")).todo("check the region"),
    });
    findings
}

/// What STS says of the credentials. Nothing but this check needs STS, unless a role is assumed.
fn known(answer: Result<caller_identity::Identity, Unknown>, region: &str) -> Finding {
    match answer {
        Ok(who) => Finding::good("identity", format!("{} in {region}", who.arn)),
        Err(error @ Unknown::Refused(_)) => {
            Finding::problem("identity", format!("STS does not know these credentials: {error}"))
                .todo("check that they still exist, or sign in again, and check this machine's clock")
        }
        Err(error @ Unknown::Unavailable(_)) => {
            Finding::warning("identity", format!("there are credentials, but whose is not known: {error}"))
                .todo("check the network to STS, if you want to know")
        }
    }
}

/// Whether a secret can be read. What it is stays unsaid.
pub(super) async fn readable(
    bench: &Bench,
    place: String,
    reference: &Reference,
    json_key: Option<&str>,
) -> Vec<Finding> {
    vec![match reference.read(&bench.sources.aws, json_key).await {
        Ok(_) => Finding::good("secret", format!("readable, for {place}")),
        Err(error) => {
            Finding::failed("secret", error.cause).or_todo("allow the gateway's identity to read it, and check the ARN")
        }
    }]
}
