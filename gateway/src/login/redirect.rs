//! Where a login may end, and the way there. A place that is not allowed is never gone to, not even with an error.
//!
//! Source: RFC 8252, sections 7.3 (loopback, any port) and 8.6 (who is on loopback is not known); RFC 6749, sections 3.1.2 and
//! 4.1.2; RFC 9207, section 2.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use url::Url;

use super::{Here, OAuthError};
use crate::config::is_loopback_redirect;

/// Longer ones are refused: they ride in the issuer's `state`.
const LONGEST: usize = 1024;

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A program on the user's machine, which nobody can tell from another.
    Loopback,
    /// A web site.
    Web,
    /// Whatever opens the links of this scheme on the user's machine.
    Scheme,
}

/// A place where a login may end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedirectUri {
    /// As the client wrote it.
    pub(crate) text: String,
    pub(crate) url: Url,
    pub(crate) kind: Kind,
}

impl RedirectUri {
    /// Checks `text` against the rule: http on loopback, or one of `listed`, letter by letter.
    pub(crate) fn parse(text: &str, listed: &[String]) -> Option<Self> {
        let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let url = Url::parse(text).ok().filter(|url| plain && url.fragment().is_none() && !has_user(url))?;
        let kind = match url.scheme() {
            _ if is_loopback_redirect(&url) => Kind::Loopback,
            _ if !listed.iter().any(|uri| uri == text) => return None,
            "https" => Kind::Web,
            _ => Kind::Scheme,
        };
        Some(Self { text: text.to_owned(), url, kind })
    }

    /// Whether `other` is the same place: letter by letter, but for the port on loopback.
    pub(super) fn is(&self, other: &str) -> bool {
        let Ok(mut other_url) = Url::parse(other) else { return false };
        if self.kind != Kind::Loopback {
            return self.text == other;
        }
        // Neither fails for an http URL.
        let _ = other_url.set_port(self.url.port());
        other_url == self.url
    }

    /// Where the browser goes with an answer for the client.
    fn with(&self, here: &Here, pairs: &[(&str, &str)], state: Option<&str>) -> Response {
        let mut url = self.url.clone();
        let state = state.map(|state| ("state", state));
        url.query_pairs_mut().extend_pairs(pairs).extend_pairs(state).append_pair("iss", here.issuer());
        go(StatusCode::FOUND, url.as_str())
    }

    /// Back to the client with a code.
    pub(super) fn with_code(&self, here: &Here, code: &str, state: Option<&str>) -> Response {
        self.with(here, &[("code", code)], state)
    }

    /// Back to the client with an error.
    pub(super) fn with_error(&self, here: &Here, error: &OAuthError, state: Option<&str>) -> Response {
        let text = error.to_string();
        self.with(here, &[("error", error.code.as_str()), ("error_description", &text)], state)
    }

    /// Back to the client with an error of the issuer's.
    pub(super) fn with_foreign_error(
        &self,
        here: &Here,
        code: &str,
        text: Option<&str>,
        state: Option<&str>,
    ) -> Response {
        let mut pairs = vec![("error", code)];
        pairs.extend(text.map(|text| ("error_description", text)));
        self.with(here, &pairs, state)
    }
}

/// Sends the browser to `url`.
pub(super) fn go(status: StatusCode, url: &str) -> Response {
    let headers = [
        (header::LOCATION, HeaderValue::from_str(url).expect("the text of a URL is ASCII")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (status, headers).into_response()
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: [&str; 2] =
        ["https://claude.ai/api/mcp/auth_callback", "cursor://anysphere.cursor-mcp/oauth/callback"];

    fn parse(text: &str) -> Option<RedirectUri> {
        RedirectUri::parse(text, &LISTED.map(str::to_owned))
    }

    #[test]
    fn logins_end_on_loopback_or_where_the_config_says() {
        let kind = |text: &str| parse(text).map(|uri| uri.kind);
        for loopback in
            ["http://127.0.0.1:33418/", "http://localhost/callback", "http://[::1]:1?a=b", "http://127.0.0.1"]
        {
            assert_eq!(kind(loopback), Some(Kind::Loopback), "{loopback}");
        }
        assert_eq!(kind(LISTED[0]), Some(Kind::Web));
        assert_eq!(kind(LISTED[1]), Some(Kind::Scheme));
    }

    #[test]
    fn nothing_else_is_gone_to() {
        let others = "https://evil.example/ https://claude.ai/api/mcp/auth_callback/ https://claude.ai/api/mcp/auth_callback?a=b \
                      https://claude.ai:444/api/mcp/auth_callback https://CLAUDE.ai/api/mcp/auth_callback http://claude.ai/ \
                      https://127.0.0.1/ http://127.0.0.1.evil.example/ http://localhost.evil.example/ http://evil.example@127.0.0.1/ \
                      http://127.0.0.1:1@evil.example/ http://127.0.0.1/#a http://user:pass@localhost/ //localhost/ /callback \
                      javascript:alert(1) data:text/html,a cursor://other/ http://0.0.0.0/ http://10.0.0.1/ http://localhost:1\\@evil.example/ \
                      http://a.localhost/ http://localhost./ https://localhost/";
        for other in others.split_whitespace() {
            assert_eq!(parse(other), None, "{other}");
        }
        assert_eq!(parse(""), None);
        assert_eq!(parse("http://localhost/\r\nset-cookie: a=b"), None);
        assert_eq!(parse(&format!("http://localhost/{}", "a".repeat(LONGEST))), None);
    }

    #[test]
    fn only_the_port_of_loopback_may_differ() {
        let loopback = parse("http://127.0.0.1:33418/callback").unwrap();
        for same in ["http://127.0.0.1:33418/callback", "http://127.0.0.1/callback", "http://127.0.0.1:1/callback"] {
            assert!(loopback.is(same), "{same}");
        }
        for other in ["http://localhost:33418/callback", "http://127.0.0.1:33418/", "https://127.0.0.1:33418/callback"]
        {
            assert!(!loopback.is(other), "{other}");
        }
        let web = parse(LISTED[0]).unwrap();
        assert!(web.is(LISTED[0]));
        assert!(!web.is("https://claude.ai:443/api/mcp/auth_callback"));
    }
}
