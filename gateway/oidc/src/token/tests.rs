//! Every way in which a token can be bad, and the good ones next to it.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use serde_json::json;

use super::*;
use crate::forge::{Forge, encode, set};

const NOW: Duration = Duration::from_secs(1_800_000_000);
const SKEW: Duration = Duration::from_secs(30);
const ISSUER: &str = "https://issuer.example/pool";

static RSA: LazyLock<Forge> = LazyLock::new(|| Forge::rsa("rsa"));

fn good() -> Value {
    json!({"iss": ISSUER, "sub": "alice", "exp": NOW.as_secs() + 60})
}

/// The good claims with one changed, or taken away by `null`.
fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

fn outcome(token: &str, keys: &Keys) -> String {
    match verify(token, keys, ISSUER, NOW, SKEW) {
        Ok(claims) => format!("ok: {}", claims["sub"]),
        Err(error) => error.to_string(),
    }
}

/// What becomes of these claims when they are signed well.
#[track_caller]
fn check_claims(claims: &Value, expected: &str) {
    assert_eq!(outcome(&RSA.sign("RS256", claims), &RSA.keys()), expected, "{claims}");
}

/// What becomes of this token.
#[track_caller]
fn check(token: &str, expected: &str) {
    assert_eq!(outcome(token, &RSA.keys()), expected, "{token}");
}

#[test]
fn every_asymmetric_algorithm_verifies() {
    for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        check(&RSA.sign(alg, &good()), r#"ok: "alice""#);
    }
    for (forge, alg) in [(Forge::p256("a"), "ES256"), (Forge::p384("a"), "ES384"), (Forge::ed25519("a"), "EdDSA")] {
        assert_eq!(outcome(&forge.sign(alg, &good()), &forge.keys()), r#"ok: "alice""#, "{alg}");
    }
}

#[test]
fn time_is_judged_with_tolerance() {
    let at = |offset: i64| json!(NOW.as_secs() as i64 + offset);
    check_claims(&with("exp", at(-29)), r#"ok: "alice""#);
    check_claims(&with("exp", at(-30)), "the token expired 30s ago");
    check_claims(&with("exp", at(-3600)), "the token expired 3600s ago");
    check_claims(&with("exp", json!(NOW.as_secs_f64() + 0.5)), r#"ok: "alice""#);
    check_claims(&with("exp", json!(u64::MAX)), r#"ok: "alice""#);
    check_claims(&with("nbf", at(30)), r#"ok: "alice""#);
    check_claims(&with("nbf", at(31)), "the token is not valid before 31s from now");
    check_claims(&with("nbf", at(-5)), r#"ok: "alice""#);
}

#[test]
fn claims_must_be_there_and_of_their_type() {
    let exp = "the claim `exp` is absent or of the wrong type";
    check_claims(&with("exp", Value::Null), exp);
    check_claims(&with("exp", json!("1900000000")), exp);
    check_claims(&with("exp", json!(-1)), exp);
    check_claims(&with("exp", json!(1e300)), exp);
    check_claims(&with("nbf", json!("soon")), "the claim `nbf` is absent or of the wrong type");
    let iss = "the claim `iss` is not `https://issuer.example/pool`";
    check_claims(&with("iss", Value::Null), iss);
    check_claims(&with("iss", json!("https://issuer.example/pool/")), iss);
    check_claims(&with("iss", json!("https://evil.example/pool")), iss);
    check_claims(&with("iss", json!([ISSUER])), iss);
    check_claims(&json!([1]), "the token is no compact JWS: its payload is not base64url of a JSON object");
}

#[test]
fn an_unsigned_token_is_refused() {
    let none = |alg: &str| format!("{}.{}.", encode(json!({"alg": alg}).to_string()), encode(good().to_string()));
    for alg in ["none", "None", "NONE", "nOnE"] {
        let expected = format!("the algorithm `{alg}` is not accepted: use RS, PS, ES256, ES384 or EdDSA");
        check(&none(alg), &expected);
    }
    check(&none("RS256"), "the issuer publishes no key `(unnamed)` that could have signed the token");
}

#[test]
fn a_public_key_is_no_hmac_secret() {
    let jwk = RSA.jwk();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let document = jwk.to_string().into_bytes();
    for (alg, secret) in [("HS256", &modulus), ("HS256", &document)] {
        let header = encode(json!({"alg": alg, "kid": "rsa"}).to_string());
        let message = format!("{header}.{}", encode(good().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        let expected = "the algorithm `HS256` is not accepted: use RS, PS, ES256, ES384 or EdDSA";
        check(&format!("{message}.{}", encode(tag)), expected);
    }
}

#[test]
fn the_algorithm_must_fit_the_key() {
    let header = json!({"alg": "ES256", "kid": "rsa"});
    check(
        &Forge::p256("a").sign_with(&header, &good()),
        "the algorithm `ES256` does not fit the key that the token names",
    );
    let mut jwk = RSA.jwk();
    jwk["alg"] = json!("RS256");
    let only_rs256: Keys = serde_json::from_value::<crate::keys::KeySet>(json!({"keys": [jwk]})).unwrap().into();
    assert_eq!(outcome(&RSA.sign("RS256", &good()), &only_rs256), r#"ok: "alice""#);
    assert_eq!(
        outcome(&RSA.sign("PS256", &good()), &only_rs256),
        "the algorithm `PS256` does not fit the key that the token names"
    );
}

#[test]
fn a_changed_token_is_refused() {
    let token = RSA.sign("RS256", &good());
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let other = encode(with("sub", json!("mallory")).to_string());
    let none = "the signature does not match";
    check(&format!("{header}.{other}.{signature}"), none);
    check(&format!("{header}.{payload}."), none);
    check(&format!("{header}.{payload}.!!!"), none);
    check(&format!("{header}.{payload}.{}", &signature[4..]), none);
    check(&Forge::rsa("rsa").sign("RS256", &good()), none);
}

#[test]
fn what_is_no_jws_is_refused() {
    let parts = "the token is no compact JWS: it has not three parts";
    for token in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "...."] {
        check(token, parts);
    }
    let header = "the token is no compact JWS: its header is not base64url of JSON";
    check("a.b.c", header);
    check("..", header);
    check(&format!("{}.e30.", encode("[]")), header);
    check(&format!("{}.e30.", encode(r#"{"kid":"a"}"#)), header);
    check(&format!("{}=.e30.", encode(r#"{"alg":"RS256"}"#)), header);
    check(&"a".repeat(MAX_BYTES + 1), "the token has 16385 bytes, more than 16384");
    let critical = json!({"alg": "RS256", "kid": "rsa", "crit": ["b64"], "b64": false});
    check(&RSA.sign_with(&critical, &good()), "the token's header has critical extensions");
}

#[test]
fn the_key_is_found_by_name_or_tried() {
    let (other, named) = (Forge::rsa("other"), &*RSA);
    let both = set(&[&other, named]);
    assert_eq!(outcome(&named.sign("RS256", &good()), &both), r#"ok: "alice""#);
    let unnamed = json!({"alg": "RS256"});
    assert_eq!(outcome(&named.sign_with(&unnamed, &good()), &both), r#"ok: "alice""#);
    let unknown = "the issuer publishes no key `(unnamed)` that could have signed the token";
    assert_eq!(outcome(&named.sign_with(&unnamed, &good()), &other.keys()), unknown);
    let swapped = json!({"alg": "RS256", "kid": "other"});
    assert_eq!(outcome(&named.sign_with(&swapped, &good()), &both), "the signature does not match");
    let absent = json!({"alg": "RS256", "kid": "new\nline"});
    check(
        &named.sign_with(&absent, &good()),
        r"the issuer publishes no key `new\nline` that could have signed the token",
    );
}

#[test]
fn debug_shows_no_claim() {
    let claims = verify(&RSA.sign("RS256", &good()), &RSA.keys(), ISSUER, NOW, SKEW).unwrap();
    assert_eq!(format!("{claims:?}"), r#"Claims { names: ["iss", "sub", "exp"], expires_at: 1800000060s }"#);
}

#[test]
fn of_a_token_that_somebody_vouches_for_all_but_the_signature_counts() {
    let stranger = Forge::rsa("rsa");
    let outcome = |claims: &Value| match vouched(&stranger.sign("RS256", claims), ISSUER, NOW, SKEW) {
        Ok(claims) => format!("ok: {}", claims["sub"]),
        Err(error) => error.to_string(),
    };
    check(&stranger.sign("RS256", &good()), "the signature does not match");
    assert_eq!(outcome(&good()), r#"ok: "alice""#);
    assert_eq!(outcome(&with("iss", json!("https://elsewhere.example"))), format!("the claim `iss` is not `{ISSUER}`"));
    assert_eq!(outcome(&with("exp", json!(NOW.as_secs() - 31))), "the token expired 31s ago");
    assert_eq!(outcome(&with("exp", Value::Null)), "the claim `exp` is absent or of the wrong type");
    assert!(vouched("a.b", ISSUER, NOW, SKEW).is_err());
}
