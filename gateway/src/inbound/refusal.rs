//! What a client that is not let in gets to see. Says nothing of why beyond what AgentCore says, but for the cause, which is for
//! clients only where the config says `exception_level = "debug"`.
//!
//! Source: AgentCore's gateway pages on inbound authorization and on CloudTrail entries; RFC 6750, section 3; RFC 9728,
//! section 5.1.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderValue, StatusCode};

/// A refusal in AgentCore's form: status, challenge, and a JSON-RPC error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct Refusal {
    reason: Reason,
    /// The scopes that are asked for, separated by spaces.
    scope: Arc<str>,
    cause: String,
}

/// Which of the refusals it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No credentials at all.
    MissingToken,
    /// Malformed, not verified, expired, or broken rules other than the scopes.
    InvalidToken,
    /// A good token that lacks a scope.
    InsufficientScope,
    /// No signature at all, where requests are to be signed.
    MissingSignature,
    /// A signature, or a token in its place, that is malformed, expired, of an unknown access key, or does not match.
    InvalidSignature,
    /// A good token of an AWS principal that may not call.
    PrincipalNotAllowed,
    /// The token cannot be judged now; the same may be good after this long.
    IssuerUnavailable { retry_after: Duration },
}

impl Refusal {
    /// A refusal for `cause`, which it logs.
    pub(super) fn new(reason: Reason, scope: &Arc<str>, cause: &impl fmt::Display) -> Self {
        match reason {
            // How a client begins that does not know yet what is wanted of it.
            Reason::MissingToken | Reason::MissingSignature => tracing::debug!(%cause, "refused a caller"),
            Reason::IssuerUnavailable { .. } => tracing::warn!(%cause, "a caller could not be judged"),
            _ => tracing::info!(%cause, "refused a caller"),
        }
        Self { reason, scope: scope.clone(), cause: cause.to_string() }
    }

    /// Why, in words for the operator. No secret and no token is in them.
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// Which refusal this is.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Which refusal this is, in a word for metrics and logs.
    pub fn word(&self) -> &'static str {
        match self.reason {
            Reason::MissingToken => "missing_token",
            Reason::InvalidToken => "invalid_token",
            Reason::InsufficientScope => "insufficient_scope",
            Reason::MissingSignature => "missing_signature",
            Reason::InvalidSignature => "invalid_signature",
            Reason::PrincipalNotAllowed => "principal_not_allowed",
            Reason::IssuerUnavailable { .. } => "issuer_unavailable",
        }
    }

    /// The status of the response: 401, 403 or 503.
    pub fn status(&self) -> StatusCode {
        match self.reason {
            Reason::MissingToken | Reason::InvalidToken | Reason::MissingSignature | Reason::InvalidSignature => {
                StatusCode::UNAUTHORIZED
            }
            Reason::InsufficientScope | Reason::PrincipalNotAllowed => StatusCode::FORBIDDEN,
            Reason::IssuerUnavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The header `WWW-Authenticate`, where `metadata_url` is the URL of the protected resource metadata. None for a
    /// refusal that another token would not change.
    pub fn challenge(&self, metadata_url: &str) -> Option<HeaderValue> {
        let error = match self.reason {
            Reason::MissingToken => "",
            Reason::InvalidToken => "invalid_token",
            Reason::InsufficientScope => "insufficient_scope",
            // Says how to prove oneself, and leads nobody to look for an OAuth issuer, which there is none.
            Reason::MissingSignature | Reason::InvalidSignature => {
                return Some(HeaderValue::from_static("AWS4-HMAC-SHA256"));
            }
            Reason::PrincipalNotAllowed | Reason::IssuerUnavailable { .. } => return None,
        };
        let attributes = [("error", error), ("scope", &self.scope), ("resource_metadata", metadata_url)];
        let attributes = attributes.iter().filter(|(_, value)| !value.is_empty());
        let attributes: Vec<_> = attributes.map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        HeaderValue::from_str(&format!("Bearer {}", attributes.join(", "))).ok()
    }

    /// The header `Retry-After`, in whole seconds, if the same request may succeed later.
    pub fn retry_after(&self) -> Option<HeaderValue> {
        match self.reason {
            Reason::IssuerUnavailable { retry_after } => Some((retry_after.as_secs_f64().ceil() as u64).into()),
            _ => None,
        }
    }

    /// The `code` of the JSON-RPC error.
    pub fn code(&self) -> i64 {
        match self.reason {
            Reason::MissingToken | Reason::InvalidToken | Reason::MissingSignature | Reason::InvalidSignature => -32001,
            Reason::InsufficientScope | Reason::PrincipalNotAllowed => -32002,
            Reason::IssuerUnavailable { .. } => -32603,
        }
    }

    /// The `message` of the JSON-RPC error.
    pub fn message(&self) -> &'static str {
        match self.reason {
            Reason::MissingToken => "Missing Bearer token",
            Reason::InvalidToken => "Invalid Bearer token",
            Reason::MissingSignature => "Authentication error - The request is not signed",
            Reason::InvalidSignature => "Authentication error - Invalid credentials",
            Reason::InsufficientScope | Reason::PrincipalNotAllowed => "Authorization error - Insufficient permissions",
            Reason::IssuerUnavailable { .. } => "Internal error - Callers cannot be verified for now, try again later",
        }
    }
}

/// A quoted-string (RFC 9110, section 5.6.4).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = "https://gateway.example/.well-known/oauth-protected-resource";

    fn shown(reason: Reason, scope: &str) -> String {
        let refusal = Refusal::new(reason, &scope.into(), &"why");
        let header = |value: Option<HeaderValue>| value.map_or("-".into(), |value| value.to_str().unwrap().to_owned());
        let (challenge, retry_after) = (header(refusal.challenge(METADATA)), header(refusal.retry_after()));
        let (status, code, message) = (refusal.status().as_u16(), refusal.code(), refusal.message());
        format!("{status} {code} {message}\n  {challenge}\n  {retry_after}\n")
    }

    #[test]
    fn each_refusal_as_a_whole() {
        let retry_after = Duration::from_millis(4200);
        let all = [
            shown(Reason::MissingToken, "mcp/read mcp/write"),
            shown(Reason::MissingToken, ""),
            shown(Reason::InvalidToken, "mcp/read"),
            shown(Reason::InsufficientScope, "mcp/read"),
            shown(Reason::MissingSignature, ""),
            shown(Reason::InvalidSignature, ""),
            shown(Reason::PrincipalNotAllowed, ""),
            shown(Reason::IssuerUnavailable { retry_after }, "mcp/read"),
        ];
        insta::assert_snapshot!(all.concat(), @r#"
        401 -32001 Missing Bearer token
          Bearer scope="mcp/read mcp/write", resource_metadata="https://gateway.example/.well-known/oauth-protected-resource"
          -
        401 -32001 Missing Bearer token
          Bearer resource_metadata="https://gateway.example/.well-known/oauth-protected-resource"
          -
        401 -32001 Invalid Bearer token
          Bearer error="invalid_token", scope="mcp/read", resource_metadata="https://gateway.example/.well-known/oauth-protected-resource"
          -
        403 -32002 Authorization error - Insufficient permissions
          Bearer error="insufficient_scope", scope="mcp/read", resource_metadata="https://gateway.example/.well-known/oauth-protected-resource"
          -
        401 -32001 Authentication error - The request is not signed
          AWS4-HMAC-SHA256
          -
        401 -32001 Authentication error - Invalid credentials
          AWS4-HMAC-SHA256
          -
        403 -32002 Authorization error - Insufficient permissions
          -
          -
        503 -32603 Internal error - Callers cannot be verified for now, try again later
          -
          5
        "#);
    }

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        let refusal = Refusal::new(Reason::InvalidToken, &r#"a"b\c"#.into(), &"why");
        let challenge = refusal.challenge(METADATA).unwrap();
        assert!(challenge.to_str().unwrap().contains(r#"scope="a\"b\\c", "#), "{challenge:?}");
    }
}
