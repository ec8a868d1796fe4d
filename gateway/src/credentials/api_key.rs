//! A key in a header or in a query parameter. Never expires; one that AWS keeps is read again.

use std::{fmt, sync::Arc};

use causeway_core::name::TargetName;
use http::{HeaderValue, Uri, request::Parts, uri::PathAndQuery};
use url::form_urlencoded;

use super::{CredentialError, Failure, Generation, Stage};
use crate::{
    config::{self, ApiKeyLocation},
    stored::{Sources, StoredSecret},
};

/// The key of one target. `Debug` hides it.
#[derive(Clone)]
pub struct ApiKey {
    target: TargetName,
    key: StoredSecret,
    location: ApiKeyLocation,
    prefix: String,
}

impl ApiKey {
    pub(super) fn new(target: &TargetName, config: &config::ApiKey, sources: &Sources) -> Self {
        let key = StoredSecret::new(&config.key, sources);
        Self { target: target.clone(), key, location: config.location.clone(), prefix: config.prefix.clone() }
    }

    /// Puts the key on `request` and says which it is.
    pub(super) async fn apply(&self, request: &mut Parts) -> Result<Generation, CredentialError> {
        let key = self.key.value().await.map_err(|why| self.error(Stage::Secret, why.into()))?;
        let value = [&self.prefix, key.value.expose()].concat();
        let sendable = match &self.location {
            ApiKeyLocation::Header(name) => HeaderValue::try_from(value).ok().map(|mut value| {
                value.set_sensitive(true);
                request.headers.insert(name, value);
            }),
            ApiKeyLocation::QueryParameter(name) => {
                with_parameter(&request.uri, name, &value).map(|uri| request.uri = uri)
            }
        };
        sendable.ok_or_else(|| self.error(Stage::Request, Failure::Unsendable))?;
        Ok(key.generation)
    }

    /// Whether there is another key than the one that the target refused. While AWS does not say, there is none: what is wrong
    /// is that the target refused this one.
    pub(super) async fn renew(&self, refused: Generation) -> bool {
        let renewed = self.key.renew(refused).await.map_err(|why| self.error(Stage::Secret, why.into()));
        let renewed = renewed
            .inspect_err(|error| tracing::warn!(target.name = %self.target, %error, "a refused key was not replaced"));
        renewed.unwrap_or(false)
    }

    fn error(&self, stage: Stage, failure: Failure) -> CredentialError {
        CredentialError { target: self.target.clone(), stage, failure: Arc::new(failure) }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("target", &self.target).field("location", &self.location).finish()
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
    use std::{
        future::ready,
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use causeway_oidc::{
        clock::Clock,
        kept::{Given, Interrupted, Kept},
    };
    use http::{HeaderName, Request};

    use super::*;
    use crate::secret::Secret;

    async fn applied(location: ApiKeyLocation, prefix: &str, key: &str, uri: &str) -> Result<Parts, CredentialError> {
        let (key, prefix) = (StoredSecret::Here(Secret::new(key)), prefix.into());
        let key = ApiKey { target: "logs".parse().unwrap(), key, location, prefix };
        let request = Request::builder().uri(uri).header("x-api-key", "from elsewhere").body(()).unwrap();
        let mut parts = request.into_parts().0;
        key.apply(&mut parts).await.map(|_| parts)
    }

    fn header(name: &'static str) -> ApiKeyLocation {
        ApiKeyLocation::Header(HeaderName::from_static(name))
    }

    #[tokio::test]
    async fn a_header_is_replaced_and_sensitive() {
        let parts = applied(header("x-api-key"), "", "k3y", "https://a.example/mcp").await.unwrap();
        let values: Vec<_> = parts.headers.get_all("x-api-key").iter().collect();
        assert_eq!(values, ["k3y"]);
        assert!(values[0].is_sensitive());
        let parts = applied(header("authorization"), "Bearer ", "k3y", "https://a.example/mcp").await.unwrap();
        assert_eq!(parts.headers["authorization"], "Bearer k3y");
    }

    #[tokio::test]
    async fn a_query_parameter_is_added_to_those_that_are_there() {
        let query = async |uri| {
            let location = ApiKeyLocation::QueryParameter("api key".into());
            applied(location, "p ", "k&=é", uri).await.unwrap().uri.to_string()
        };
        assert_eq!(query("https://a.example/mcp").await, "https://a.example/mcp?api+key=p+k%26%3D%C3%A9");
        assert_eq!(query("https://a.example/mcp?a=%20b").await, "https://a.example/mcp?a=%20b&api+key=p+k%26%3D%C3%A9");
        assert_eq!(query("https://a.example").await, "https://a.example/?api+key=p+k%26%3D%C3%A9");
    }

    #[tokio::test]
    async fn a_refused_key_that_cannot_be_read_again_is_no_other_error() {
        let reads = AtomicUsize::new(0);
        let kept = Kept::new(Clock::from_fn(|| Duration::ZERO), move || {
            let value = Secret::new("k3y");
            let given = Given { value, refresh_at: Duration::MAX, expires_at: None };
            ready(if reads.fetch_add(1, Ordering::SeqCst) == 0 { Ok(given) } else { Err(Interrupted.into()) })
        });
        let (key, location) = (StoredSecret::Kept(kept), header("x-api-key"));
        let key = ApiKey { target: "logs".parse().unwrap(), key, location, prefix: String::new() };
        let mut parts = Request::new(()).into_parts().0;
        let refused = key.apply(&mut parts).await.unwrap();
        assert!(!key.renew(refused).await);
        assert_eq!(key.apply(&mut parts).await.unwrap(), refused, "the key of before serves on");
    }

    #[tokio::test]
    async fn a_key_that_no_header_carries_is_an_error_without_it() {
        let error = applied(header("x-api-key"), "", "k3y\n", "https://a.example/mcp").await.unwrap_err();
        insta::assert_snapshot!(error, @"no credential for target `logs`, stage `request`: the credential holds characters that a request cannot carry: check it for line breaks");
    }
}
