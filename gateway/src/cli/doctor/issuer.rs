//! The issuer of the callers' tokens: its discovery document and its keys, as the gateway reads them. Verifies no token.

use causeway_oidc::{
    fetch,
    keys::{KeySet, Keys},
};
use serde_json::Value;
use url::Url;

use super::{Bench, Finding};
use crate::cli::screen::{count, printable};

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
