//! The identity provider of `causeway dev`, and how the configuration is pointed at it: a pool for the gateway's callers, a
//! pool for each target that is started here and wants tokens. Client ids and scopes are the configuration's own.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
};

use anyhow::Context;
use causeway_core::{
    authorizer::ClaimMatch,
    name::{TargetName, ToolsetName},
};
use causeway_oidc::clock::Clock;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    RunningKey,
    people::{self, Developer},
    toolset::{self, Own, RunningToolset},
};
use crate::{
    app::http_client,
    config::{
        AccessKey, Authorizer, AwsIam, Config, Credential, CustomJwt, Environment, Login, SecretSource, TokenEndpoint,
        environment::Reference,
        file::{self, File},
        located::Member,
    },
    identity_provider::{self, IdentityProvider, Pool, PoolClient},
    opaque::random_text,
    secret::Secret,
};

/// The pool of the gateway's callers. No target's pool has this name: no target's name holds an underscore.
const CALLERS: &str = "gateway_callers";
/// The client of programs, where the file names none.
const CALLER: &str = "development-client";

/// A running identity provider.
#[derive(Debug)]
pub(super) struct DevIdentity {
    base: Url,
    http: reqwest::Client,
    /// Whom the gateway lets in; absent where it lets in everyone.
    caller: Option<PoolClient>,
    /// Who logs in there.
    developer: Option<Developer>,
    /// What a caller signs with, where callers are AWS principals.
    access_key: Option<RunningKey>,
    /// What the gateway is at the issuer of each target.
    targets: BTreeMap<TargetName, PoolClient>,
    /// In config order.
    toolsets: Vec<(ToolsetName, Option<Own>)>,
}

/// Whom a server that is started here is to let in.
#[derive(Clone, Debug)]
pub(super) struct Demanded<'a> {
    pub(super) discovery_url: Url,
    pub(super) client: &'a PoolClient,
}

/// Variables and files that the configuration refers to.
#[derive(Default)]
struct Referred {
    variables: BTreeSet<String>,
    files: BTreeSet<PathBuf>,
}

/// Secrets, made now, for what the configuration refers to and this mode does not need from outside: those of targets
/// that are started here, and the keys of sessions. What somebody outside knows too is not made up.
pub(super) fn generated_secrets(file: &File) -> impl Fn(Reference<'_>) -> Option<Secret> + Send + Sync + use<> {
    let (mut made, mut outside) = (Referred::default(), Referred::default());
    for target in file.targets.iter().flat_map(|targets| &targets.value) {
        let referred = if target.value.dev.is_some() { &mut made } else { &mut outside };
        referred.by_target(&target.value);
    }
    let headers = file.telemetry.iter().flat_map(|telemetry| telemetry.value.otlp_headers_env.values());
    outside.variables.extend(headers.map(|name| name.value.clone()));
    for authorizer in file.authorizers() {
        let file::Authorizer::AwsIam(iam) = authorizer else { continue };
        for key in &iam.value.access_keys {
            made.take(&key.value.secret_access_key_env, &key.value.secret_access_key_file);
        }
    }
    let sessions = file.sessions.iter().flat_map(|sessions| &sessions.value.key_env);
    made.variables.extend(sessions.map(|name| name.value.clone()));
    move |reference| (made.holds(reference) && !outside.holds(reference)).then(generated_secret)
}

impl Referred {
    fn take(&mut self, variable: &Member<String>, file: &Member<PathBuf>) {
        self.variables.extend(variable.as_ref().map(|name| name.value.clone()));
        self.files.extend(file.as_ref().map(|path| path.value.clone()));
    }

    fn by_target(&mut self, target: &file::Target) {
        let credential = target.credential.as_ref().map(|credential| &credential.value);
        if let Some(client) = credential.and_then(|credential| credential.client_credentials.as_ref()) {
            self.take(&client.value.client_secret_env, &client.value.client_secret_file);
        }
        if let Some(key) = credential.and_then(|credential| credential.api_key.as_ref()) {
            self.take(&key.value.key_env, &key.value.key_file);
        }
        let child = target.stdio.iter().flat_map(|stdio| stdio.value.env_from.values());
        self.variables.extend(child.map(|name| name.value.clone()));
    }

    fn holds(&self, reference: Reference<'_>) -> bool {
        match reference {
            Reference::Variable(name) => self.variables.contains(name),
            Reference::File(path) => self.files.iter().any(|file| path.ends_with(file)),
        }
    }
}

/// Puts a secret that is made now in the place of one that AWS keeps: this machine may have no AWS account.
fn make_here(source: &mut SecretSource) -> Secret {
    let secret = source.here().cloned().unwrap_or_else(generated_secret);
    *source = secret.clone().into();
    secret
}

fn generated_secret() -> Secret {
    Secret::new(random_text::<32>())
}

impl DevIdentity {
    /// Starts it on a free loopback port and puts it in the place of the issuers that `config` names, for a gateway that listens at
    /// `gateway`.
    pub(super) async fn start(
        config: &mut Config,
        gateway: SocketAddr,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no loopback port is free")?;
        let base = identity_provider::base_url(listener.local_addr().context("the listener has no address")?);
        let mut pools = Vec::new();
        let mut developer = None;
        let caller = match &mut config.authorizer {
            Authorizer::None | Authorizer::AwsIam(_) => None,
            Authorizer::CustomJwt(jwt) => {
                let clients = callers(jwt, config.login.as_ref());
                jwt.discovery_url = identity_provider::discovery_url(&base, CALLERS);
                let first = clients.first().cloned();
                let one = people::developer(&Environment::process());
                let like = first.as_ref().expect("there is a client for programs in any case");
                let public_clients = vec![people::let_log_in((&mut config.login, &config.proxies), jwt, like, gateway)];
                // Who logs in does so at this machine, whatever the file says of the outside.
                config.gateway.public_url = None;
                pools.push(Pool { id: CALLERS.into(), clients, public_clients, users: vec![one.user.clone()] });
                developer = Some(one);
                first
            }
        };
        let access_key = match &mut config.authorizer {
            Authorizer::AwsIam(iam) => Some(access_key(iam)),
            Authorizer::None | Authorizer::CustomJwt(_) => None,
        };
        let toolsets = toolset::at_home(config, &base, &mut pools);
        let mut targets = BTreeMap::new();
        for key in &mut config.sessions.keys {
            make_here(key);
        }
        for target in config.targets.iter_mut().filter(|target| target.dev.is_some()) {
            if let Credential::Sigv4(_) = target.credential {
                // What is started here verifies no signatures, and this machine may have no AWS account.
                target.credential = Credential::None;
            }
            if let Credential::ApiKey(key) = &mut target.credential {
                make_here(&mut key.key);
            }
            if let Credential::ClientCredentials(credential) = &mut target.credential {
                let client = PoolClient {
                    id: credential.client_id.clone(),
                    secret: make_here(&mut credential.client_secret),
                    scopes: credential.scopes.clone(),
                    extra_claims: Map::new(),
                };
                pools.push(Pool { id: target.name.to_string(), clients: vec![client.clone()], ..Pool::default() });
                credential.token_endpoint =
                    TokenEndpoint::Url(identity_provider::token_url(&base, target.name.as_str()));
                targets.insert(target.name.clone(), client);
            }
        }
        let provider = IdentityProvider::new(pools, Clock::system());
        tokio::spawn(async move {
            if let Err(error) = provider.run(listener, stop.cancelled_owned()).await {
                tracing::error!("{error}");
            }
        });
        Ok(Self { base, http: http_client(config)?, caller, developer, access_key, targets, toolsets })
    }

    /// What a caller signs with.
    pub(super) fn access_key(&self) -> Option<&RunningKey> {
        self.access_key.as_ref()
    }

    /// The issuer of the callers' tokens.
    pub(super) fn issuer(&self) -> Option<String> {
        self.caller.as_ref().map(|_| identity_provider::issuer(&self.base, CALLERS))
    }

    /// Who logs in there.
    pub(super) fn developer(&self) -> Option<&Developer> {
        self.developer.as_ref()
    }

    /// Where it listens.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// The caller's client, and where it gets its tokens.
    pub(super) fn caller(&self) -> Option<(&PoolClient, Url)> {
        Some((self.caller.as_ref()?, identity_provider::token_url(&self.base, CALLERS)))
    }

    /// Whom the server of this target is to let in; `None`: everyone.
    pub(super) fn of_target(&self, name: &TargetName) -> Option<Demanded<'_>> {
        let client = self.targets.get(name)?;
        Some(Demanded { discovery_url: identity_provider::discovery_url(&self.base, name.as_str()), client })
    }

    /// The toolsets that a gateway at `endpoint` serves.
    pub(super) async fn toolsets(&self, endpoint: &str) -> anyhow::Result<Vec<RunningToolset>> {
        let mut running = Vec::new();
        for (name, own) in &self.toolsets {
            let (token, access_key) = match own {
                Some(Own::Tokens { client, token_endpoint }) => {
                    (Some(self.token_from(client, token_endpoint.clone()).await?), None)
                }
                Some(Own::Signatures(key)) => (None, Some(key.clone())),
                Some(Own::Anyone) | None => (None, None),
            };
            running.push(RunningToolset {
                name: name.to_string(),
                endpoint: format!("{endpoint}/{name}"),
                token,
                access_key,
            });
        }
        Ok(running)
    }

    /// The clients of toolsets that have an issuer of their own, and where each gets its tokens.
    pub(super) fn callers_of_toolsets(&self) -> impl Iterator<Item = (&ToolsetName, &PoolClient, &Url)> {
        self.toolsets.iter().filter_map(|(name, own)| match own {
            Some(Own::Tokens { client, token_endpoint }) => Some((name, client, token_endpoint)),
            _ => None,
        })
    }

    /// A fresh token for the caller.
    pub(super) async fn token(&self) -> anyhow::Result<Option<String>> {
        match self.caller() {
            Some((client, url)) => self.token_from(client, url).await.map(Some),
            None => Ok(None),
        }
    }

    /// A token, fetched as any client would.
    async fn token_from(&self, client: &PoolClient, url: Url) -> anyhow::Result<String> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: String,
        }
        let request = self.http.post(url).basic_auth(&client.id, Some(client.secret.expose()));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body("grant_type=client_credentials").send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status).context("no token could be had")?;
        let answer = answer.bytes().await.context("no token could be had")?;
        let answer: Answer = serde_json::from_slice(&answer).context("the token endpoint answered no token")?;
        Ok(answer.access_token)
    }
}

/// The first access key of `iam`; one more where there is none. The secrets of all are made here, and who signs calls this
/// machine, not the host that is public elsewhere.
pub(super) fn access_key(iam: &mut AwsIam) -> RunningKey {
    if iam.access_keys.is_empty() {
        iam.access_keys.push(AccessKey {
            access_key_id: "AKIADEVELOPMENT".into(),
            secret_access_key: generated_secret().into(),
            principal: "arn:aws:iam::000000000000:user/development".into(),
        });
    }
    iam.host = None;
    let secrets: Vec<_> = iam.access_keys.iter_mut().map(|key| make_here(&mut key.secret_access_key)).collect();
    RunningKey {
        id: iam.access_keys[0].access_key_id.clone(),
        secret: secrets[0].expose().to_owned(),
        region: iam.region.clone(),
        service: iam.service.clone(),
    }
}

/// The clients of programs whose tokens fulfil the rules of `jwt`: those that it names beside the one that people log in with, else
/// one, which it names from now on.
pub(super) fn callers(jwt: &mut CustomJwt, login: Option<&Login>) -> Vec<PoolClient> {
    let rules = &mut jwt.rules;
    let mut extra_claims = Map::new();
    if let Some(audience) = rules.allowed_audience.first() {
        extra_claims.insert("aud".into(), json!(audience));
    }
    for claim in &rules.custom_claims {
        let value = match &claim.matches {
            ClaimMatch::Equals(text) => json!(text),
            ClaimMatch::Contains(text) => json!([text]),
            ClaimMatch::ContainsAny(texts) => json!(texts),
        };
        extra_claims.insert(claim.name.clone(), value);
    }
    if rules.token_use == causeway_core::authorizer::TokenUse::Id {
        extra_claims.insert("token_use".into(), Value::from("id"));
    }
    let of_people = match login {
        Some(Login::Proxy(proxy)) => Some(proxy.client_id.as_str()),
        Some(Login::PassThrough) | None => None,
    };
    let named = rules.allowed_clients.iter().filter(|id| Some(id.as_str()) != of_people);
    let mut ids: Vec<String> = named.cloned().collect();
    if ids.is_empty() {
        ids.push(CALLER.to_owned());
        if !rules.allowed_clients.is_empty() {
            rules.allowed_clients.push(CALLER.to_owned());
        }
    }
    let client = |id| PoolClient {
        id,
        secret: generated_secret(),
        scopes: rules.allowed_scopes.clone(),
        extra_claims: extra_claims.clone(),
    };
    ids.into_iter().map(client).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Draft, Environment};

    /// All access keys are made here, and what is signed is for this machine, whatever the file says of the outside.
    #[tokio::test]
    async fn what_signs_at_home_needs_no_aws_and_no_public_host() {
        let text = r#"
            gateway.public_url = "https://tools.example.com/mcp"
            targets = [{ name = "a", http.endpoint = "http://127.0.0.1:1/mcp" }]

            [authorizer.aws_iam]
            region = "eu-central-1"

            [[authorizer.aws_iam.access_keys]]
            access_key_id = "AKIAFIRST"
            secret_access_key_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:first-AbCdEf"
            principal = "arn:aws:iam::123456789012:user/alice"

            [[authorizer.aws_iam.access_keys]]
            access_key_id = "AKIASECOND"
            secret_access_key_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:second-AbCdEf"
            principal = "arn:aws:iam::123456789012:user/bob"
        "#;
        let draft = Draft::parse(Path::new("config.toml"), text).unwrap();
        let environment = Environment::of::<&str, &str>([]).overlay(generated_secrets(&draft.file));
        let mut config = draft.resolve(&environment).unwrap();
        let identity =
            DevIdentity::start(&mut config, "127.0.0.1:8080".parse().unwrap(), CancellationToken::new()).await.unwrap();
        let Authorizer::AwsIam(iam) = &config.authorizer else { panic!("it was not changed into another") };
        let secrets: Vec<_> =
            iam.access_keys.iter().map(|key| key.secret_access_key.here().unwrap().expose()).collect();
        assert_eq!(identity.access_key().unwrap().secret, secrets[0]);
        assert_ne!(secrets[0], secrets[1]);
        assert_eq!(iam.host, None);
    }

    /// A target that is not started here has its secret from outside, also where one that is started refers to the same.
    #[test]
    fn a_secret_that_somebody_outside_knows_is_not_made_up() {
        let text = r#"
            authorizer = "none"

            [[targets]]
            name = "here"
            http.endpoint = "http://127.0.0.1:1/mcp"
            dev.command = ["server"]
            credential.api_key = { parameter_name = "x-api-key", key_env = "SHARED" }

            [[targets]]
            name = "here-too"
            http.endpoint = "http://127.0.0.1:2/mcp"
            dev.command = ["server"]
            credential.api_key = { parameter_name = "x-api-key", key_env = "OWN" }

            [[targets]]
            name = "there"
            http.endpoint = "https://there.example.com/mcp"
            credential.api_key = { parameter_name = "x-api-key", key_env = "SHARED" }
        "#;
        let draft = Draft::parse(Path::new("config.toml"), text).unwrap();
        let environment = Environment::of([("SHARED", "known")]).overlay(generated_secrets(&draft.file));
        let value = |name| environment.look_up(Reference::Variable(name)).unwrap().expose().to_owned();
        assert_eq!(value("SHARED"), "known");
        assert_eq!(value("OWN").len(), 43);
        let nothing = Environment::of::<&str, &str>([]).overlay(generated_secrets(&draft.file));
        assert!(nothing.look_up(Reference::Variable("SHARED")).is_err(), "it is asked for");
    }
}
