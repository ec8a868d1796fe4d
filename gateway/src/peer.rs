//! One MCP server that a person named on the command line, reached by the gateway's own target code: what works there works
//! through a gateway as well. Reads no arguments and prints nothing.

mod client;
mod trouble;

use std::{path::Path, sync::Arc};

use causeway_aws::{Aws, Identity, identity::Settings};
use causeway_oidc::clock::Clock;
use http::header::AUTHORIZATION;
use url::Url;

pub use self::{
    client::{Client, Manner},
    trouble::{Trouble, advice},
};
pub use crate::address::{Address, Admits, BadAddress, GatewayName, Located, Unlocated};
use crate::{
    app,
    config::{
        ApiKey, ApiKeyLocation, Config, Credential, Draft, Environment, EraChoice, HttpTarget, Mistakes, SecretSource,
        Sigv4, Target, TargetKind, TargetSessions, Transport, file::aws::SERVICE, is_loopback,
    },
    targets::Fault,
};

/// What the one target is called in the configuration that leads to it. Nobody sees it.
const NAME: &str = "server";

/// A server and what lets us in there.
#[derive(Clone, Debug)]
pub struct Peer {
    pub endpoint: Url,
    /// AgentCore Runtime hosts it, and `endpoint` is where Runtime is asked for it.
    pub runtime: bool,
    pub credential: Credential,
    /// Who reads a secret that AWS keeps.
    pub aws: Settings,
}

/// A signature would go over the network in the open.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "a signed request to `{0}` could be seen and sent again by others: use its `https` URL, or none of another machine"
)]
pub struct InTheOpen(String);

impl Peer {
    /// The server at `endpoint` (an MCP endpoint, such as `http://127.0.0.1:8000/mcp`).
    pub fn new(endpoint: Url, credential: Credential) -> Self {
        Self { endpoint, runtime: false, credential, aws: Settings::default() }
    }

    /// The server at a place that was looked up.
    pub fn at(located: &Located, credential: Credential) -> Self {
        Self { runtime: located.runtime, ..Self::new(located.url.clone(), credential) }
    }

    /// A configuration in which it is the only target and keeps the names that it gives. The rest is as with a config.toml that
    /// says nothing; a caller may change it.
    ///
    /// # Errors
    /// What is wrong with the proxies of the environment.
    pub fn config(&self, environment: &Environment) -> Result<Config, Mistakes> {
        let http = HttpTarget {
            endpoint: self.endpoint.clone(),
            further: Vec::new(),
            runtime: self.runtime,
            era: EraChoice::Auto,
            sessions: TargetSessions::PerCaller,
        };
        let target = Target {
            name: NAME.parse().expect("it is a name of a target"),
            // Its names stay as they are.
            kind: TargetKind::Gateway { standby: Vec::new() },
            transport: Transport::Http(http),
            resource_priority: crate::config::file::RESOURCE_PRIORITY.try_into().unwrap_or(u16::MAX),
            edits: Arc::default(),
            credential: self.credential.clone(),
            dev: None,
        };
        let mut config = Config { targets: vec![target], ..defaults(environment)? };
        config.aws.identity = self.aws.clone();
        Ok(config)
    }

    /// What went wrong with it, in words for whoever named it.
    pub fn trouble(&self, fault: Fault) -> Trouble {
        Trouble::new(self, fault)
    }

    /// Whether what is shown to it may be seen on the way.
    ///
    /// # Errors
    /// [`InTheOpen`] for a signature that leaves this machine without TLS.
    pub fn checked(self) -> Result<Self, InTheOpen> {
        let safe = self.endpoint.scheme() == "https" || is_loopback(&self.endpoint) || self.runtime;
        match (&self.credential, safe) {
            (Credential::Sigv4(_), false) => Err(InTheOpen(causeway_oidc::fetch::shown(&self.endpoint))),
            _ => Ok(self),
        }
    }
}

/// A bearer token that is shown with each request.
pub fn bearer(token: impl Into<SecretSource>) -> Credential {
    Credential::ApiKey(ApiKey {
        key: token.into(),
        location: ApiKeyLocation::Header(AUTHORIZATION),
        prefix: "Bearer ".into(),
    })
}

/// A signature for AgentCore over each request, by the identity that `settings` choose. Their region, if they name one, is what
/// is signed for; else the ARN's or the host name's.
pub fn signature(settings: Settings) -> Credential {
    Credential::Sigv4(Sigv4 { service: SERVICE.into(), region: settings.region.clone(), identity: settings })
}

/// The configuration of a config.toml that says nothing, with a target that is nowhere.
///
/// # Errors
/// What is wrong with the proxies of the environment.
pub fn defaults(environment: &Environment) -> Result<Config, Mistakes> {
    let text = "authorizer = \"none\"\n[[targets]]\nname = \"nowhere\"\nhttp.endpoint = \"http://127.0.0.1/\"\n";
    Draft::parse(Path::new("(the environment)"), text)?.resolve(environment)
}

/// Who asks AWS, as the identity that `settings` choose.
///
/// # Errors
/// What is wrong with the proxies of the environment; an HTTP client that cannot be built.
pub fn aws(settings: Settings, environment: &Environment) -> anyhow::Result<Aws> {
    let config = defaults(environment)?;
    let clock = Clock::system();
    let identity = Identity::new(settings, clock.clone());
    Ok(Aws::new(app::http_client(&config)?, identity, config.aws.endpoints, clock))
}
