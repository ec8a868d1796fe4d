//! What rides outside while a login is under way: in the consent form, in the issuer's `state`, in the code that the client gets, in
//! the browser's memory of consent. Each is sealed for its purpose and this gateway, and for one browser where there is one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Here, Proxy};
use crate::opaque::{digest_of, random_text};

/// For a person to read the consent page, and to log in at the issuer.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);
/// For the client to redeem a code; Cognito's are good for so long.
const CODE: Duration = Duration::from_secs(300);
/// For how long a browser remembers a consent.
pub(super) const CONSENT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A request of a client that was found good.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    #[serde(rename = "c")]
    pub(super) client_id: String,
    #[serde(rename = "r")]
    pub(super) redirect_uri: String,
    /// The client's own.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    /// Of PKCE, method S256.
    #[serde(rename = "p")]
    pub(super) challenge: String,
    /// Separated by spaces; empty: the issuer decides.
    #[serde(rename = "o")]
    pub(super) scope: String,
}

/// The issuer's code, and who may redeem it.
#[derive(Serialize, Deserialize)]
pub(super) struct Code {
    #[serde(rename = "k")]
    pub(super) code: String,
    #[serde(rename = "c")]
    pub(super) client_id: String,
    #[serde(rename = "r")]
    pub(super) redirect_uri: String,
    #[serde(rename = "p")]
    pub(super) challenge: String,
}

impl Proxy {
    /// For the consent form of the browser that holds `nonce`.
    pub(super) fn seal_form(&self, here: &Here, nonce: &str, asked: &Asked) -> String {
        self.seal("login form", &owner(here, nonce), PATIENCE, asked)
    }

    pub(super) fn open_form(&self, here: &Here, nonce: &str, form: &str) -> Option<Asked> {
        self.sealer.open("login form", &owner(here, nonce), self.clock.now(), form).ok()
    }

    /// For the issuer, which gives it back through the browser that holds `nonce`.
    pub(super) fn seal_state(&self, here: &Here, nonce: &str, asked: &Asked) -> String {
        self.seal("login state", &owner(here, nonce), PATIENCE, asked)
    }

    pub(super) fn open_state(&self, here: &Here, nonce: &str, state: &str) -> Option<Asked> {
        self.sealer.open("login state", &owner(here, nonce), self.clock.now(), state).ok()
    }

    /// For the client.
    pub(super) fn seal_code(&self, here: &Here, code: &Code) -> String {
        self.seal("login code", here.issuer(), CODE, code)
    }

    pub(super) fn open_code(&self, here: &Here, code: &str) -> Option<Code> {
        self.sealer.open("login code", here.issuer(), self.clock.now(), code).ok()
    }

    /// For a browser: what its user has agreed to.
    pub(super) fn seal_consents(&self, here: &Here, consents: &[String]) -> String {
        self.seal("login consents", here.issuer(), CONSENT, &consents)
    }

    pub(super) fn open_consents(&self, here: &Here, cookie: &str) -> Vec<String> {
        self.sealer.open("login consents", here.issuer(), self.clock.now(), cookie).unwrap_or_default()
    }

    fn seal(&self, purpose: &str, owner: &str, life: Duration, value: &impl Serialize) -> String {
        self.sealer.seal(purpose, owner, self.clock.now() + life, value)
    }
}

/// One browser at this gateway. A URL holds no space.
fn owner(here: &Here, nonce: &str) -> String {
    format!("{} {nonce}", here.issuer())
}

/// A text that nobody can guess.
pub(super) fn nonce() -> String {
    random_text::<32>()
}

/// What stands for `text` where it would be too long.
pub(super) fn short(text: &str) -> String {
    digest_of(text)[..16].to_owned()
}

/// The challenge of PKCE, method S256, that `verifier` answers.
pub(super) fn challenge_of(verifier: &str) -> String {
    digest_of(verifier)
}
