//! Access tokens: a compact JWS, its header and its claims.

use std::{sync::LazyLock, time::Duration};

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use causeway_oidc::{
    keys::{KeySet, Keys},
    token::{self, Claims},
};
use serde_json::{Value, json};

use crate::{input, json};

const ISSUER: &str = "https://issuer.example/pool";
const NOW: Duration = Duration::from_secs(1_800_000_000);
const SKEW: Duration = Duration::from_secs(60);
/// The modulus of RFC 7515, appendix A.2: a public key, which everybody knows.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSxndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

static PAIR: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any 32 bytes are a seed"));
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    // As every `Verifier` does it.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let ours = URL_SAFE_NO_PAD.encode(PAIR.public_key().as_ref());
    let keys = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": "ours", "x": ours},
        {"kty": "RSA", "kid": "public", "n": MODULUS, "e": "AQAB"},
    ]});
    serde_json::from_value::<KeySet>(keys).expect("a key set").into()
});

/// A header and claims, each in a line, and then a token that nobody signed.
///
/// A token is taken only as the holder of the key signed it, with the key's own algorithm, for this issuer and this time; no letter
/// of it can be another; no public key is a secret.
pub fn check(data: &[u8]) {
    let Some(([header, claims], forged)) = input::texts(data) else { return };
    let verify = |token: &str| token::verify(token, &KEYS, ISSUER, NOW, SKEW);
    assert!(verify(forged).is_err(), "a token that nobody signed is taken");
    let message = [&URL_SAFE_NO_PAD.encode(header), ".", &URL_SAFE_NO_PAD.encode(claims)].concat();
    let signed = |signature: &[u8]| [&message, ".", &URL_SAFE_NO_PAD.encode(signature)].concat();
    let token = signed(PAIR.sign(message.as_bytes()).as_ref());
    for secret in [MODULUS.as_bytes(), PAIR.public_key().as_ref(), b""] {
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        assert!(verify(&signed(mac.as_ref())).is_err(), "a public key served as a secret");
    }
    assert!(verify(&signed(b"")).is_err(), "a token without a signature is taken");
    match (verify(&token), token::vouched(&token, ISSUER, NOW, SKEW)) {
        (Ok(seen), vouched) => {
            assert_eq!(vouched.ok(), Some(seen.clone()), "whose signature is good is taken at somebody's word as well");
            believed(header, claims, &seen);
            changed(&token, forged, |token| verify(token).is_ok());
        }
        (Err(why), _) => drop(why.to_string()),
    }
}

fn believed(header: &str, claims: &str, seen: &Claims) {
    assert!(json::is_object(header), "a header that is no JSON object was taken");
    // Beside what counts may stand what `serde_json` reads no values of.
    if let Some(header) = json::object(header) {
        assert_eq!(header["alg"], "EdDSA", "a key was used for what it is not for");
        assert!(header.get("kid").is_none_or(|kid| kid.is_null() || kid == "ours"), "another key was named");
        assert!(header.get("crit").is_none_or(Value::is_null), "something critical was passed over");
    }
    let claims = json::object(claims).expect("claims that are no object were taken");
    assert_eq!(**seen, claims, "other claims are believed than were signed");
    assert_eq!(claims["iss"], ISSUER);
    let seconds = |name: &str| claims.get(name).map(|value| value.as_f64().expect("a time is a number"));
    assert!(seconds("exp").expect("it ends") + SKEW.as_secs_f64() > NOW.as_secs_f64(), "it has ended");
    assert!(seconds("nbf").is_none_or(|from| from <= (NOW + SKEW).as_secs_f64()), "it has not begun");
    let is_a_name = claims.keys().any(|name| name.contains(ISSUER));
    assert!(is_a_name || !format!("{seen:?}").contains(ISSUER), "a log shows what claims say");
}

fn changed(token: &str, place: &str, is_taken: impl Fn(&str) -> bool) {
    let at = place.bytes().fold(0_usize, |at, byte| (at * 31 + usize::from(byte)) % token.len());
    for letter in ["A", "_", "=", ".", "", " "] {
        let other = [&token[..at], letter, &token[at + 1..]].concat();
        assert!(other == token || !is_taken(&other), "changed at {at} it is taken");
    }
    assert!(
        !is_taken(&[token, "="].concat()) && !is_taken(&[token, "."].concat()) && !is_taken(&token[..token.len() - 1])
    );
}
