//! Cookies of the login: reading one, writing one. Knows not what is in them.
//!
//! Source: RFC 6265, section 4; draft-ietf-httpbis-rfc6265bis, section 4.1.3.2 (`__Host-`).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use super::Here;

/// The value of the cookie `name` of this browser.
pub(super) fn read<'a>(headers: &'a HeaderMap, here: &Here, name: &str) -> Option<&'a str> {
    let name = full_name(here, name);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Sets the cookie `name` to `value`, which is made of letters, digits, `-` and `_`, for `life`.
pub(super) fn set(here: &Here, name: &str, value: &str, life: Duration) -> HeaderValue {
    let secure = if here.is_secure() { "; Secure" } else { "" };
    let (name, seconds) = (full_name(here, name), life.as_secs());
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("names and values of cookies are ASCII")
}

/// Takes the cookie `name` away.
pub(super) fn remove(here: &Here, name: &str) -> HeaderValue {
    set(here, name, "", Duration::ZERO)
}

/// Browsers take `__Host-` for a promise that no other host and no page over http has set it; over http they refuse it.
fn full_name(here: &Here, name: &str) -> String {
    format!("{}causeway-{name}", if here.is_secure() { "__Host-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_hosts() {
        let check = |base: &str, expected: &str| {
            let cookie = set(&Here::new(base), "login", "abc", Duration::from_secs(60));
            assert_eq!(cookie.to_str().unwrap(), expected);
        };
        check("https://a.example", "__Host-causeway-login=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        check("http://127.0.0.1:8080", "causeway-login=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; xcauseway-login=2".parse().unwrap());
        headers.append(header::COOKIE, "causeway-login=3; b=4".parse().unwrap());
        let here = Here::new("http://localhost");
        assert_eq!(read(&headers, &here, "login"), Some("3"));
        assert_eq!(read(&headers, &here, "consent"), None);
        assert_eq!(read(&headers, &Here::new("https://localhost"), "login"), None);
    }
}
