//! Reads a small JSON document over HTTP, bounded in size and time. Keeps nothing and tries once.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use crate::wire_log;

/// Bytes of a document that are read at most.
pub const MAX_BYTES: usize = 1 << 20;

/// From the request until the last byte.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a document could not be had. Its texts hold the URL and the cause, nothing of the document.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("`{url}` cannot be reached ({cause}): check the URL and the network between")]
    Unreachable { url: String, cause: String },
    /// Connected, but the answer was not complete in time.
    #[error("`{url}` did not answer within {}s: check that it is healthy", .after.as_secs_f32())]
    TimedOut { url: String, after: Duration },
    /// Another status than 200.
    #[error("`{url}` answered {status}: check the URL")]
    Status { url: String, status: StatusCode },
    /// More than [`MAX_BYTES`].
    #[error("`{url}` answered with more than {MAX_BYTES} bytes: check the URL")]
    TooLarge { url: String },
    /// Not the JSON that was expected.
    #[error("`{url}` answered with something else than {expected}: check the URL")]
    Unexpected { url: String, expected: &'static str },
}

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// GETs `url` and parses the answer. `expected` names the document in the error.
///
/// # Errors
/// Whatever is not a complete 200 with a `T` of at most [`MAX_BYTES`] within `timeout`.
pub async fn document<T: DeserializeOwned>(
    http: &Client,
    url: &Url,
    expected: &'static str,
    timeout: Duration,
) -> Result<T, FetchError> {
    let body = match tokio::time::timeout(timeout, body_of(http, url)).await {
        Ok(body) => body?,
        Err(_) => {
            return Err(FetchError::TimedOut { url: shown(url), after: timeout });
        }
    };
    serde_json::from_slice(&body).map_err(|_| FetchError::Unexpected { url: shown(url), expected })
}

async fn body_of(http: &Client, url: &Url) -> Result<Vec<u8>, FetchError> {
    let unreachable = |error: reqwest::Error| FetchError::Unreachable { url: shown(url), cause: cause(error) };
    let request = http.get(url.clone()).header("accept", "application/json").build().map_err(unreachable)?;
    let response = wire_log::send(http, request).await.map_err(unreachable)?;
    match response.status() {
        StatusCode::OK => {}
        status => {
            return Err(FetchError::Status { url: shown(url), status });
        }
    }
    read_bounded(response, MAX_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge(_) => FetchError::TooLarge { url: shown(url) },
        BodyError::Broken(error) => unreachable(error),
    })
}

/// The body of `response`, which is refused as soon as it exceeds `limit` bytes.
pub async fn read_bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    let exchange = wire_log::of(&response);
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    exchange.body(response.headers(), &body);
    Ok(body)
}

/// `url` for a message: without user, password, query and fragment, which may be secret.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs that cannot have a user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// The innermost cause, which is the one that says something: reqwest's own text only repeats the URL.
pub fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        let url = "https://user:password@issuer.example/path?key=secret#fragment".parse().unwrap();
        assert_eq!(shown(&url), "https://issuer.example/path");
    }
}
