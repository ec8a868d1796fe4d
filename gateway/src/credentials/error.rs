//! Why there is no credential for a target: which target, at which stage, what happened, what to check. No text of it
//! holds a secret, a token or a body.

use std::{fmt, sync::Arc, time::Duration};

use causeway_aws::{NoCredentials, NoRegion, sign::SignError};
use causeway_core::name::TargetName;
use causeway_oidc::{fetch::FetchError, kept::Interrupted};
use http::StatusCode;

use crate::stored::SecretUnread;

/// A target cannot be called because the gateway has nothing to show it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no credential for target `{target}`, stage `{stage}`: {failure}")]
pub struct CredentialError {
    pub target: TargetName,
    pub stage: Stage,
    /// Shared by everyone who waited for the same token.
    pub failure: Arc<Failure>,
}

/// Where it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading the discovery document that names the token endpoint.
    Discovery,
    /// Reading a secret that AWS keeps.
    Secret,
    /// Asking the token endpoint.
    Token,
    /// Reading the gateway's own AWS credentials.
    Identity,
    /// Putting the credential on the request.
    Request,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Discovery(#[from] FetchError),
    #[error("the discovery document at `{url}` has no `token_endpoint`: set `token_endpoint` instead")]
    NoTokenEndpoint { url: String },
    #[error("`{url}` cannot be reached ({cause}): check the token endpoint and the network between")]
    Unreachable { url: String, cause: String },
    #[error("`{url}` did not answer within {}s: check that the token endpoint is healthy", .after.as_secs_f32())]
    TimedOut { url: String, after: Duration },
    #[error("`{url}` answered with more than {limit} bytes: check that it is the token endpoint")]
    TooLarge { url: String, limit: usize },
    #[error("`{url}` answered {status} with the error `{code}`: {}", hint(code))]
    Refused { url: String, status: StatusCode, code: String },
    #[error("`{url}` answered {status}, but no token response: check that it is the token endpoint")]
    Unexpected { url: String, status: StatusCode },
    #[error("`{url}` gave a token that is no bearer token: only `token_type` `Bearer` can be shown to a target")]
    NotBearer { url: String },
    #[error("the credential holds characters that a request cannot carry: check it for line breaks")]
    Unsendable,
    #[error(transparent)]
    Secret(#[from] SecretUnread),
    #[error(transparent)]
    Identity(#[from] NoCredentials),
    #[error("{0}; or write `credential.sigv4.region`")]
    Region(#[from] NoRegion),
    #[error(transparent)]
    Unsigned(#[from] SignError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery",
            Self::Secret => "secret",
            Self::Token => "token",
            Self::Identity => "identity",
            Self::Request => "request",
        })
    }
}

/// What to check when a token endpoint answers with this error (RFC 6749, section 5.2; RFC 8707, section 2).
fn hint(code: &str) -> &'static str {
    match code {
        "invalid_client" => "check `client_id`, the secret and `client_authentication`",
        "invalid_scope" => "check `scopes`",
        "invalid_target" => "check `resource` or `audience` in `custom_parameters`",
        "unauthorized_client" | "unsupported_grant_type" => "allow the client the grant `client_credentials`",
        _ => "check the client's registration and `custom_parameters`",
    }
}
