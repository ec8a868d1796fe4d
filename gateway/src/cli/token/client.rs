//! A token by OAuth 2.0 client credentials: of a client on the command line, or of a target of config.toml. The product's own
//! credential fetches it.

use anyhow::{Context, bail};
use causeway_aws::identity::Settings;
use causeway_core::{name::TargetName, nearest::hint};
use causeway_oidc::clock::Clock;
use clap::Args;
use http::header::AUTHORIZATION;

use super::ShowArgs;
use crate::{
    app,
    cli::{ConfigArgs, Usage, peer::ClientArgs},
    config::{self, Config, Environment},
    credentials::Credential,
    peer,
    secret::Secret,
};

/// Whose token.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  Look at the token of a client whose secret is in a variable:
    causeway token client-credentials --token-endpoint https://example.auth.us-east-1.amazoncognito.com/oauth2/token \\
      --client-id 4example --client-secret-env CLIENT_SECRET --scope tools/invoke

  Call with it:
    export CAUSEWAY_TOKEN=$(causeway token client-credentials … --raw)

  The token that the gateway shows its target `orders`:
    causeway token client-credentials --target orders --config config.toml")]
pub struct ClientCredentialsArgs {
    #[command(flatten)]
    client: ClientArgs,
    /// In place of all of these: the credential of this target of the configuration file
    #[arg(long, value_name = "NAME", conflicts_with_all = ["token_endpoint", "discovery_url", "client_id", "scope"])]
    target: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    pub(super) show: ShowArgs,
}

impl ClientCredentialsArgs {
    pub(super) async fn token(&self, environment: &Environment) -> anyhow::Result<Secret> {
        let Some(name) = &self.target else {
            let client = self.client.client_credentials(environment)?;
            return fetch(&client, Settings::default(), environment).await;
        };
        let config = self.config.load(environment)?;
        let Some(target) = config.targets.iter().find(|target| target.name.as_str() == name) else {
            let names = config.targets.iter().map(|target| target.name.as_str());
            bail!(Usage(format!("`{}` has no target `{name}`{}", config.written.path.display(), hint(name, names))));
        };
        match &target.credential {
            config::Credential::ClientCredentials(client) => granted(client, &config).await,
            _ => bail!(Usage(format!("target `{name}` has no credential of the kind `client_credentials`"))),
        }
    }
}

/// A token for `client`. AWS, if it keeps the secret, is asked by the identity that `settings` choose.
pub(in crate::cli) async fn fetch(
    client: &config::ClientCredentials,
    settings: Settings,
    environment: &Environment,
) -> anyhow::Result<Secret> {
    let mut config = peer::defaults(environment)?;
    config.aws.identity = settings;
    granted(client, &config).await
}

async fn granted(client: &config::ClientCredentials, config: &Config) -> anyhow::Result<Secret> {
    let name: TargetName = "token".parse().expect("it is a name of a target");
    let sources = app::sources(config, Clock::system())?;
    let credential = Credential::new(&name, &config::Credential::ClientCredentials(client.clone()), &sources);
    let (mut parts, ()) = http::Request::new(()).into_parts();
    if let Err(error) = credential.apply(&mut parts, &[]).await {
        bail!("{}", error.failure);
    }
    let shown = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|shown| shown.strip_prefix("Bearer ")).context("the issuer gave no bearer token")?;
    Ok(Secret::new(token))
}
