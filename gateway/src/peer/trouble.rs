//! What went wrong with a server, in words for the person who named it: there is no config.toml to look into. Adds nothing
//! to what the target code found out but what to do next.

use std::fmt;

use causeway_oidc::fetch;

use super::Peer;
use crate::{config::Credential, targets::Fault};

/// A server did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Trouble {
    /// Its URL, without what may be secret.
    pub place: String,
    pub fault: Fault,
    shown: Shown,
}

/// What kind of credential was shown.
#[derive(Clone, Copy, Debug)]
enum Shown {
    Nothing,
    Token,
    ClientCredentials,
    Signature,
}

/// What a person can try who named a server on the command line and was answered with an HTTP 401 or 403, having shown this.
pub fn advice(credential: &Credential, status: u16) -> &'static str {
    Shown::of(credential).advice(status)
}

impl Trouble {
    pub(super) fn new(peer: &Peer, fault: Fault) -> Self {
        Self { place: fetch::shown(&peer.endpoint), fault, shown: Shown::of(&peer.credential) }
    }

    /// Whether the server answered, and kept us out.
    pub fn is_refusal(&self) -> bool {
        let fault = match &self.fault {
            Fault::Unsent(fault) => fault,
            fault => fault,
        };
        matches!(fault, Fault::Unauthorized(_))
    }

    fn words(&self, f: &mut fmt::Formatter<'_>, fault: &Fault) -> fmt::Result {
        let place = &self.place;
        match fault {
            Fault::Unsent(fault) => self.words(f, fault),
            Fault::Unreachable(why) => {
                write!(f, "`{place}` could not be reached: {why}; check the URL, and that the server runs")
            }
            Fault::Credential(error) => write!(f, "there is nothing to show to `{place}`: {}", error.failure),
            Fault::Unauthorized(status) => {
                write!(f, "`{place}` did not let us in (HTTP {status}): {}", self.shown.advice(*status))
            }
            Fault::Silent(after) => {
                write!(f, "`{place}` did not answer within {after:?}; give it longer with `--timeout`")
            }
            Fault::Status(404 | 405) => {
                write!(f, "`{place}` {fault}; check the path: most servers speak MCP at `/mcp`")
            }
            Fault::Garbage(_) => write!(f, "`{place}` {fault}; check that the URL is that of an MCP endpoint"),
            fault => write!(f, "`{place}` {fault}"),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words(f, &self.fault)
    }
}

impl Shown {
    fn of(credential: &Credential) -> Self {
        match credential {
            Credential::None => Self::Nothing,
            Credential::ApiKey(_) => Self::Token,
            Credential::ClientCredentials(_) => Self::ClientCredentials,
            Credential::Sigv4(_) => Self::Signature,
        }
    }

    /// What to try after an HTTP 401 or 403.
    fn advice(self, status: u16) -> &'static str {
        match (self, status) {
            (Self::Nothing, _) => {
                "show a token with `--auth bearer` (from `CAUSEWAY_TOKEN`, `--token-env` or `--token-file`), or sign with \
                 `--auth sigv4`"
            }
            (Self::Token, 401) => {
                "the token may have expired or be for another server; look at it with `causeway token inspect`"
            }
            (Self::ClientCredentials, 401) => {
                "it takes no token of this issuer, or none for these scopes; check `--token-endpoint` and `--scope`"
            }
            (Self::Token | Self::ClientCredentials, _) => "the token is good but may not do this; check its scopes",
            (Self::Signature, _) => {
                "check which identity signs (`causeway doctor`), what it may do, and whether the server wants a token instead"
            }
        }
    }
}
