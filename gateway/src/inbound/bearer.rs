//! Finds the bearer token in request headers. Judges only where it is, not what it is.
//!
//! Source: RFC 6750, section 2.1; RFC 9110, section 11.1 (the scheme's case does not matter).

use http::{HeaderMap, header::AUTHORIZATION};
use memchr::memchr3;

/// What the headers hold in place of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoToken {
    #[error("there is no header `Authorization`")]
    Absent,
    #[error("the header `Authorization` stands there more than once")]
    Duplicate,
    #[error("the header `Authorization` is not `Bearer` and one token")]
    NotBearer,
}

/// The token of the one header `Authorization: Bearer token`. Tokens elsewhere (form, query) do not count.
pub(super) fn token(headers: &HeaderMap) -> Result<&str, NoToken> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(NoToken::Absent)?;
    if values.next().is_some() {
        return Err(NoToken::Duplicate);
    }
    // A token is long, and each request has one: what looks through it looks at many bytes at once.
    let text = str::from_utf8(value.as_bytes()).ok().filter(|text| text.is_ascii());
    let (scheme, token) = text.and_then(|text| text.split_once(' ')).ok_or(NoToken::NotBearer)?;
    let token = token.trim_matches(' ');
    let one_token = !token.is_empty() && memchr3(b' ', b',', b'\t', token.as_bytes()).is_none();
    let bearer = scheme.eq_ignore_ascii_case("bearer") && one_token;
    bearer.then_some(token).ok_or(NoToken::NotBearer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expected: Result<&str, NoToken>) {
        let headers = values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect::<HeaderMap>();
        assert_eq!(token(&headers), expected, "{values:?}");
    }

    #[test]
    fn only_one_bearer_header_counts() {
        check(&["Bearer abc"], Ok("abc"));
        check(&["bearer abc"], Ok("abc"));
        check(&["BEARER   abc "], Ok("abc"));
        check(&[], Err(NoToken::Absent));
        check(&["Bearer abc", "Bearer abc"], Err(NoToken::Duplicate));
        check(&["Bearer"], Err(NoToken::NotBearer));
        check(&["Bearer "], Err(NoToken::NotBearer));
        check(&["Bearer a b"], Err(NoToken::NotBearer));
        check(&["Bearer a,Bearer b"], Err(NoToken::NotBearer));
        check(&["Basic YTpi"], Err(NoToken::NotBearer));
        check(&["AWS4-HMAC-SHA256 Credential=a"], Err(NoToken::NotBearer));
        check(&["abc"], Err(NoToken::NotBearer));
        check(&["Bearer é"], Err(NoToken::NotBearer));
    }
}
