//! What AgentCore's control plane says of a Runtime or a Gateway: whether it is ready, and whom it lets in. Only for servers that AWS
//! hosts, and only as far as these credentials may ask: who has none is told nothing here.
//!
//! Source: AgentCore's API model `bedrock-agentcore-control`, 2023-06-05.

use causeway_aws::{
    Arn, Aws, Identity,
    call::{Api, CallError, label},
    endpoint::Service,
};
use http::Method;
use serde::Deserialize;
use url::Url;

use super::{Bench, Finding};
use crate::{
    address::{Address, GatewayName},
    cli::screen::count,
    config::Credential,
    import::{live::AuthorizerConfiguration, read::pages},
};

const READY: &str = "READY";
/// Of targets that are not ready, so many are named.
const MOST: usize = 12;

/// A server that AWS hosts, as the gateway is to reach it.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Hosted<'a> {
    address: Address,
    credential: &'a Credential,
}

/// The answers of `GetAgentRuntime` and, without the authorizer, of `GetAgentRuntimeEndpoint`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Runtime {
    agent_runtime_arn: String,
    #[serde(alias = "liveVersion")]
    agent_runtime_version: Option<String>,
    status: String,
    failure_reason: Option<String>,
    protocol_configuration: Option<Protocol>,
    authorizer_configuration: Option<AuthorizerConfiguration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Protocol {
    server_protocol: Option<String>,
}

/// The answer of `GetGateway`, and an entry of `ListGatewayTargets`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    name: Option<String>,
    status: Option<String>,
    status_reasons: Option<Vec<String>>,
    authorizer_type: Option<String>,
    authorizer_configuration: Option<AuthorizerConfiguration>,
}

impl<'a> Hosted<'a> {
    /// The server at `url`, if AWS hosts it; `named` is what a person called it.
    pub(super) fn new(named: Option<&Address>, url: &Url, credential: &'a Credential) -> Option<Self> {
        let address = match named {
            Some(address @ (Address::Runtime { .. } | Address::Gateway(_))) => Some(address.clone()),
            Some(Address::Url(_)) | None => Address::named_by_aws(url),
        };
        Some(Self { address: address?, credential })
    }

    /// The server at `address`.
    pub(in crate::cli) fn at(address: Address, credential: &'a Credential) -> Self {
        Self { address, credential }
    }

    /// What is seen of it.
    pub(super) async fn look(self, bench: &Bench) -> Vec<Finding> {
        let aws = match self.credential {
            Credential::Sigv4(sigv4) => {
                let identity = Identity::new(sigv4.identity.clone(), bench.clock.clone());
                Aws::new(bench.sources.http.clone(), identity, bench.config.aws.endpoints.clone(), bench.clock.clone())
            }
            Credential::None | Credential::ClientCredentials(_) | Credential::ApiKey(_) => bench.sources.aws.clone(),
        };
        match self.asked(&aws).await {
            Ok(findings) => findings,
            Err(CallError::Credentials(_) | CallError::Region(_)) => Vec::new(),
            Err(error) => vec![unseen(&error)],
        }
    }

    /// The same, and that nobody may be asked is seen too.
    pub(in crate::cli) async fn look_as(self, aws: &Aws) -> Vec<Finding> {
        self.asked(aws).await.unwrap_or_else(|error| vec![unseen(&error)])
    }

    async fn asked(&self, aws: &Aws) -> Result<Vec<Finding>, CallError> {
        match &self.address {
            Address::Url(_) => Ok(Vec::new()),
            Address::Runtime { arn, endpoint } => self.runtime(aws, arn, endpoint.as_deref()).await,
            Address::Gateway(name) => self.gateway(aws, name).await,
        }
    }

    async fn runtime(&self, aws: &Aws, arn: &Arn, endpoint: Option<&str>) -> Result<Vec<Finding>, CallError> {
        let Some(id) = arn.resource_of("runtime") else { return Ok(Vec::new()) };
        let (api, path) = (control(aws, arn.region()), format!("/runtimes/{}/", label(id)));
        let runtime: Runtime = api.rest("GetAgentRuntime", Method::GET, &path, None::<&()>).await?;
        if runtime.agent_runtime_arn != arn.to_string() {
            let seen = format!("these credentials lead to `{}`, which is another Runtime", runtime.agent_runtime_arn);
            return Ok(vec![Finding::warning("status", seen).todo("use those of the Runtime's account")]);
        }
        let mut findings = vec![runtime.state("status")];
        // A qualifier may be a version as well, which has no state of its own.
        if let Some(name) = endpoint.filter(|name| !name.starts_with(|first: char| first.is_ascii_digit())) {
            let path = format!("{path}runtime-endpoints/{}/", label(name));
            let endpoint: Runtime = api.rest("GetAgentRuntimeEndpoint", Method::GET, &path, None::<&()>).await?;
            findings.push(endpoint.state("endpoint"));
        }
        let protocol = runtime.protocol_configuration.and_then(|protocol| protocol.server_protocol);
        if let Some(protocol) = protocol.filter(|protocol| protocol != "MCP") {
            findings.push(
                Finding::problem("protocol", format!("it is deployed for {protocol}"))
                    .todo("deploy it with the server protocol MCP"),
            );
        }
        // Without an authorizer of its own, a Runtime takes signatures.
        let issuer = runtime.authorizer_configuration.and_then(|it| it.custom_jwt_authorizer);
        findings.extend(match issuer {
            Some(jwt) => self.token_wanted(&jwt.discovery_url),
            None => self.signature_wanted(),
        });
        Ok(findings)
    }

    async fn gateway(&self, aws: &Aws, name: &GatewayName) -> Result<Vec<Finding>, CallError> {
        let api = control(aws, name.region.as_deref());
        let path = format!("/gateways/{}/", label(&name.id));
        let gateway: State = api.rest("GetGateway", Method::GET, &path, None::<&()>).await?;
        let mut findings = vec![gateway.finding()];
        let jwt = gateway.authorizer_configuration.and_then(|it| it.custom_jwt_authorizer);
        findings.extend(match (gateway.authorizer_type.as_deref(), jwt) {
            (Some("CUSTOM_JWT"), Some(jwt)) => self.token_wanted(&jwt.discovery_url),
            (Some("AWS_IAM" | "AUTHENTICATE_ONLY"), _) => self.signature_wanted(),
            _ => None,
        });
        let targets: Result<Vec<State>, _> = pages(&api, "ListGatewayTargets", format!("{path}targets/")).await;
        findings.extend(match targets {
            Ok(targets) => of_targets(&targets),
            Err(error) => vec![
                Finding::warning("targets", format!("AWS does not show them: {error}"))
                    .todo("allow `bedrock-agentcore:ListGatewayTargets`, if you want to know"),
            ],
        });
        Ok(findings)
    }

    fn token_wanted(&self, discovery_url: &str) -> Option<Finding> {
        let shown = match self.credential {
            Credential::ClientCredentials(_) | Credential::ApiKey(_) => return None,
            Credential::Sigv4(_) => "a signature",
            Credential::None => "nothing",
        };
        let seen = format!("it takes tokens of `{discovery_url}`, and is shown {shown}");
        Some(Finding::problem("authorizer", seen).todo("get a token there: client credentials, or a bearer token"))
    }

    fn signature_wanted(&self) -> Option<Finding> {
        let shown = match self.credential {
            Credential::Sigv4(_) => return None,
            Credential::ClientCredentials(_) | Credential::ApiKey(_) => "a token",
            Credential::None => "nothing",
        };
        let seen = format!("it takes signatures of AWS credentials, and is shown {shown}");
        Some(Finding::problem("authorizer", seen).todo("sign the requests to it: `sigv4`"))
    }
}

fn control<'a>(aws: &'a Aws, region: Option<&'a str>) -> Api<'a> {
    aws.api(Service::BEDROCK_AGENTCORE_CONTROL, region)
}

impl Runtime {
    fn state(&self, what: &'static str) -> Finding {
        let version = self.agent_runtime_version.as_ref().map(|it| format!(", version {it}")).unwrap_or_default();
        judged(what, &self.status, &version, self.failure_reason.as_deref())
    }
}

impl State {
    fn finding(&self) -> Finding {
        let reasons = self.status_reasons.as_ref().map(|reasons| reasons.join("; "));
        judged("status", self.status.as_deref().unwrap_or(READY), "", reasons.as_deref())
    }
}

/// What a state is worth; `reason` is why it is no better.
fn judged(what: &'static str, status: &str, more: &str, reason: Option<&str>) -> Finding {
    let why = reason.filter(|reason| !reason.is_empty()).map(|reason| format!(": {reason}")).unwrap_or_default();
    let seen = format!("{status}{more}{why}");
    match status {
        READY => Finding::good(what, format!("{READY}{more}")),
        "CREATING" | "UPDATING" | "SYNCHRONIZING" => Finding::warning(what, seen).todo("wait until it is READY"),
        // What was there before still serves.
        "UPDATE_FAILED" | "UPDATE_UNSUCCESSFUL" | "SYNCHRONIZE_UNSUCCESSFUL" => {
            Finding::warning(what, seen).todo("mend what the reason says, and update it again")
        }
        status if status.ends_with("_PENDING_AUTH") => {
            Finding::problem(what, seen).todo("a person must grant the access that it asks for in the AWS console")
        }
        _ => Finding::problem(what, seen).todo("mend what the reason says, and deploy it again"),
    }
}

/// In one line if all are ready; else those that are not.
fn of_targets(targets: &[State]) -> Vec<Finding> {
    let bad = targets.iter().filter(|target| target.status.as_deref().is_some_and(|status| status != READY));
    let bad: Vec<_> = bad.take(MOST).collect();
    if bad.is_empty() {
        return vec![Finding::good("targets", format!("{}, all {READY}", count(targets.len(), "target")))];
    }
    let of = |target: &&State| {
        let name = target.name.as_deref().unwrap_or("(without a name)");
        let mut finding = target.finding();
        (finding.what, finding.seen) = ("targets", format!("`{name}` is {}", finding.seen));
        finding
    };
    bad.iter().map(of).collect()
}

/// Whether the server works is seen without AWS's word; so this is no problem.
fn unseen(error: &CallError) -> Finding {
    let finding = match error {
        CallError::Refused(why) if why.code.starts_with("AccessDenied") => {
            Finding::warning("status", format!("these credentials may not ask for it (`{}`)", why.operation))
                .todo(format!("allow `bedrock-agentcore:{}`, if you want to know", why.operation))
        }
        CallError::Refused(why) if why.code == "ResourceNotFoundException" => {
            Finding::warning("status", format!("AWS finds nothing of this name: {why}"))
                .todo("check its id, its region and the account")
        }
        error => Finding::failed("status", error).but_works(),
    };
    finding.or_todo("check the credentials, if you want to know")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Level;

    #[test]
    fn a_state_is_worth_what_still_serves() {
        let check =
            |status: &str, level: Level| assert_eq!(judged("status", status, "", None).level, level, "{status}");
        check("READY", Level::Good);
        check("UPDATING", Level::Warning);
        check("UPDATE_FAILED", Level::Warning);
        check("CREATE_FAILED", Level::Problem);
        check("CREATE_PENDING_AUTH", Level::Problem);
        check("DELETING", Level::Problem);
        let seen = judged("status", "CREATE_FAILED", ", version 1", Some("the image is for x86")).seen;
        assert_eq!(seen, "CREATE_FAILED, version 1: the image is for x86");
    }
}
