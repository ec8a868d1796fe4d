//! What a pool remembers between two requests: codes, refresh tokens, who is logged in. Each has a random name and an end, and
//! nothing outlives the process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::keys::random;

/// Everything that a pool remembers.
#[derive(Default)]
pub(super) struct Grants {
    pub(super) codes: Remembered<Code>,
    pub(super) refreshes: Remembered<Refresh>,
    /// By the value of the cookie.
    pub(super) sessions: Remembered<Person>,
    /// Names of those who are about to choose a new password.
    pub(super) challenged: Remembered<String>,
}

/// Somebody who has logged in.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) sub: String,
    /// Since the Unix epoch.
    pub(super) since: Duration,
    /// The id of the login that all later tokens go back to.
    pub(super) origin: String,
}

/// What a code stands for.
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    /// Of PKCE, method S256; as with Cognito it may be missing.
    pub(super) challenge: Option<String>,
    pub(super) scope: String,
    pub(super) person: Person,
}

/// What a refresh token stands for.
pub(super) struct Refresh {
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) person: Person,
}

/// Values by random names, each until its end.
pub(super) struct Remembered<T>(Mutex<HashMap<String, (Duration, T)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Remembered<T> {
    /// Remembers `value` for `life` under a new name.
    pub(super) fn put(&self, now: Duration, life: Duration, value: T) -> String {
        let name = URL_SAFE_NO_PAD.encode(random::<32>());
        let mut all = self.living(now);
        all.insert(name.clone(), (now + life, value));
        name
    }

    /// The value, which is forgotten with this.
    pub(super) fn take(&self, now: Duration, name: &str) -> Option<T> {
        self.living(now).remove(name).map(|(_, value)| value)
    }

    fn living(&self, now: Duration) -> MutexGuard<'_, HashMap<String, (Duration, T)>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (end, _)| now < *end);
        all
    }
}

impl<T: Clone> Remembered<T> {
    /// The value, which stays.
    pub(super) fn look(&self, now: Duration, name: &str) -> Option<T> {
        self.living(now).get(name).map(|(_, value)| value.clone())
    }
}
