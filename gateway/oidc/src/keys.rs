//! The public keys of an issuer, from a JWK set. Knows neither where the set comes from nor how long it is good.
//!
//! Source: RFC 7517 (JWK), RFC 7518 section 6 (parameters), RFC 8037 (Ed25519).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The usable keys of a set: RSA from 2048 bits, P-256, P-384 and Ed25519, meant for signatures. Everything else in the
/// set is passed over, as RFC 7517, section 5 asks.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<Key>);

/// One public key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    id: Option<String>,
    /// Which algorithms the key is for; never symmetric ones.
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// A JWK set as it arrives.
#[derive(Debug, Deserialize)]
pub struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl From<KeySet> for Keys {
    fn from(set: KeySet) -> Self {
        let jwks = set.keys.into_iter().filter_map(|jwk| serde_json::from_value::<Jwk>(jwk).ok());
        Self(jwks.filter_map(Key::from_jwk).collect())
    }
}

impl Keys {
    /// Whether no key of the set is usable.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many keys are usable.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The keys that may have signed a token whose header says `kid`: those of that name; without a `kid`, all.
    pub(crate) fn candidates(&self, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(move |key| kid.is_none() || key.id.as_deref() == kid)
    }
}

impl Key {
    fn from_jwk(jwk: Jwk) -> Option<Self> {
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        if jwk.key_ops.as_ref().is_some_and(|operations| !operations.iter().any(|op| op == "verify")) {
            return None;
        }
        let (decoding, mut algorithms) = jwk.public_key()?;
        if let Some(alg) = &jwk.alg {
            algorithms.retain(|algorithm| format!("{algorithm:?}") == *alg);
        }
        (!algorithms.is_empty()).then_some(Self { id: jwk.kid, algorithms, decoding })
    }

    /// Whether a token may name `algorithm` and this key together. It stops a public key from being used as the secret
    /// of an HMAC, and a key from being used outside its purpose (RFC 8725, section 3.1).
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether `signature` (base64url) is this key's over `message`.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &str, signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.decoding, algorithm).unwrap_or(false)
    }
}

impl Jwk {
    fn public_key(&self) -> Option<(DecodingKey, Vec<Algorithm>)> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (number(&self.n)?, number(&self.e)?);
                let long_enough = n.len() >= 2048 / 8;
                let all = AlgorithmFamily::Rsa.algorithms().to_vec();
                long_enough.then(|| (DecodingKey::from_rsa_raw_components(&n, &e), all))
            }
            ("EC", Some("P-256")) => Some((self.point(32)?, vec![Algorithm::ES256])),
            ("EC", Some("P-384")) => Some((self.point(48)?, vec![Algorithm::ES384])),
            ("OKP", Some("Ed25519")) => {
                let x = bytes(&self.x).filter(|x| x.len() == 32)?;
                Some((DecodingKey::from_ed_der(&x), vec![Algorithm::EdDSA]))
            }
            _ => None,
        }
    }

    /// The uncompressed point (SEC 1, section 2.3.3) of coordinates of `size` bytes each.
    fn point(&self, size: usize) -> Option<DecodingKey> {
        let (x, y) = (bytes(&self.x)?, bytes(&self.y)?);
        let whole = x.len() == size && y.len() == size;
        whole.then(|| DecodingKey::from_ec_der(&[&[4], x.as_slice(), &y].concat()))
    }
}

/// Base64url, with or without the padding that RFC 7515 forbids and some issuers send.
fn bytes(member: &Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(member.as_deref()?.trim_end_matches('=')).ok()
}

/// A big-endian number without leading zeros.
fn number(member: &Option<String>) -> Option<Vec<u8>> {
    let bytes = bytes(member)?;
    let start = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[start..].to_vec())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::forge::Forge;

    /// How many keys of a set of this one JWK are usable.
    fn usable(jwk: Value) -> usize {
        Keys::from(KeySet { keys: vec![jwk] }).len()
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    #[test]
    fn keys_that_can_verify_are_kept() {
        for forge in [Forge::rsa("a"), Forge::p256("a"), Forge::p384("a"), Forge::ed25519("a")] {
            assert_eq!(usable(forge.jwk()), 1, "{}", forge.jwk());
            assert_eq!(usable(with(forge.jwk(), "x5c", json!(["MIIB"]))), 1);
            assert_eq!(usable(with(forge.jwk(), "key_ops", json!(["verify"]))), 1);
        }
    }

    #[test]
    fn keys_that_cannot_are_passed_over() {
        let rsa = Forge::rsa("a").jwk();
        assert_eq!(usable(with(rsa.clone(), "use", json!("enc"))), 0);
        assert_eq!(usable(with(rsa.clone(), "key_ops", json!(["encrypt"]))), 0);
        assert_eq!(usable(with(rsa.clone(), "alg", json!("HS256"))), 0);
        assert_eq!(usable(with(rsa.clone(), "alg", json!("RSA-OAEP"))), 0);
        assert_eq!(usable(with(rsa.clone(), "n", json!(7))), 0);
        assert_eq!(usable(with(rsa.clone(), "n", json!("AAAA"))), 0, "too short");
        assert_eq!(usable(with(rsa, "n", json!("not base64!"))), 0);
        assert_eq!(usable(with(Forge::p256("a").jwk(), "x", json!("AAAA"))), 0);
        assert_eq!(usable(with(Forge::p256("a").jwk(), "crv", json!("P-521"))), 0);
        assert_eq!(usable(json!({"kty": "oct", "k": "c2VjcmV0", "kid": "a"})), 0);
        assert_eq!(usable(json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"})), 0);
        assert_eq!(usable(json!("no object")), 0);
    }

    #[test]
    fn one_bad_key_does_not_spoil_the_set() {
        let set = KeySet { keys: vec![json!(null), json!({"kty": "RSA"}), Forge::ed25519("a").jwk()] };
        assert_eq!(Keys::from(set).len(), 1);
    }
}
