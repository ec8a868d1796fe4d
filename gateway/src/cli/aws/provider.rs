//! OAuth2 credential providers of AgentCore Identity: made, changed, shown, removed. The client's secret goes to AWS and never comes
//! back but by Secrets Manager, where AWS keeps it.
//!
//! Source: AgentCore's API model `bedrock-agentcore-control`, 2023-06-05 (`CreateOauth2CredentialProvider` and its kin).

use anyhow::{Context, bail};
use causeway_aws::{Aws, call::CallError, endpoint::Service, secret::Reference};
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::{AccountArgs, agreed};
use crate::{
    cli::{
        Usage,
        peer::ClientSecretArgs,
        screen::{out, out_line, padded, printable},
    },
    config::{Environment, SecretSource},
};

/// A list of so many pages does not end.
const MOST_PAGES: usize = 1000;

/// What is done.
#[derive(Clone, Debug, Subcommand)]
pub enum ProviderArgs {
    /// Make one
    Create(Box<ClientOf>),
    /// Give one another client, issuer or secret
    Update(Box<ClientOf>),
    /// Show one, without the secret
    Get(GetArgs),
    /// Name all of them
    List(ListArgs),
    /// Remove one
    Delete(DeleteArgs),
}

/// A provider and its client.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  With the secret on standard input:
    causeway aws credential-provider create my-identity --client-id 4example --client-secret-file - \\
      --discovery-url https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example/.well-known/openid-configuration

  With a secret that Secrets Manager keeps, which AgentCore then reads there:
    causeway aws credential-provider create my-identity --client-id 4example --discovery-url https://… \\
      --client-secret-arn arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-AbCdEf --client-secret-json-key client_secret")]
pub struct ClientOf {
    /// The provider's name
    name: String,
    /// The client's id at the issuer
    #[arg(long, value_name = "ID")]
    client_id: String,
    #[command(flatten)]
    secret: ClientSecretArgs,
    /// The issuer's discovery document, ending in /.well-known/openid-configuration
    #[arg(long, value_name = "URL", required_unless_present = "token_endpoint", conflicts_with = "token_endpoint")]
    discovery_url: Option<String>,
    /// In place of a discovery document: where tokens come from
    #[arg(long, value_name = "URL", requires_all = ["issuer", "authorization_endpoint"])]
    token_endpoint: Option<String>,
    /// With --token-endpoint: the issuer's name, as its tokens have it
    #[arg(long, value_name = "URL", requires = "token_endpoint")]
    issuer: Option<String>,
    /// With --token-endpoint: where people log in there
    #[arg(long, value_name = "URL", requires = "token_endpoint")]
    authorization_endpoint: Option<String>,
    #[command(flatten)]
    account: AccountArgs,
}

/// Which one.
#[derive(Clone, Debug, Args)]
pub struct GetArgs {
    /// The provider's name
    name: String,
    /// Print the client's secret and nothing else, read from Secrets Manager
    #[arg(long)]
    show_secret: bool,
    /// Print AWS's answer as one JSON object, for machines
    #[arg(long, conflicts_with = "show_secret")]
    json: bool,
    #[command(flatten)]
    account: AccountArgs,
}

/// All of them.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Print one JSON array, for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    account: AccountArgs,
}

/// Which one.
#[derive(Clone, Debug, Args)]
pub struct DeleteArgs {
    /// The provider's name
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &ProviderArgs, environment: &Environment) -> anyhow::Result<()> {
    match args {
        ProviderArgs::Create(args) => put(args, "CreateOauth2CredentialProvider", environment).await,
        ProviderArgs::Update(args) => put(args, "UpdateOauth2CredentialProvider", environment).await,
        ProviderArgs::Get(args) => get(args, environment).await,
        ProviderArgs::List(args) => list(args, environment).await,
        ProviderArgs::Delete(args) => delete(args, environment).await,
    }
}

async fn put(args: &ClientOf, operation: &str, environment: &Environment) -> anyhow::Result<()> {
    let aws = args.account.aws(environment)?;
    let input = args.input(environment)?;
    let answer = ask(&aws, operation, &input).await?;
    let arn = answer["credentialProviderArn"].as_str().unwrap_or(&args.name);
    out_line(&printable(arn))
}

impl ClientOf {
    fn input(&self, environment: &Environment) -> anyhow::Result<Value> {
        let discovery = match &self.discovery_url {
            Some(url) => json!({ "discoveryUrl": url }),
            None => json!({"authorizationServerMetadata": {
                "issuer": self.issuer,
                "authorizationEndpoint": self.authorization_endpoint,
                "tokenEndpoint": self.token_endpoint,
            }}),
        };
        let mut config = json!({ "oauthDiscovery": discovery, "clientId": self.client_id });
        match self.secret.source(environment)? {
            Some(SecretSource::Here(secret)) => config["clientSecret"] = secret.expose().into(),
            Some(SecretSource::Aws { reference, json_key }) => {
                let Some(json_key) = json_key else {
                    bail!(Usage("AgentCore reads one member of a JSON secret; name it with `--client-secret-json-key`".into()))
                };
                config["clientSecretSource"] = "EXTERNAL".into();
                config["clientSecretConfig"] = json!({ "secretId": reference.to_string(), "jsonKey": json_key });
            }
            Some(SecretSource::File(_)) | None => bail!(Usage(
                "say where the client's secret is, with `--client-secret-env NAME`, `--client-secret-file PATH` (`-` is standard \
                 input) or `--client-secret-arn ARN`"
                    .into()
            )),
        }
        Ok(json!({
            "name": self.name,
            "credentialProviderVendor": "CustomOauth2",
            "oauth2ProviderConfigInput": { "customOauth2ProviderConfig": config },
        }))
    }
}

async fn get(args: &GetArgs, environment: &Environment) -> anyhow::Result<()> {
    let aws = args.account.aws(environment)?;
    let answer = ask(&aws, "GetOauth2CredentialProvider", &json!({ "name": args.name })).await?;
    if args.show_secret {
        let arn = answer["clientSecretArn"]["secretArn"].as_str();
        let arn = arn.with_context(|| format!("AWS does not say where the secret of `{}` is", args.name))?;
        let key = answer["clientSecretJsonKey"].as_str();
        let secret = arn.parse::<Reference>()?.read(&aws, key).await?;
        return out_line(secret.expose());
    }
    match args.json {
        true => out_line(&answer.to_string()),
        false => out(&as_text(&answer)),
    }
}

/// The client, wherever the vendor has it: the union's one member.
fn as_text(answer: &Value) -> String {
    let client = answer["oauth2ProviderConfigOutput"].as_object().and_then(|union| union.values().next());
    let client = client.cloned().unwrap_or_default();
    let discovery = &client["oauthDiscovery"];
    let endpoint = &discovery["authorizationServerMetadata"]["tokenEndpoint"];
    let rows = [
        ("name", &answer["name"]),
        ("ARN", &answer["credentialProviderArn"]),
        ("vendor", &answer["credentialProviderVendor"]),
        ("client", &client["clientId"]),
        ("discovery URL", &discovery["discoveryUrl"]),
        ("token endpoint", endpoint),
        ("secret", &answer["clientSecretArn"]["secretArn"]),
        ("its member", &answer["clientSecretJsonKey"]),
        ("status", &answer["status"]),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    rows.map(|(name, value)| format!("{}{}\n", padded(name, 16), printable(value))).collect()
}

async fn list(args: &ListArgs, environment: &Environment) -> anyhow::Result<()> {
    let aws = args.account.aws(environment)?;
    let (mut providers, mut input) = (Vec::new(), json!({}));
    for _ in 0..MOST_PAGES {
        let mut page = ask(&aws, "ListOauth2CredentialProviders", &input).await?;
        if let Value::Array(found) = page["credentialProviders"].take() {
            providers.extend(found);
        }
        match page["nextToken"].as_str() {
            Some(token) => input = json!({ "nextToken": token }),
            None => break,
        }
    }
    if args.json {
        return out_line(&Value::Array(providers).to_string());
    }
    let text = |value: &Value| printable(value.as_str().unwrap_or_default());
    let line = |it: &Value| format!("{}  {}\n", padded(&text(&it["name"]), 32), text(&it["credentialProviderArn"]));
    out(&providers.iter().map(line).collect::<String>())
}

async fn delete(args: &DeleteArgs, environment: &Environment) -> anyhow::Result<()> {
    let aws = args.account.aws(environment)?;
    agreed(
        args.yes,
        &format!("Remove the credential provider `{}`? Targets that use it get no more tokens.", args.name),
    )?;
    ask(&aws, "DeleteOauth2CredentialProvider", &json!({ "name": args.name })).await?;
    out_line(&format!("`{}` is removed", args.name))
}

/// Every operation is a POST to its own name.
async fn ask(aws: &Aws, operation: &str, input: &Value) -> Result<Value, CallError> {
    let api = aws.api(Service::BEDROCK_AGENTCORE_CONTROL, None);
    api.rest(operation, Method::POST, &format!("/identities/{operation}"), Some(input)).await
}
