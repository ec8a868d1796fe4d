//! Reads a live gateway from AgentCore's control plane: the gateway, its resource policy, rate limits
//! and rules, its targets, and the credential providers that they use.
//! Only ever reads, and no secret: the control plane shows none.
//!
//! Source: AgentCore's API model `bedrock-agentcore-control`, 2023-06-05. It takes ids alone; an ARN is taken apart here.

use std::collections::BTreeMap;

use causeway_aws::{
    Arn,
    call::{Api, Aws, CallError, label},
    endpoint::Service,
    refusal::is_throttling,
};
use http::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::live::{CredentialConfiguration, Gateway, Listed, Live, Provider, ResourcePolicy, Target};
use crate::peer::GatewayName;

/// A gateway has 100 targets by default: a list that goes on for so many pages does not end.
const MOST_PAGES: usize = 1000;
/// Nothing is sent with a GET.
const NOTHING: Option<&()> = None;

/// Why a gateway could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Aws(#[from] CallError),
    #[error("AWS's answer to `{0}` did not end after {MOST_PAGES} pages; try again later")]
    Endless(String),
    #[error(
        "the AWS credentials lead to `{found}`, not to `{asked}`: use those of the right account, for example with `--profile`"
    )]
    Other { asked: Arn, found: String },
}

/// One page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    #[serde(alias = "rateLimits", alias = "gatewayRules")]
    items: Vec<T>,
    next_token: Option<String>,
}

/// An entry of `ListGatewayTargets`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    target_id: String,
}

/// The answer of `GetResourcePolicy`.
#[derive(Deserialize)]
struct Policy {
    policy: Option<String>,
}

/// Everything about a gateway.
///
/// # Errors
/// [`ReadError`]. What AWS does not show of it is no error: [`ResourcePolicy::Unreadable`],
/// [`Listed::Unreadable`], [`Provider::Unreadable`].
pub async fn live(aws: &Aws, name: &GatewayName) -> Result<Live, ReadError> {
    let api = api(aws, name);
    let gateway = gateway(aws, name).await?;
    let resource_policy = resource_policy(&api, &gateway.gateway_arn).await?;
    let base = format!("/gateways/{}", label(&name.id));
    let rate_limits = listed(&api, "ListGatewayRateLimits", format!("{base}/rate-limits")).await?;
    let rules = listed(&api, "ListGatewayRules", format!("{base}/rules")).await?;
    let mut targets = Vec::new();
    // One after the other: AWS takes ten a second.
    for Item { target_id } in pages(&api, "ListGatewayTargets", format!("{base}/targets/")).await? {
        let path = format!("{base}/targets/{}/", label(&target_id));
        targets.push(api.rest("GetGatewayTarget", Method::GET, &path, NOTHING).await?);
    }
    let providers = providers(&api, &targets).await?;
    Ok(Live { gateway, resource_policy, rate_limits, rules, targets, providers })
}

/// What AWS says of the gateway itself.
///
/// # Errors
/// [`ReadError`].
pub async fn gateway(aws: &Aws, name: &GatewayName) -> Result<Gateway, ReadError> {
    let path = format!("/gateways/{}/", label(&name.id));
    let gateway: Gateway = api(aws, name).rest("GetGateway", Method::GET, &path, NOTHING).await?;
    match &name.arn {
        Some(asked) if asked.to_string() != gateway.gateway_arn => {
            Err(ReadError::Other { asked: asked.clone(), found: gateway.gateway_arn })
        }
        _ => Ok(gateway),
    }
}

fn api<'a>(aws: &'a Aws, name: &'a GatewayName) -> Api<'a> {
    aws.api(Service::BEDROCK_AGENTCORE_CONTROL, name.region.as_deref())
}

async fn resource_policy(api: &Api<'_>, arn: &str) -> Result<ResourcePolicy, ReadError> {
    let path = format!("/resourcepolicy/{}", label(arn));
    let answer: Result<Policy, CallError> = api.rest("GetResourcePolicy", Method::GET, &path, NOTHING).await;
    match answer {
        Ok(Policy { policy }) => {
            Ok(policy.filter(|text| !text.is_empty()).map_or(ResourcePolicy::Absent, ResourcePolicy::Text))
        }
        // The gateway itself is there.
        Err(CallError::Refused(why)) if why.code == "ResourceNotFoundException" => Ok(ResourcePolicy::Absent),
        Err(why) => Ok(ResourcePolicy::Unreadable(refusal(why)?)),
    }
}

/// A list that is said to be different where it is not shown.
async fn listed<T: DeserializeOwned>(api: &Api<'_>, operation: &str, path: String) -> Result<Listed<T>, ReadError> {
    match pages(api, operation, path).await {
        Ok(entries) => Ok(Listed::Shown(entries)),
        Err(ReadError::Aws(why)) => Ok(Listed::Unreadable(refusal(why)?)),
        Err(why) => Err(why),
    }
}

/// The entries of a list, from every page.
pub(crate) async fn pages<T: DeserializeOwned>(
    api: &Api<'_>,
    operation: &str,
    base: String,
) -> Result<Vec<T>, ReadError> {
    let mut entries = Vec::new();
    let mut path = base.clone();
    for _ in 0..MOST_PAGES {
        let page: Page<T> = api.rest(operation, Method::GET, &path, NOTHING).await?;
        entries.extend(page.items);
        match page.next_token {
            Some(token) => path = format!("{base}?nextToken={}", label(&token)),
            None => return Ok(entries),
        }
    }
    Err(ReadError::Endless(operation.to_owned()))
}

/// The credential providers of the targets, each once.
async fn providers(api: &Api<'_>, targets: &[Target]) -> Result<BTreeMap<String, Provider>, ReadError> {
    let mut providers = BTreeMap::new();
    for credential in targets.iter().filter_map(Target::credential) {
        let Some(arn) = credential.provider_arn().filter(|arn| !providers.contains_key(*arn)) else { continue };
        let provider = match provider(api, credential, arn).await {
            Ok(provider) => provider,
            // This one only: others may be shown.
            Err(why) => Provider::Unreadable(refusal(why)?),
        };
        providers.insert(arn.to_owned(), provider);
    }
    Ok(providers)
}

/// What AWS says against showing one thing.
///
/// # Errors
/// Whatever else went wrong: it says nothing about that thing.
fn refusal(error: CallError) -> Result<String, CallError> {
    match error {
        CallError::Refused(why) if !is_throttling(&why.code) => Ok(why.to_string()),
        other => Err(other),
    }
}

/// One provider, which its name leads to: the last segment of its ARN.
async fn provider(api: &Api<'_>, credential: &CredentialConfiguration, arn: &str) -> Result<Provider, CallError> {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    match credential.credential_provider_type.as_str() {
        "API_KEY" => ask(api, "GetApiKeyCredentialProvider", name).await.map(Provider::ApiKey),
        _ => ask(api, "GetOauth2CredentialProvider", name).await.map(Provider::Oauth2),
    }
}

async fn ask<T: DeserializeOwned>(api: &Api<'_>, operation: &str, name: &str) -> Result<T, CallError> {
    api.rest(operation, Method::POST, &format!("/identities/{operation}"), Some(&json!({ "name": name }))).await
}
