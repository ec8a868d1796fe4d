//! The discovery document of an issuer, as far as tokens need it. Fetches no keys and caches nothing.
//!
//! Source: OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::fetch::{self, FetchError};

/// What an issuer says about itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Discovery {
    /// The `iss` of its tokens. Its host may differ from the one that served the document.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: Option<Url>,
    /// Where tokens are requested.
    pub token_endpoint: Option<Url>,
}

impl Discovery {
    /// Reads the document at `url`, which ends in `/.well-known/openid-configuration` or is the RFC 8414 form.
    ///
    /// # Errors
    /// [`FetchError`] if it cannot be had within `timeout` or has no `issuer`.
    pub async fn fetch(http: &reqwest::Client, url: &Url, timeout: Duration) -> Result<Self, FetchError> {
        fetch::document(http, url, "a discovery document (JSON with `issuer`)", timeout).await
    }
}
