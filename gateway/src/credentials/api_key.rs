//! A fixed key in a header or in a query parameter. Never expires and is never renewed.

use std::{fmt, sync::Arc};

use causeway_core::name::TargetName;
use http::{HeaderValue, Uri, request::Parts, uri::PathAndQuery};
use url::form_urlencoded;

use super::{CredentialError, Failure, Stage};
use crate::config::{self, ApiKeyLocation};

/// The key of one target. `Debug` hides it.
#[derive(Clone)]
pub struct ApiKey {
    target: TargetName,
    config: config::ApiKey,
}

impl ApiKey {
    pub(super) fn new(target: &TargetName, config: &config::ApiKey) -> Self {
        Self { target: target.clone(), config: config.clone() }
    }

    pub(super) fn apply(&self, request: &mut Parts) -> Result<(), CredentialError> {
        let value = [&self.config.prefix, self.config.key.expose()].concat();
        let sendable = match &self.config.location {
            ApiKeyLocation::Header(name) => HeaderValue::try_from(value).ok().map(|mut value| {
                value.set_sensitive(true);
                request.headers.insert(name, value);
            }),
            ApiKeyLocation::QueryParameter(name) => {
                with_parameter(&request.uri, name, &value).map(|uri| request.uri = uri)
            }
        };
        sendable.ok_or_else(|| CredentialError {
            target: self.target.clone(),
            stage: Stage::Request,
            failure: Arc::new(Failure::Unsendable),
        })
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("target", &self.target).field("location", &self.config.location).finish()
    }
}

/// `uri` with one parameter more; those that are there keep their bytes.
fn with_parameter(uri: &Uri, name: &str, value: &str) -> Option<Uri> {
    let before = uri.query().map(|query| format!("{query}&")).unwrap_or_default();
    let pair = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    let path_and_query = PathAndQuery::try_from(format!("{}?{before}{pair}", uri.path())).ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Request};

    use super::*;
    use crate::secret::Secret;

    fn applied(location: ApiKeyLocation, prefix: &str, key: &str, uri: &str) -> Result<Parts, CredentialError> {
        let config = config::ApiKey { key: Secret::new(key), location, prefix: prefix.into() };
        let key = ApiKey::new(&"logs".parse().unwrap(), &config);
        let request = Request::builder().uri(uri).header("x-api-key", "from elsewhere").body(()).unwrap();
        let mut parts = request.into_parts().0;
        key.apply(&mut parts).map(|()| parts)
    }

    fn header(name: &'static str) -> ApiKeyLocation {
        ApiKeyLocation::Header(HeaderName::from_static(name))
    }

    #[test]
    fn a_header_is_replaced_and_sensitive() {
        let parts = applied(header("x-api-key"), "", "k3y", "https://a.example/mcp").unwrap();
        let values: Vec<_> = parts.headers.get_all("x-api-key").iter().collect();
        assert_eq!(values, ["k3y"]);
        assert!(values[0].is_sensitive());
        let parts = applied(header("authorization"), "Bearer ", "k3y", "https://a.example/mcp").unwrap();
        assert_eq!(parts.headers["authorization"], "Bearer k3y");
    }

    #[test]
    fn a_query_parameter_is_added_to_those_that_are_there() {
        let query = |uri| {
            let location = ApiKeyLocation::QueryParameter("api key".into());
            applied(location, "p ", "k&=é", uri).unwrap().uri.to_string()
        };
        assert_eq!(query("https://a.example/mcp"), "https://a.example/mcp?api+key=p+k%26%3D%C3%A9");
        assert_eq!(query("https://a.example/mcp?a=%20b"), "https://a.example/mcp?a=%20b&api+key=p+k%26%3D%C3%A9");
        assert_eq!(query("https://a.example"), "https://a.example/?api+key=p+k%26%3D%C3%A9");
    }

    #[test]
    fn a_key_that_no_header_carries_is_an_error_without_it() {
        let error = applied(header("x-api-key"), "", "k3y\n", "https://a.example/mcp").unwrap_err();
        insta::assert_snapshot!(error, @"no credential for target `logs`, stage `request`: the credential holds characters that a request cannot carry: check it for line breaks");
    }
}
