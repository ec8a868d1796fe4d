//! What a gateway in front of this program says of the token in a request: that it has verified it. Comes with the request's
//! extensions, which no client can write; who puts it there must have reason to believe it.

use serde_json::{Map, Value};

/// The claims that were verified, as whoever verified them passes them on: API Gateway makes texts of them all.
#[derive(Clone, Debug)]
pub(crate) struct Vouched(pub(crate) Map<String, Value>);

/// The token of the request is not the one that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("API Gateway verified a token with another `{0}`")]
pub(super) struct Another(&'static str);

/// What tells one token from another, and what it lets its caller do: of a token that somebody has changed, API Gateway may have verified
/// the original, if its authorizer reads another part of the request. Not every token has all of them.
const MARKS: [&str; 5] = ["jti", "iss", "sub", "client_id", "scope"];

impl Vouched {
    /// Checks that `claims`, read from the token of the request, are those that were verified.
    pub(super) fn is_for(&self, claims: &Map<String, Value>) -> Result<(), Another> {
        let differs =
            |name: &&&str| claims.get(**name).and_then(Value::as_str) != self.0.get(**name).and_then(Value::as_str);
        match MARKS.iter().find(differs) {
            Some(name) => Err(Another(name)),
            None if !self.0.contains_key("sub") && !self.0.contains_key("client_id") => Err(Another("sub")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(verified: Value, token: Value, expected: Result<(), Another>) {
        let object = |value: Value| value.as_object().cloned().unwrap();
        assert_eq!(Vouched(object(verified)).is_for(&object(token)), expected);
    }

    #[test]
    fn only_the_token_that_was_verified_counts() {
        let token = json!({"iss": "i", "sub": "s", "client_id": "c", "jti": "1", "exp": 7});
        check(json!({"iss": "i", "sub": "s", "client_id": "c", "jti": "1", "exp": "7"}), token.clone(), Ok(()));
        check(json!({"iss": "i", "sub": "s", "client_id": "c", "jti": "2"}), token.clone(), Err(Another("jti")));
        check(json!({"iss": "i", "sub": "t", "client_id": "c", "jti": "1"}), token.clone(), Err(Another("sub")));
        let more = json!({"iss": "i", "sub": "s", "client_id": "c", "jti": "1", "scope": "read write"});
        check(
            json!({"iss": "i", "sub": "s", "client_id": "c", "jti": "1", "scope": "read"}),
            more,
            Err(Another("scope")),
        );
        check(json!({}), token, Err(Another("jti")));
        check(json!({}), json!({}), Err(Another("sub")));
    }
}
