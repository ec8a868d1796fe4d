//! The arguments that name a server and what lets us in there, for every command that talks to one. Reads tokens and secrets
//! from the environment, files and standard input, never from the command line.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use causeway_aws::{
    Arn,
    identity::{Role, Settings},
    secret::Reference as SecretReference,
};
use clap::{Args, ValueEnum};
use url::Url;

use super::Usage;
use crate::{
    config::{
        ClientAuthentication, ClientCredentials, Credential, Environment, SecretSource, TokenEndpoint,
        environment::Reference,
    },
    peer::{self, Address, Admits, Located, Peer},
    secret::Secret,
};

/// A token in this variable is shown where nothing else is said.
pub(super) const TOKEN: &str = "CAUSEWAY_TOKEN";

/// What lets us in. Last among the arguments of a command: its heading holds for all that follow.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What lets us in")]
pub struct CredentialArgs {
    /// What to show; default: what the other options speak of, else a token in CAUSEWAY_TOKEN, else a signature for what AWS
    /// serves, else nothing
    #[arg(long, value_name = "KIND")]
    auth: Option<Auth>,
    /// bearer: the variable that holds the token; default: CAUSEWAY_TOKEN
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    /// bearer: the file that holds the token, which is read again once the token is refused; `-` is standard input
    #[arg(long, value_name = "PATH", conflicts_with = "token_env")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
    /// sigv4: the region to sign for; default: that of the ARN or host name, else that of AWS_REGION or the profile
    #[arg(long)]
    region: Option<String>,
    /// The profile of ~/.aws/config whose credentials sign, or read a secret; default: the default chain of AWS's own tools
    #[arg(long)]
    profile: Option<String>,
    /// sigv4: the role to assume first
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// sigv4: the service's signing name; default: bedrock-agentcore
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// AgentCore Runtime: the endpoint or version that is asked; default: DEFAULT
    #[arg(long, value_name = "NAME")]
    qualifier: Option<String>,
}

/// An OAuth client and its issuer.
#[derive(Clone, Debug, Default, Args)]
pub struct ClientArgs {
    #[command(flatten)]
    pub issuer: IssuerArgs,
    #[command(flatten)]
    pub secret: ClientSecretArgs,
}

/// Where tokens come from, and what is asked for, but for the secret.
#[derive(Clone, Debug, Default, Args)]
pub struct IssuerArgs {
    /// client-credentials: the URL at which the issuer gives tokens
    #[arg(long, value_name = "URL")]
    pub token_endpoint: Option<Url>,
    /// client-credentials: the issuer's discovery document, which names that URL
    #[arg(long, value_name = "URL", conflicts_with = "token_endpoint")]
    pub discovery_url: Option<Url>,
    /// client-credentials: the client's id
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// client-credentials: a scope to ask for; may be given several times
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// client-credentials: one more parameter of the token request, such as resource=https://…; may be given several times
    #[arg(long = "token-parameter", value_name = "NAME=VALUE", value_parser = pair)]
    pub parameters: Vec<(String, String)>,
    /// client-credentials: send id and secret in the form instead of the header `Authorization`
    #[arg(long)]
    pub client_secret_post: bool,
}

/// Where a client's secret is.
#[derive(Clone, Debug, Default, Args)]
#[group(multiple = true)]
pub struct ClientSecretArgs {
    /// The variable that holds the client's secret
    #[arg(long, value_name = "NAME")]
    client_secret_env: Option<String>,
    /// The file that holds it
    #[arg(long, value_name = "PATH", conflicts_with = "client_secret_env")]
    client_secret_file: Option<PathBuf>,
    /// The Secrets Manager secret or SSM parameter that holds it
    #[arg(long, value_name = "ARN", conflicts_with_all = ["client_secret_env", "client_secret_file"])]
    client_secret_arn: Option<String>,
    /// The member of that secret, where it is a JSON object
    #[arg(long, value_name = "KEY", requires = "client_secret_arn")]
    client_secret_json_key: Option<String>,
}

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Nothing
    None,
    /// A token that is there already
    Bearer,
    /// A token that is fetched with a client's id and secret (OAuth 2.0 client credentials)
    ClientCredentials,
    /// An AWS signature over each request (Signature Version 4)
    Sigv4,
}

impl CredentialArgs {
    /// Whether the token comes from standard input.
    pub fn reads_standard_input(&self) -> bool {
        self.token_file.as_deref().is_some_and(|path| path.as_os_str() == "-")
    }

    /// The server at `address` with these credentials.
    ///
    /// # Errors
    /// What is missing or contradicts itself; a gateway that AWS does not know.
    pub async fn peer(&self, address: &Address, environment: &Environment) -> anyhow::Result<Peer> {
        let aws = peer::aws(self.settings(self.region.clone())?, environment)?;
        let located = address.locate(&aws, self.qualifier.as_deref()).await?;
        let auth = match self.auth.or_else(|| self.spoken_of()) {
            Some(auth) => auth,
            None => self.guessed(address, &located, environment)?,
        };
        let credential = match auth {
            Auth::None => Credential::None,
            Auth::Bearer => peer::bearer(self.token(environment)?),
            Auth::ClientCredentials => Credential::ClientCredentials(self.client.client_credentials(environment)?),
            Auth::Sigv4 => self.signature(&located)?,
        };
        let peer = Peer { aws: self.settings(self.region.clone())?, ..Peer::at(&located, credential) };
        Ok(peer.checked()?)
    }

    /// The kind that the other options are for.
    fn spoken_of(&self) -> Option<Auth> {
        let ClientArgs { issuer, secret } = &self.client;
        if self.token_env.is_some() || self.token_file.is_some() {
            return Some(Auth::Bearer);
        }
        let names_issuer = issuer.token_endpoint.is_some() || issuer.discovery_url.is_some();
        let names_client = issuer.client_id.is_some() || !issuer.scope.is_empty() || secret.is_named();
        if names_issuer || names_client {
            return Some(Auth::ClientCredentials);
        }
        let signs = self.profile.is_some() || self.role_arn.is_some() || self.service.is_some();
        signs.then_some(Auth::Sigv4)
    }

    fn guessed(&self, address: &Address, located: &Located, environment: &Environment) -> anyhow::Result<Auth> {
        let has_token = environment.look_up(Reference::Variable(TOKEN)).is_ok();
        match (has_token, &located.admits) {
            (_, Some(Admits::Anyone)) => Ok(Auth::None),
            (true, _) => Ok(Auth::Bearer),
            (false, Some(Admits::Tokens)) => bail!(Usage(format!(
                "the gateway `{address}` wants a token; put one into `{TOKEN}`, or have one fetched with `--auth client-credentials`"
            ))),
            (false, Some(Admits::Unknown(kind))) => bail!(Usage(format!(
                "the gateway `{address}` has an authorizer of the kind `{kind}`, which is not known here; say what to show with `--auth`"
            ))),
            (false, Some(Admits::Signatures)) => Ok(Auth::Sigv4),
            (false, None) if address.is_at_aws() => Ok(Auth::Sigv4),
            (false, None) => Ok(Auth::None),
        }
    }

    fn token(&self, environment: &Environment) -> anyhow::Result<SecretSource> {
        let Some(path) = &self.token_file else {
            return Ok(variable(self.token_env.as_deref().unwrap_or(TOKEN), "a token", environment)?.into());
        };
        let token = file(path, "--token-file", environment)?;
        match self.reads_standard_input() {
            true => Ok(token.into()),
            // A long conversation outlives the token, and whoever keeps the file puts the next one into it.
            false => Ok(SecretSource::File(path.clone())),
        }
    }

    fn settings(&self, region: Option<String>) -> anyhow::Result<Settings> {
        let role = self.role_arn.clone().map(role).transpose()?;
        Ok(Settings { profile: self.profile.clone(), region, role })
    }

    fn signature(&self, located: &Located) -> anyhow::Result<Credential> {
        let region = self.region.clone().or_else(|| located.region.clone());
        let Credential::Sigv4(mut sigv4) = peer::signature(self.settings(region)?) else {
            unreachable!("it is a signature")
        };
        if let Some(service) = &self.service {
            sigv4.service = service.clone();
        }
        Ok(Credential::Sigv4(sigv4))
    }
}

impl ClientArgs {
    /// The client that they describe.
    ///
    /// # Errors
    /// What is missing.
    pub fn client_credentials(&self, environment: &Environment) -> anyhow::Result<ClientCredentials> {
        let Some(secret) = self.secret.source(environment)? else {
            bail!(Usage(
                "say where the client's secret is, with `--client-secret-env NAME`, `--client-secret-file PATH` or \
                 `--client-secret-arn ARN`"
                    .into()
            ))
        };
        self.issuer.with_secret(secret)
    }
}

impl IssuerArgs {
    /// The client that they describe, with this secret.
    ///
    /// # Errors
    /// What is missing.
    pub fn with_secret(&self, client_secret: SecretSource) -> anyhow::Result<ClientCredentials> {
        let token_endpoint = match (&self.token_endpoint, &self.discovery_url) {
            (Some(url), _) => TokenEndpoint::Url(url.clone()),
            (None, Some(url)) => TokenEndpoint::Discovery(url.clone()),
            (None, None) => bail!(Usage(
                "say where tokens come from, with `--token-endpoint https://…/oauth2/token` or `--discovery-url https://…`"
                    .into()
            )),
        };
        let Some(client_id) = self.client_id.clone() else {
            bail!(Usage("say whose token it is, with `--client-id`".into()))
        };
        Ok(ClientCredentials {
            token_endpoint,
            client_id,
            client_secret,
            scopes: self.scope.clone(),
            client_authentication: match self.client_secret_post {
                true => ClientAuthentication::Post,
                false => ClientAuthentication::Basic,
            },
            custom_parameters: self.parameters.iter().cloned().collect(),
        })
    }
}

impl ClientSecretArgs {
    /// Whether it is said where the secret is.
    fn is_named(&self) -> bool {
        self.client_secret_env.is_some() || self.client_secret_file.is_some() || self.client_secret_arn.is_some()
    }

    /// The secret, or where AWS keeps it; none if nothing is said.
    ///
    /// # Errors
    /// A variable or a file that is not there; an ARN of something else.
    pub fn source(&self, environment: &Environment) -> anyhow::Result<Option<SecretSource>> {
        if let Some(name) = &self.client_secret_env {
            return Ok(Some(variable(name, "the client's secret", environment)?.into()));
        }
        if let Some(path) = &self.client_secret_file {
            return Ok(Some(file(path, "--client-secret-file", environment)?.into()));
        }
        let Some(arn) = &self.client_secret_arn else { return Ok(None) };
        let reference: SecretReference = arn.parse().map_err(|why| Usage(format!("`--client-secret-arn`: {why}")))?;
        Ok(Some(SecretSource::Aws { reference, json_key: self.client_secret_json_key.clone() }))
    }
}

fn role(arn: String) -> anyhow::Result<Role> {
    let is_role = |arn: &Arn| arn.service == "iam" && arn.resource_of("role").is_some();
    match arn.parse::<Arn>() {
        Ok(parsed) if is_role(&parsed) => Ok(Role { arn, external_id: None, session_name: None }),
        _ => bail!(Usage(format!(
            "`--role-arn {arn}` names no role; write it like `arn:aws:iam::123456789012:role/developer`"
        ))),
    }
}

/// What the variable `name` holds.
pub(super) fn variable(name: &str, what: &str, environment: &Environment) -> anyhow::Result<Secret> {
    let found = environment.look_up(Reference::Variable(name));
    found.map_err(|why| Usage(format!("the variable `{name}` {why}; put {what} into it")).into())
}

/// What the file that `option` names holds; `-` is standard input.
pub(super) fn file(path: &Path, option: &str, environment: &Environment) -> anyhow::Result<Secret> {
    if path.as_os_str() == "-" {
        let text = standard_input()?;
        return match text.trim() {
            "" => bail!(Usage(format!("standard input, which `{option} -` names, is empty"))),
            text => Ok(Secret::new(text)),
        };
    }
    let found = environment.look_up(Reference::File(path));
    found.map_err(|why| Usage(format!("the file `{}` of `{option}` {why}", path.display())).into())
}

/// All of it, as text.
pub(super) fn standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
    Ok(text)
}

/// `name=value`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("write `name=value`".into()),
    }
}
