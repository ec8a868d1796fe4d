//! A token for the client that AWS keeps: its id, its secret and perhaps where its tokens come from are in one secret. Writes
//! nothing there.

use anyhow::{Context, bail};
use causeway_aws::{identity::Settings, secret::Reference};
use clap::Args;
use serde_json::{Map, Value};

use super::{ShowArgs, client};
use crate::{
    cli::{Usage, peer::IssuerArgs},
    config::Environment,
    peer,
    secret::Secret,
};

/// Which secret.
#[derive(Clone, Debug, Args)]
#[command(after_help = "THE SECRET is a JSON object such as
  {\"client_id\": \"…\", \"client_secret\": \"…\", \"token_endpoint\": \"https://…/oauth2/token\", \"scope\": \"tools/invoke\"}
Its members may be spelled as you like (clientId, CLIENT_ID); an option stands before a member.

EXAMPLES:
  Look at a token:
    causeway token secret my-api-secret --profile dev

  Use one:
    export CAUSEWAY_TOKEN=$(causeway token secret my-api-secret --profile dev --raw)")]
pub struct SecretArgs {
    /// The secret: an ARN of Secrets Manager or of an SSM parameter, or the name of a secret of Secrets Manager
    #[arg(value_name = "SECRET")]
    id: String,
    /// Only this member of it is the client's secret; everything else is said by options
    #[arg(long, value_name = "KEY")]
    json_key: Option<String>,
    #[command(flatten)]
    issuer: IssuerArgs,
    /// The region of a secret that is given by its name
    #[arg(long)]
    region: Option<String>,
    /// The AWS profile to read it with; default: the default chain of AWS's own tools
    #[arg(long)]
    profile: Option<String>,
    #[command(flatten)]
    pub(super) show: ShowArgs,
}

impl SecretArgs {
    pub(super) async fn token(&self, environment: &Environment) -> anyhow::Result<Secret> {
        let settings = Settings { profile: self.profile.clone(), region: self.region.clone(), role: None };
        let aws = peer::aws(settings.clone(), environment)?;
        let reference = match self.id.starts_with("arn:") {
            true => self.id.parse().map_err(|why| Usage(format!("{why}")))?,
            false => Reference::secret(&self.id),
        };
        let text = reference.read(&aws, self.json_key.as_deref()).await?;
        let client = match self.json_key {
            Some(_) => self.issuer.with_secret(Secret::new(text.expose()).into())?,
            None => {
                let (issuer, secret) = self.described(text.expose())?;
                issuer.with_secret(secret.into())?
            }
        };
        client::fetch(&client, settings, environment).await
    }

    /// The client that the secret describes, with what the options say put over it.
    fn described(&self, text: &str) -> anyhow::Result<(IssuerArgs, Secret)> {
        let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else {
            bail!(Usage(format!(
                "the secret `{}` is no JSON object with `client_id` and `client_secret`; if it is the client's secret alone, \
                 use `causeway token client-credentials --client-secret-arn`",
                self.id
            )));
        };
        let said = |names: &[&str]| member(&object, names);
        let secret = said(&["clientsecret", "secret"]).with_context(|| {
            format!(
                "the secret `{}` has no member `client_secret`; name the one that holds it with `--json-key`",
                self.id
            )
        })?;
        let mut issuer = self.issuer.clone();
        issuer.client_id = issuer.client_id.or_else(|| said(&["clientid", "appclientid"]));
        if issuer.token_endpoint.is_none() && issuer.discovery_url.is_none() {
            let url = |names: &[&str]| said(names).map(|url| url.parse()).transpose();
            let wrong = || format!("a URL in the secret `{}` is none", self.id);
            issuer.token_endpoint = url(&["tokenendpoint", "tokenurl", "tokenuri"]).with_context(wrong)?;
            issuer.discovery_url = match issuer.token_endpoint {
                Some(_) => None,
                None => url(&["discoveryurl", "discoveryuri"]).with_context(wrong)?,
            };
        }
        if issuer.scope.is_empty() {
            let scopes = said(&["scope", "scopes"]).unwrap_or_default();
            issuer.scope = scopes.split_whitespace().map(str::to_owned).collect();
        }
        Ok((issuer, Secret::new(secret)))
    }
}

/// The text of the member whose name is one of `names`, apart from case and what stands between its words.
fn member(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    let bare = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let value = object.iter().find(|(name, _)| names.contains(&bare(name).as_str())).map(|(_, value)| value)?;
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(texts) => Some(texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str) -> anyhow::Result<(IssuerArgs, Secret)> {
        let args = SecretArgs {
            id: "s".into(),
            json_key: None,
            issuer: IssuerArgs::default(),
            region: None,
            profile: None,
            show: ShowArgs::default(),
        };
        args.described(text)
    }

    #[test]
    fn a_client_is_described_in_many_spellings() {
        for text in [
            r#"{"client_id":"c","client_secret":"s","token_endpoint":"https://i.example/t","scope":"a b"}"#,
            r#"{"clientId":"c","clientSecret":"s","tokenUrl":"https://i.example/t","scopes":["a","b"]}"#,
            r#"{"CLIENT_ID":"c","CLIENT_SECRET":"s","TOKEN_ENDPOINT":"https://i.example/t","SCOPE":"a b"}"#,
        ] {
            let (issuer, secret) = described(text).unwrap();
            assert_eq!((issuer.client_id.as_deref(), secret.expose()), (Some("c"), "s"), "{text}");
            assert_eq!(issuer.token_endpoint.unwrap().as_str(), "https://i.example/t", "{text}");
            assert_eq!(issuer.scope, ["a", "b"], "{text}");
        }
    }

    #[test]
    fn what_it_holds_is_not_repeated() {
        for text in ["hunter2", r#"{"password":"hunter2"}"#, r#"{"client_secret":"x","token_url":"hunter2"}"#] {
            let error = format!("{:#}", described(text).unwrap_err());
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
