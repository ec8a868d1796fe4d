//! The issuer of the callers' tokens: its discovery document and its keys, as the gateway reads them. Verifies no token.

use causeway_oidc::{
    fetch,
    keys::{KeySet, Keys},
};
use serde_json::Value;
use url::Url;

use super::{Bench, Finding};
use crate::{
    cli::screen::{count, printable},
    config::Login,
};

/// What is wrong with it, or that nothing is.
pub(super) async fn look(bench: &Bench, discovery: &Url) -> Vec<Finding> {
    let mut findings = bench.network().look(discovery).await;
    if findings.iter().any(|finding| finding.level == super::Level::Problem && finding.what != "clock") {
        return findings;
    }
    let http = &bench.sources.http;
    let document = "a discovery document (JSON with `issuer`)";
    let found: Value = match fetch::document(http, discovery, document, bench.patience).await {
        Ok(found) => found,
        Err(error) => {
            findings.push(Finding::failed("discovery", error));
            return findings;
        }
    };
    let Some(issuer) = found["issuer"].as_str() else {
        let seen = format!("the document at `{}` has no `issuer`", fetch::shown(discovery));
        findings.push(Finding::problem("discovery", seen).todo("check `authorizer.custom_jwt.discovery_url`"));
        return findings;
    };
    findings.push(Finding::good("discovery", format!("tokens are issued by {}", printable(issuer))));
    findings.extend(bench.config.login.as_ref().map(|login| login_with(login, &found)));
    let keys = found["jwks_uri"].as_str().and_then(|url| url.parse::<Url>().ok());
    let Some(keys) = keys else {
        findings.push(Finding::problem("keys", "the discovery document has no `jwks_uri`").todo("check the URL"));
        return findings;
    };
    findings.push(match fetch::document::<Value>(http, &keys, "a JWK set (JSON with `keys`)", bench.patience).await {
        Ok(set) => judged(set, &fetch::shown(&keys)),
        Err(error) => Finding::failed("keys", error),
    });
    findings
}

/// Whether people can log in with what the issuer says of itself.
fn login_with(login: &Login, document: &Value) -> Finding {
    let says = |name: &str| document[name].is_string();
    let lists =
        |name: &str, value: &str| document[name].as_array().is_some_and(|all| all.iter().any(|one| one == value));
    match login {
        Login::Proxy(proxy) => {
            let known =
                [("authorization_endpoint", &proxy.authorization_endpoint), ("token_endpoint", &proxy.token_endpoint)];
            let missing: Vec<&str> =
                known.iter().filter(|(name, url)| url.is_none() && !says(name)).map(|(name, _)| *name).collect();
            match missing.first() {
                Some(name) => Finding::problem("login", format!("the discovery document has no `{name}`"))
                    .todo(format!("write `login.{name}`")),
                None => {
                    Finding::good("login", format!("people log in through this gateway, as client {}", proxy.client_id))
                }
            }
        }
        Login::PassThrough if !says("authorization_endpoint") => {
            Finding::problem("login", "the issuer has no `authorization_endpoint`: nobody can log in there")
                .todo("leave `[login]` out, or name another issuer")
        }
        Login::PassThrough if !lists("code_challenge_methods_supported", "S256") => {
            Finding::warning("login", "the issuer does not say that it takes PKCE with S256, which clients look for")
                .todo("let the gateway stand before it: `login.client_id`")
        }
        Login::PassThrough
            if !says("registration_endpoint") && document["client_id_metadata_document_supported"] != true =>
        {
            Finding::warning("login", "clients can neither register with the issuer nor show it a document of theirs")
                .todo("let the gateway stand before it: `login.client_id`")
        }
        Login::PassThrough => Finding::good("login", "people log in at the issuer"),
    }
}

/// A JWK set in words.
fn judged(set: Value, url: &str) -> Finding {
    let words = |key: &Value| {
        let text = |name: &str| key[name].as_str().map(printable);
        text("alg").or(text("crv")).or(text("kty")).unwrap_or_else(|| "?".into())
    };
    let kinds: Vec<String> = set["keys"].as_array().into_iter().flatten().map(words).collect();
    let usable = serde_json::from_value::<KeySet>(set).map(|set| Keys::from(set).len()).unwrap_or_default();
    let advice = "the gateway takes RSA from 2048 bits, P-256, P-384 and Ed25519, for signatures";
    match (usable, kinds.len()) {
        (0, _) => Finding::problem("keys", format!("`{url}` holds no key that could verify a token")).todo(advice),
        (usable, all) if usable < all => {
            let seen = format!("{usable} of {all} at `{url}` are usable ({})", kinds.join(", "));
            Finding::good("keys", seen)
        }
        (usable, _) => Finding::good("keys", format!("{} ({})", count(usable, "key"), kinds.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::doctor::Level;

    #[test]
    fn an_issuer_where_nobody_can_log_in_is_found() {
        let with = |document: Value| login_with(&Login::PassThrough, &document);
        let endpoint = "https://issuer.example/authorize";
        assert_eq!(with(json!({})).level, Level::Problem);
        assert_eq!(with(json!({"authorization_endpoint": endpoint})).level, Level::Warning);
        let pkce = json!({"authorization_endpoint": endpoint, "code_challenge_methods_supported": ["S256"]});
        assert!(with(pkce.clone()).seen.contains("neither register"));
        let mut open = pkce;
        open["registration_endpoint"] = endpoint.into();
        assert_eq!(with(open).level, Level::Good);
    }

    #[test]
    fn keys_that_nobody_can_use_are_a_problem() {
        assert_eq!(judged(json!({"keys": []}), "u").level, Level::Problem);
        assert_eq!(judged(json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}), "u").level, Level::Problem);
        assert_eq!(judged(json!("x"), "u").level, Level::Problem);
        let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let one = judged(json!({"keys": [ed25519, {"kty": "oct"}]}), "u");
        assert_eq!((one.level, one.seen.as_str()), (Level::Good, "1 of 2 at `u` are usable (Ed25519, oct)"));
        assert_eq!(judged(json!({"keys": [ed25519]}), "u").seen, "1 key (Ed25519)");
    }
}
