//! Who calls: turns a client's request into a [`Caller`], or into a [`Refusal`] as AgentCore gives it. The head proves it with
//! a token; with a signature it takes the body too. Does not decide what a caller may do, and writes no response.

use std::{fmt, sync::Arc};

use causeway_core::{authorizer, name::ToolsetName};
use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::{config, stored::Sources};

mod aws_iam;
mod bearer;
mod jwt;
mod refusal;
mod remembered;
mod vouched;

use aws_iam::{AwsIamCheck, Begun};
use jwt::JwtCheck;
pub use refusal::{Reason, Refusal};
#[cfg(feature = "lambda")]
pub(crate) use vouched::Vouched;

/// A client that was let in. It holds what policy and sessions need, not the token. `Debug` shows the id only.
#[derive(Clone, PartialEq)]
pub struct Caller {
    /// The claim `sub`, else `client_id`, else `anonymous`; of an AWS principal its ARN.
    pub id: String,
    /// What is kept or sealed for this caller alone is so under this: the id, and the endpoint where it is not the gateway's own. Two
    /// endpoints may have authorizers that call different people the same, so no two of them share a key.
    pub key: String,
    claims: Arc<Map<String, Value>>,
}

/// The authorizer of an endpoint. Clones share its cache of verified tokens and the issuer's keys.
#[derive(Clone, Debug)]
pub struct Inbound {
    kind: Kind,
    /// The toolset whose endpoint it is; `None`: the gateway's own.
    toolset: Option<Arc<ToolsetName>>,
}

#[derive(Clone, Debug)]
enum Kind {
    Anyone(Arc<Caller>),
    Jwt(Arc<JwtCheck>),
    AwsIam(Arc<AwsIamCheck>),
}

/// What the head of a request says of its caller.
#[derive(Debug)]
pub struct Claim {
    begun: Begun,
    toolset: Option<Arc<ToolsetName>>,
}

impl Inbound {
    /// The authorizer that `config` asks for. Nothing is fetched yet.
    pub fn new(config: &config::Authorizer, sources: &Sources) -> Self {
        let (http, clock) = (sources.http.clone(), sources.clock.clone());
        let kind = match config {
            config::Authorizer::None => Kind::Anyone(Arc::new(Caller::anonymous())),
            config::Authorizer::CustomJwt(jwt) => Kind::Jwt(Arc::new(JwtCheck::new(jwt, http, clock))),
            config::Authorizer::AwsIam(iam) => Kind::AwsIam(Arc::new(AwsIamCheck::new(iam, sources))),
        };
        Self { kind, toolset: None }
    }

    /// The authorizer that `config` asks for, in the place of this one: it knows what this one knows of the same issuer, but for who
    /// was let in.
    pub fn after(&self, config: &config::Authorizer, sources: &Sources) -> Self {
        match (&self.kind, config) {
            (Kind::Jwt(before), config::Authorizer::CustomJwt(jwt)) if before.is_of_the_issuer_of(jwt) => {
                Self { kind: Kind::Jwt(Arc::new(before.with_rules_of(jwt))), toolset: None }
            }
            _ => Self::new(config, sources),
        }
    }

    /// Whether both are the same authorizer, at whatever endpoint.
    pub fn is_as(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Anyone(_), Kind::Anyone(_)) => true,
            (Kind::Jwt(one), Kind::Jwt(other)) => Arc::ptr_eq(one, other),
            (Kind::AwsIam(one), Kind::AwsIam(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// The same before the endpoint of a toolset.
    pub fn of_toolset(&self, name: &ToolsetName) -> Self {
        Self { toolset: Some(Arc::new(name.clone())), ..self.clone() }
    }

    /// Asks the issuer for its keys now: the first caller does not wait for them, and an issuer that cannot be reached is in
    /// the log from the start.
    pub async fn prepare(&self) {
        if let Kind::Jwt(check) = &self.kind {
            let _ = check.issuer().await;
        }
    }

    /// Who says to send the request with this head. Without an authorizer it is the anonymous caller, whatever it says.
    ///
    /// # Errors
    /// The [`Refusal`] that is to be the response.
    pub async fn authenticate(&self, head: &Parts) -> Result<Claim, Refusal> {
        let begun = match &self.kind {
            Kind::Anyone(caller) => Begun::Caller(caller.clone()),
            Kind::Jwt(check) => Begun::Caller(check.authenticate(head).await?),
            Kind::AwsIam(check) => Box::pin(check.begin(head)).await?,
        };
        Ok(Claim { begun, toolset: self.toolset.clone() })
    }

    /// How many tokens of callers are known to be good, as far as is known without looking at each.
    pub fn remembered(&self) -> usize {
        match &self.kind {
            Kind::Jwt(check) => check.remembered(),
            Kind::Anyone(_) | Kind::AwsIam(_) => 0,
        }
    }

    /// The protected resource metadata (RFC 9728) of the gateway at the URL `resource`, with the members that AgentCore
    /// has: `authorization_servers`, `resource` and, if scopes are asked for, `scopes_supported`. People log in at
    /// `authorization_server`, if not at the issuer. None without an authorizer.
    pub async fn resource_metadata(&self, resource: &str, authorization_server: Option<String>) -> Option<Value> {
        let Kind::Jwt(check) = &self.kind else { return None };
        let authorization_server = match authorization_server {
            Some(server) => server,
            None => check.issuer().await,
        };
        let mut metadata = json!({"authorization_servers": [authorization_server], "resource": resource});
        if !check.scopes().is_empty() {
            metadata["scopes_supported"] = check.scopes().into();
        }
        Some(metadata)
    }
}

impl Claim {
    /// The caller of the request with this head and this whole body.
    ///
    /// # Errors
    /// The [`Refusal`] that is to be the response.
    pub async fn prove(self, head: &Parts, body: &[u8]) -> Result<Arc<Caller>, Refusal> {
        let caller = match self.begun {
            Begun::Caller(caller) => caller,
            Begun::Signed(signed) => signed.finish(head, body).await?,
        };
        Ok(match &self.toolset {
            None => caller,
            Some(toolset) => Arc::new(caller.at(toolset)),
        })
    }
}

impl Caller {
    /// Whoever calls a gateway that has no authorizer.
    pub fn anonymous() -> Self {
        Self::from_claims(Map::new())
    }

    /// Whoever uses the admin port of this machine, where nobody is asked who he is.
    pub fn on_admin_port() -> Self {
        // No toolset and no issuer can make this key.
        Self { id: "admin-port".to_owned(), key: "\0\u{1}admin-port".to_owned(), claims: Arc::default() }
    }

    /// A caller whom another replica of this gateway has let in.
    pub(crate) fn let_in_elsewhere(id: String, key: String, claims: Map<String, Value>) -> Self {
        Self { id, key, claims: Arc::new(claims) }
    }

    fn from_claims(claims: Map<String, Value>) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|id| !id.is_empty());
        let id = text("sub").or(text("client_id")).unwrap_or("anonymous").to_owned();
        Self::new(id, claims)
    }

    fn new(id: String, claims: Map<String, Value>) -> Self {
        // An issuer may call somebody anything, but not what a caller of a toolset is kept under.
        let key = if id.starts_with('\0') { ["\0\0", &id].concat() } else { id.clone() };
        Self { id, key, claims: Arc::new(claims) }
    }

    /// The same caller at the endpoint of a toolset.
    fn at(&self, toolset: &ToolsetName) -> Self {
        Self { key: ["\0", toolset.as_str(), "\0", &self.id].concat(), ..self.clone() }
    }

    /// The claims of the caller's token, verified; empty for the anonymous caller.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The claim `client_id`: the application that calls for the caller.
    pub fn client(&self) -> Option<&str> {
        self.claims.get("client_id").and_then(Value::as_str)
    }

    /// The claim `iss`: who says that it is the caller.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The scopes of the caller's token.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        authorizer::scopes(&self.claims)
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(feature = "dev")]
mod tests;
