//! Parameters of a query or a form as OAuth reads them. Knows none of them by name.
//!
//! Source: RFC 6749, sections 3.1 and 3.2: one without a value counts as absent, none may be there twice.

use std::fmt;

use url::form_urlencoded;

use super::{ErrorCode, OAuthError};

/// What a client sent.
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `text`, which is form-urlencoded.
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The value of `name`, if it is there.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => {
                Err(OAuthError::new(ErrorCode::InvalidRequest, format!("`{name}` is there twice: send it once")))
            }
        }
    }

    /// The value of `name`, which must be there.
    pub(super) fn needed(&self, name: &str) -> Result<&str, OAuthError> {
        let missing = || OAuthError::new(ErrorCode::InvalidRequest, format!("`{name}` is missing"));
        self.one(name)?.ok_or_else(missing)
    }

    /// All values of `name`, for the one parameter that may be there more than once.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Codes, tokens and verifiers are among the values.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
