//! AgentCore's `customJWTAuthorizer`: a bearer token is verified, held against the rules, and remembered until it
//! expires. Knows no HTTP beyond the header `Authorization`.

use std::{fmt, sync::Arc, time::Duration};

use causeway_core::authorizer::{Authorizer, Denied};
use causeway_oidc::{TokenError, Verifier, clock::Clock, token};
use http::request::Parts;
use url::Url;

use super::{
    Caller, Reason, Refusal,
    bearer::{self, NoToken},
    remembered::{Holding, Remembered},
    vouched::{Another, Vouched},
};
use crate::config::CustomJwt;

/// Checks tokens of one issuer.
pub(super) struct JwtCheck {
    discovery_url: Url,
    verifier: Verifier,
    rules: Authorizer,
    /// The allowed scopes as challenges show them.
    scope: Arc<str>,
    /// Until their `exp`.
    verified: Remembered<Arc<Caller>>,
    clock: Clock,
    clock_skew: Duration,
}

/// Why a token is refused, for the log.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    NoToken(#[from] NoToken),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Another(#[from] Another),
}

impl JwtCheck {
    pub(super) fn new(config: &CustomJwt, http: reqwest::Client, clock: Clock) -> Self {
        let verifier = Verifier::new(config.discovery_url.clone(), http, clock.clone(), config.clock_skew);
        Self::by(verifier, config, clock)
    }

    /// Whether what this knows of its issuer would do for `config` too.
    pub(super) fn is_of_the_issuer_of(&self, config: &CustomJwt) -> bool {
        (&self.discovery_url, self.clock_skew) == (&config.discovery_url, config.clock_skew)
    }

    /// By the rules of `config`, which is about the same issuer. Who was let in by these rules is not by those.
    pub(super) fn with_rules_of(&self, config: &CustomJwt) -> Self {
        Self::by(self.verifier.clone(), config, self.clock.clone())
    }

    fn by(verifier: Verifier, config: &CustomJwt, clock: Clock) -> Self {
        Self {
            discovery_url: config.discovery_url.clone(),
            verifier,
            scope: config.rules.allowed_scopes.join(" ").into(),
            rules: config.rules.clone(),
            verified: Remembered::new(clock.clone()),
            clock,
            clock_skew: config.clock_skew,
        }
    }

    pub(super) fn remembered(&self) -> usize {
        self.verified.count()
    }

    pub(super) async fn authenticate(&self, head: &Parts) -> Result<Arc<Caller>, Refusal> {
        self.caller(head).await.map_err(|cause| Refusal::new(cause.reason(), &self.scope, &cause))
    }

    async fn caller(&self, head: &Parts) -> Result<Arc<Caller>, Arc<Cause>> {
        let token = bearer::token(&head.headers).map_err(Cause::from)?;
        if let Some(vouched) = head.extensions.get::<Vouched>() {
            return Ok(self.vouched(token, vouched)?);
        }
        self.verified.of(token, self.verify(token)).await
    }

    async fn verify(&self, token: &str) -> Result<Holding<Arc<Caller>>, Cause> {
        let claims = self.verifier.verify(token).await?;
        self.rules.check(&claims)?;
        let until = claims.expires_at();
        Ok(Holding { value: Arc::new(Caller::from_claims(claims.into_map())), until })
    }

    /// The caller of a token whose signature somebody else has verified. Everything else is checked here all the same.
    fn vouched(&self, token: &str, vouched: &Vouched) -> Result<Arc<Caller>, Cause> {
        let claims = token::vouched(token, &issuer_by_url(&self.discovery_url), self.clock.now(), self.clock_skew)?;
        vouched.is_for(&claims)?;
        self.rules.check(&claims)?;
        Ok(Arc::new(Caller::from_claims(claims.into_map())))
    }

    /// The allowed scopes.
    pub(super) fn scopes(&self) -> &[String] {
        &self.rules.allowed_scopes
    }

    /// The issuer. While its discovery document cannot be had, what the URL of the document says, which is the same for
    /// issuers that keep to the standard.
    pub(super) async fn issuer(&self) -> String {
        match self.verifier.issuer().await {
            Ok(issuer) => issuer,
            Err(_) => issuer_by_url(&self.discovery_url),
        }
    }
}

impl fmt::Debug for JwtCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtCheck").field("verifier", &self.verifier).field("rules", &self.rules).finish()
    }
}

impl Cause {
    fn reason(&self) -> Reason {
        match self {
            Self::NoToken(NoToken::Absent) => Reason::MissingToken,
            Self::Denied(denied) if denied.is_scope() => Reason::InsufficientScope,
            Self::Token(TokenError::IssuerUnavailable(error)) => {
                Reason::IssuerUnavailable { retry_after: error.retry_after }
            }
            Self::NoToken(_) | Self::Denied(_) | Self::Token(_) | Self::Another(_) => Reason::InvalidToken,
        }
    }
}

/// `url` without its well-known part: OpenID Connect Discovery 1.0 section 4.3 puts that behind the issuer's path, RFC
/// 8414 section 3.1 before it.
fn issuer_by_url(url: &Url) -> String {
    let marks = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];
    let removed = marks.iter().find_map(|mark| url.as_str().split_once(mark));
    removed.map_or_else(|| url.to_string(), |(before, after)| [before, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_read_from_its_discovery_url() {
        let check = |url: &str, issuer: &str| assert_eq!(issuer_by_url(&url.parse().unwrap()), issuer);
        check("https://a.example/.well-known/openid-configuration", "https://a.example");
        check("https://a.example/pool/.well-known/openid-configuration", "https://a.example/pool");
        check("https://a.example/.well-known/oauth-authorization-server/pool", "https://a.example/pool");
    }
}
