//! What an issuer serves: its discovery document and its key set.

use std::time::Duration;

use causeway_oidc::{
    discovery::Discovery,
    fetch,
    keys::{KeySet, Keys},
    token,
};
use serde_json::Value;

/// `data` is a document, taken for either.
///
/// A set gives no more keys than it holds, none of them for encryption and none symmetric; with none of them a token is taken that
/// nobody signed; a URL in a message holds no password.
pub fn check(data: &[u8]) {
    if let Ok(discovery) = serde_json::from_slice::<Discovery>(data) {
        for url in [&discovery.jwks_uri, &discovery.token_endpoint].into_iter().flatten() {
            let shown = fetch::shown(url);
            let shown = url::Url::parse(&shown).expect("what is shown is a URL");
            assert!(shown.password().is_none() && shown.query().is_none() && shown.fragment().is_none());
        }
    }
    let Ok(set) = serde_json::from_slice::<KeySet>(data) else { return };
    let keys = Keys::from(set);
    if let Ok(seen) = serde_json::from_slice::<Value>(data) {
        let usable = |key: &&Value| {
            let public = matches!(key["kty"].as_str(), Some("RSA" | "EC" | "OKP"));
            public && key["use"].as_str().is_none_or(|usage| usage == "sig")
        };
        let usable = seen["keys"].as_array().into_iter().flatten().filter(usable).count();
        assert!(keys.len() <= usable, "{} keys of {usable}", keys.len());
    }
    for header in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJFUzI1NiJ9"] {
        for signature in ["", "AA", "c2lnbmF0dXJl"] {
            let token = format!("{header}.eyJpc3MiOiJpIiwiZXhwIjo5OX0.{signature}");
            assert!(token::verify(&token, &keys, "i", Duration::from_secs(1), Duration::ZERO).is_err());
        }
    }
}
