//! Tokens that only the gateway can read or make and that open only for whom they were made: state that rides in the
//! message. AES-256-GCM-SIV (RFC 8452), so that a repeated nonce gives away nothing but equality. Reads no clock.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, RandomizedNonceKey, UnboundKey},
    digest,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Seals with its first key and opens with all of them, so that keys can change while tokens are out.
#[derive(Debug)]
pub struct Sealer(RwLock<Arc<Keys>>);

#[derive(Debug)]
struct Keys {
    all: Vec<RandomizedNonceKey>,
    /// The first key once more, for nonces of our choice: this cipher stands their repetition.
    names: LessSafeKey,
}

/// Why a token does not open. A caller learns no more than "unknown", whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsealed {
    /// No text of ours, sealed under another key, for another purpose, or for someone else.
    #[error("the token is not one of ours, or not this caller's")]
    Foreign,
    /// Ours, but its time is over.
    #[error("the token has expired")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Timed<T> {
    #[serde(rename = "e")]
    expires_seconds: u64,
    #[serde(rename = "v")]
    value: T,
}

impl Keys {
    fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let digests: Vec<_> = secrets.into_iter().map(|secret| digest::digest(&digest::SHA256, secret)).collect();
        let fits = "SHA-256 gives the 32 bytes of an AES-256 key";
        let keys = digests.iter().map(|key| RandomizedNonceKey::new(&AES_256_GCM_SIV, key.as_ref()).expect(fits));
        let first = digests.first().expect("a sealer needs a key");
        let names = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, first.as_ref()).expect(fits));
        Self { all: keys.collect(), names }
    }
}

impl Sealer {
    /// A sealer with keys derived from `secrets` (any length; use 32 random bytes or more), newest first.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(RwLock::new(Arc::new(Keys::new(secrets))))
    }

    /// Goes on with other keys. Tokens of a key that is not among them open no more.
    pub fn replace<'a>(&self, secrets: impl IntoIterator<Item = &'a [u8]>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Keys::new(secrets));
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seals `value` for `owner` until `expires` (since the Unix epoch). `purpose` keeps kinds of tokens apart.
    pub fn seal(&self, purpose: &str, owner: &str, expires: Duration, value: &impl Serialize) -> String {
        let timed = Timed { expires_seconds: expires.as_secs(), value };
        let mut sealed = serde_json::to_vec(&timed).expect("token contents serialize");
        let aad = associated(purpose, owner);
        let nonce = self.keys().all[0].seal_in_place_append_tag(Aad::from(aad), &mut sealed);
        let nonce = nonce.expect("sealing a short text in memory succeeds");
        URL_SAFE_NO_PAD.encode([&nonce.as_ref()[..], &sealed].concat())
    }

    /// Seals `value` for `owner` for good, and into the same text each time, so that the text can be compared.
    pub fn name(&self, purpose: &str, owner: &str, value: &impl Serialize) -> String {
        let timed = Timed { expires_seconds: u64::MAX, value };
        let mut sealed = serde_json::to_vec(&timed).expect("token contents serialize");
        let aad = associated(purpose, owner);
        // One nonce for all: equal texts become equal, and nothing else can be seen of them.
        let nonce = [0; NONCE_LEN];
        let given = Nonce::assume_unique_for_key(nonce);
        let done = self.keys().names.seal_in_place_append_tag(given, Aad::from(aad), &mut sealed);
        done.expect("sealing a short text in memory succeeds");
        URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())
    }

    /// Opens a token that [`Sealer::seal`] or [`Sealer::name`] made with the same `purpose` and `owner`.
    pub fn open<T: DeserializeOwned>(
        &self,
        purpose: &str,
        owner: &str,
        now: Duration,
        token: &str,
    ) -> Result<T, Unsealed> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Unsealed::Foreign)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or(Unsealed::Foreign)?;
        let plain = self.keys().all.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut sealed = sealed.to_vec();
            let plain = key.open_in_place(nonce, Aad::from(associated(purpose, owner)), &mut sealed).ok()?;
            Some(plain.to_vec())
        });
        let timed: Timed<T> =
            serde_json::from_slice(&plain.ok_or(Unsealed::Foreign)?).map_err(|_| Unsealed::Foreign)?;
        match now.as_secs() < timed.expires_seconds {
            true => Ok(timed.value),
            false => Err(Unsealed::Expired),
        }
    }
}

/// Purpose and owner as one text that no other pair of them gives.
fn associated(purpose: &str, owner: &str) -> Vec<u8> {
    [&(purpose.len() as u64).to_be_bytes()[..], purpose.as_bytes(), owner.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn sealer(secrets: &[&str]) -> Sealer {
        Sealer::new(secrets.iter().map(|secret| secret.as_bytes()))
    }

    #[test]
    fn keys_rotate_while_tokens_are_out() {
        let token = sealer(&["old"]).seal("session", "alice", HOUR, &7);
        let open = |keys: &[&str]| sealer(keys).open::<u8>("session", "alice", Duration::ZERO, &token);
        assert_eq!(open(&["new", "old"]), Ok(7));
        assert_eq!(open(&["new"]), Err(Unsealed::Foreign));
    }

    #[test]
    fn a_sealer_goes_on_with_other_keys() {
        let sealer = sealer(&["old"]);
        let token = sealer.seal("session", "alice", HOUR, &7);
        let open = || sealer.open::<u8>("session", "alice", Duration::ZERO, &token);
        sealer.replace(["new", "old"].map(str::as_bytes));
        assert_eq!(open(), Ok(7));
        sealer.replace(["new"].map(str::as_bytes));
        assert_eq!(open(), Err(Unsealed::Foreign));
    }

    #[test]
    fn a_token_opens_for_its_owner_its_purpose_and_its_time() {
        let sealer = sealer(&["key"]);
        let token = sealer.seal("session", "alice", HOUR, &"state");
        let open = |purpose, owner, now| sealer.open::<String>(purpose, owner, now, &token);
        assert_eq!(open("session", "alice", HOUR - Duration::from_secs(1)), Ok("state".into()));
        assert_eq!(open("session", "alice", HOUR), Err(Unsealed::Expired));
        assert_eq!(open("session", "mallory", Duration::ZERO), Err(Unsealed::Foreign));
        assert_eq!(open("cursor", "alice", Duration::ZERO), Err(Unsealed::Foreign));
        assert_eq!(open("sessiona", "lice", Duration::ZERO), Err(Unsealed::Foreign));
    }

    #[test]
    fn a_name_is_the_same_each_time_and_opens_like_a_token() {
        let sealer = sealer(&["key"]);
        let name = sealer.name("task", "alice", &"a");
        assert_eq!(sealer.name("task", "alice", &"a"), name);
        assert_ne!(sealer.name("task", "bob", &"a"), name);
        assert_eq!(sealer.open::<String>("task", "alice", HOUR, &name), Ok("a".into()));
        assert_eq!(sealer.open::<String>("task", "bob", HOUR, &name), Err(Unsealed::Foreign));
    }

    proptest! {
        #[test]
        fn only_what_was_sealed_opens(text in "[A-Za-z0-9_-]{0,80}", at in 0usize..60, flip in 1u8..64) {
            let sealer = sealer(&["key"]);
            prop_assert_eq!(sealer.open::<u8>("p", "o", Duration::ZERO, &text), Err(Unsealed::Foreign));
            let token = sealer.seal("p", "o", HOUR, &1u8);
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let forged = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert_eq!(sealer.open::<u8>("p", "o", Duration::ZERO, &forged), Err(Unsealed::Foreign));
        }
    }
}
