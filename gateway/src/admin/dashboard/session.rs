//! A token that a browser keeps for a person, in a sealed cookie that no script reads and no other site sends. What the token is
//! worth is judged anew with each request, as any other.
//!
//! Source: RFC 6265bis, section 4.1.3.2 (`__Host-`), 5.5 (`SameSite`).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header, request::Parts};
use serde_json::Value;

use super::super::Admin;
use crate::inbound::Caller;

const NAME: &str = "causeway-dashboard";
/// Over https browsers hold this to mean that no other host and no page over http has set it.
const SECURE_NAME: &str = "__Host-causeway-dashboard";
/// Keeps the cookie apart from other sealed tokens.
const PURPOSE: &str = "dashboard";
/// Browsers drop a cookie that is longer than 4096 bytes, attributes included.
const LONGEST: usize = 3900;
/// Of a token that does not say when it ends.
const UNTOLD: Duration = Duration::from_secs(900);
/// A working day, however long the token lives.
const MOST: Duration = Duration::from_secs(12 * 3600);

/// The cookie.
#[derive(Debug)]
pub(crate) struct Session;

/// A token that does not fit into a cookie.
#[derive(Debug, thiserror::Error)]
#[error("the token is too long for a browser to keep: take one with fewer claims")]
pub(super) struct TooLong;

impl Session {
    /// Shows the token of the cookie as if the request had brought it, unless it brings one itself. Says whether it did.
    pub(crate) fn present(admin: &Admin, parts: &mut Parts) -> bool {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return false;
        }
        let Some(token) = read(&parts.headers).and_then(|sealed| {
            let sealer = &admin.served.gateway.front.sealer;
            sealer.open::<String>(PURPOSE, "", admin.clock.now(), sealed).ok()
        }) else {
            return false;
        };
        let Some(value) = bearer(&token) else { return false };
        parts.headers.insert(header::AUTHORIZATION, value);
        true
    }

    /// The cookie that keeps `token`, which is `caller`'s, as long as it is good.
    pub(super) fn keep(
        admin: &Admin,
        headers: &HeaderMap,
        token: &str,
        caller: &Caller,
    ) -> Result<HeaderValue, TooLong> {
        let now = admin.clock.now();
        let life = Self::ends(caller).map_or(UNTOLD, |ends| ends.saturating_sub(now)).min(MOST);
        let sealed = admin.served.gateway.front.sealer.seal(PURPOSE, "", now + life, &token);
        if sealed.len() > LONGEST {
            return Err(TooLong);
        }
        Ok(cookie(headers, &sealed, life))
    }

    /// When the token of `caller` ends, since the Unix epoch, if it has one that says so.
    pub(super) fn ends(caller: &Caller) -> Option<Duration> {
        caller.claims().get("exp").and_then(Value::as_u64).map(Duration::from_secs)
    }

    /// Takes the cookie away.
    pub(super) fn end(headers: &HeaderMap) -> HeaderValue {
        cookie(headers, "", Duration::ZERO)
    }
}

/// The header `Authorization` for a token; none for what no header can hold.
pub(super) fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn read(headers: &HeaderMap) -> Option<&str> {
    let lines = || headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = || lines().flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = |name| pairs().find(|(key, _)| *key == name).map(|(_, value)| value);
    value(SECURE_NAME).or_else(|| value(NAME))
}

/// For a browser that sent `headers` with a form: they say whether it got here by https.
fn cookie(headers: &HeaderMap, value: &str, life: Duration) -> HeaderValue {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
    let (name, secure) = if origin.starts_with("https:") { (SECURE_NAME, "; Secure") } else { (NAME, "") };
    let seconds = life.as_secs();
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).expect("names and values of cookies are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_sites() {
        let check = |origin, expected: &str| {
            let cookie = cookie(&headers(header::ORIGIN, origin), "abc", Duration::from_secs(60));
            assert_eq!(cookie.to_str().unwrap(), expected);
        };
        check("http://10.0.0.7:8081", "causeway-dashboard=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
        check(
            "https://ops.example",
            "__Host-causeway-dashboard=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure",
        );
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let check = |line, expected| assert_eq!(read(&headers(header::COOKIE, line)), expected, "{line}");
        check("a=1; causeway-dashboard=2", Some("2"));
        check("causeway-dashboard=2; __Host-causeway-dashboard=3", Some("3"));
        check("xcauseway-dashboard=2", None);
    }
}
