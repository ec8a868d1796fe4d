//! A token for the gateway of a running `causeway dev`, fetched as its client. Starts nothing.

use anyhow::bail;
use causeway_aws::identity::Settings;
use clap::Args;
use url::Url;

use super::{ShowArgs, client};
use crate::{
    cli::{Usage, running::Running},
    config::{ClientAuthentication, ClientCredentials, Environment, TokenEndpoint},
    secret::Secret,
};

/// Which of them, where several run.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  Call a tool of the gateway that `causeway dev` serves:
    CAUSEWAY_TOKEN=$(causeway token dev --raw) causeway tools http://127.0.0.1:8080/mcp")]
pub struct DevTokenArgs {
    /// The gateway's URL, where several run
    #[arg(long, value_name = "URL")]
    endpoint: Option<Url>,
    #[command(flatten)]
    pub(super) show: ShowArgs,
}

impl DevTokenArgs {
    pub(super) async fn token(&self, environment: &Environment) -> anyhow::Result<Secret> {
        let mut running = Running::all(environment);
        if let Some(endpoint) = &self.endpoint {
            running.retain(|one| one.endpoint == *endpoint);
        }
        let one = match &running[..] {
            [one] => one,
            [] => bail!("no `causeway dev` of yours runs here whose gateway takes tokens; start one"),
            [..] => {
                let urls: Vec<&str> = running.iter().map(|one| one.endpoint.as_str()).collect();
                bail!(Usage(format!("several run: choose one of `{}` with `--endpoint`", urls.join("`, `"))))
            }
        };
        let client = ClientCredentials {
            token_endpoint: TokenEndpoint::Url(one.token_endpoint.clone()),
            client_id: one.client_id.clone(),
            client_secret: Secret::new(&*one.client_secret).into(),
            scopes: Vec::new(),
            client_authentication: ClientAuthentication::Basic,
            custom_parameters: Default::default(),
        };
        client::fetch(&client, Settings::default(), environment).await
    }
}
