//! An OIDC issuer on a free port with an RSA key of its own: discovery document, key set, tokens.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use axum::{Router, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use causeway_oidc::clock::Clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A running issuer.
pub(crate) struct Issuer {
    pub(crate) name: String,
    key: KeyPair,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let name = format!("http://{}", listener.local_addr().unwrap());
        let document = json!({"issuer": name, "jwks_uri": format!("{name}/keys")}).to_string();
        let keys = json!({"keys": [jwk(&key)]}).to_string();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(async move || document))
            .route("/keys", get(async move || keys));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { name, key }
    }

    pub(crate) fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.name)
    }

    /// An access token as Cognito issues it to a machine, with `changes` over it.
    pub(crate) fn token(&self, changes: Value) -> String {
        let now = Clock::system().now().as_secs();
        let mut claims = json!({
            "iss": self.name, "sub": "machine", "client_id": "machine", "token_use": "access",
            "scope": "tools/call tools/list", "iat": now, "exp": now + 3600,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let header = json!({"alg": "RS256", "kid": "k1"});
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", encode(signature))
    }
}

fn jwk(key: &KeyPair) -> Value {
    let n = encode(key.public_key().modulus().big_endian_without_leading_zero());
    let e = encode(key.public_key().exponent().big_endian_without_leading_zero());
    json!({"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256", "n": n, "e": e})
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
