//! What a client or a proxy calls a request, or the gateway if nobody else does, so that all sides' logs can be compared.

use std::{fmt, ops::Deref};

use http::{HeaderName, HeaderValue};

/// The header in which it comes, goes back, and goes on to targets.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// One of a client that is longer than this is not taken.
const LONGEST: usize = 128;

/// The id of a request: letters, digits and `-_.:/+=@`, 128 at most. Kept as the header value that it is sent as.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// One that came with a request, if it can stand in a header, a log line and a URL as it is.
    pub(crate) fn given(value: &HeaderValue) -> Option<Self> {
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
        let is_sane = (1..=LONGEST).contains(&value.len()) && value.as_bytes().iter().all(fits);
        is_sane.then(|| Self(value.clone()))
    }

    /// A new one, with as many digits as a trace id has. It need not be hard to guess: nothing is to be had for it.
    pub(super) fn made() -> Self {
        let id = format!("{:032x}", fastrand::u128(1..));
        Self(HeaderValue::try_from(id).expect("digits fit a header"))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl Deref for RequestId {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.to_str().expect("it is made of letters, digits and a few signs")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_break_a_log_line_is_not_taken() {
        let check = |id: &str, sane: bool| {
            let taken = RequestId::given(&HeaderValue::from_bytes(id.as_bytes()).unwrap());
            assert_eq!(taken.as_deref(), sane.then_some(id), "{id:?}");
        };
        check("4bf92f3577b34da6a3ce929d0e0e4736", true);
        check("Root=1-67891233-abcdef012345678912345678", true);
        check("", false);
        check("a b", false);
        check("a\",\"level\":\"error", false);
        check(&"x".repeat(129), false);
        check("\u{e9}", false);
    }

    #[test]
    fn one_that_is_made_is_taken_elsewhere() {
        let made = RequestId::made();
        assert_eq!((made.len(), RequestId::given(&made.header())), (32, Some(made.clone())));
    }
}
