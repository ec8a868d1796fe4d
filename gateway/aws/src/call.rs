//! Calls of AWS's own APIs: JSON 1.1 (`X-Amz-Target`) and REST-JSON, signed, retried where that is safe. Knows no
//! operation's members: callers give and take serde types.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/index.html>

use std::time::Duration;

use aws_lc_rs::rand;
use causeway_oidc::{
    clock::Clock,
    fetch::{self, BodyError},
    wire_log,
};
use http::{
    HeaderName, HeaderValue, Method, Request, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::{
    endpoint::{BadEndpoint, Endpoints, Service},
    identity::{Identity, NoCredentials, NoRegion},
    refusal::{Refusal, is_stale, is_throttling},
    sign::{self, Scope, SignError},
};

/// From a request until the last byte of its answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read at most.
const MAX_BYTES: usize = 8 << 20;

/// Tries of one call, the first among them.
const TRIES: u32 = 3;

/// Before the second try; doubled before each further one, and shortened by up to a half at random.
const PAUSE: Duration = Duration::from_millis(200);

/// Waited at most because an answer says `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// What it takes to call AWS. Clones share credentials and connections.
#[derive(Clone, Debug)]
pub struct Aws {
    http: reqwest::Client,
    identity: Identity,
    endpoints: Endpoints,
    clock: Clock,
}

/// The API of one service in one region.
#[derive(Clone, Debug)]
pub struct Api<'a> {
    aws: &'a Aws,
    service: Service,
    region: Option<&'a str>,
}

/// Why a call has no answer. No text of it holds a secret or an answer's body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    #[error(transparent)]
    Credentials(#[from] NoCredentials),
    #[error(transparent)]
    Region(#[from] NoRegion),
    #[error(transparent)]
    Endpoint(#[from] BadEndpoint),
    #[error("`{operation}` cannot be sent: {cause}")]
    Unsendable { operation: String, cause: String },
    #[error("`{operation}` cannot reach `{url}` ({cause}): check the region and the network between")]
    Unreachable { operation: String, url: String, cause: String },
    #[error("`{operation}` got no answer from `{url}` within {}s: try again later", .after.as_secs())]
    TimedOut { operation: String, url: String, after: Duration },
    #[error("`{operation}` got more than {limit} bytes from `{url}`: check that it is AWS")]
    TooLarge { operation: String, url: String, limit: usize },
    #[error("`{operation}` got {status} from `{url}`, but no answer that it knows: check that it is AWS")]
    Unexpected { operation: String, url: String, status: StatusCode },
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// An operation as it is sent, before it is signed.
struct Outgoing<'a> {
    operation: &'a str,
    method: Method,
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
}

impl Aws {
    /// `http` must follow no redirects: a signed request is meant for one host.
    pub fn new(http: reqwest::Client, identity: Identity, endpoints: Endpoints, clock: Clock) -> Self {
        Self { http, identity, endpoints, clock }
    }

    /// Who calls.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where services are.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The API of `service` in `region`; in the identity's own if none is given.
    pub fn api<'a>(&'a self, service: Service, region: Option<&'a str>) -> Api<'a> {
        Api { aws: self, service, region }
    }
}

impl Api<'_> {
    /// Calls `operation` of a JSON 1.1 API, as Secrets Manager, SSM and CloudWatch Logs have it.
    ///
    /// # Errors
    /// [`CallError`]; throttling and, for operations that only read, 5xx and broken connections have been retried.
    pub async fn json<T: DeserializeOwned>(&self, operation: &str, input: &impl Serialize) -> Result<T, CallError> {
        let region = self.region().await?;
        let target = format!("{}.{operation}", self.service.target);
        let headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1")),
            (TARGET, HeaderValue::from_str(&target).map_err(|error| unsendable(operation, error))?),
        ];
        let body = serde_json::to_vec(input).map_err(|error| unsendable(operation, error))?;
        let url = self.aws.endpoints.of(&self.service, &region)?;
        self.call(&Outgoing { operation, method: Method::POST, url, headers, body }, &region).await
    }

    /// Calls `operation` of a REST-JSON API. `path` is its path and query, starting with `/`, its labels percent-encoded
    /// (see [`label`]). Without `input` no body is sent. An empty answer is read as `{}`.
    ///
    /// # Errors
    /// [`CallError`]; throttling and, for operations that only read, 5xx and broken connections have been retried.
    pub async fn rest<T: DeserializeOwned>(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        input: Option<&impl Serialize>,
    ) -> Result<T, CallError> {
        let region = self.region().await?;
        let base = self.aws.endpoints.of(&self.service, &region)?;
        let url = format!("{}{path}", base.as_str().trim_end_matches('/'));
        let url = url.parse().map_err(|error| unsendable(operation, error))?;
        let (headers, body) = match input {
            Some(input) => (
                vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
                serde_json::to_vec(input).map_err(|error| unsendable(operation, error))?,
            ),
            None => Default::default(),
        };
        self.call(&Outgoing { operation, method, url, headers, body }, &region).await
    }

    async fn region(&self) -> Result<String, CallError> {
        match self.region {
            Some(region) => Ok(region.to_owned()),
            None => Ok(self.aws.identity.region().await?),
        }
    }

    async fn call<T: DeserializeOwned>(&self, outgoing: &Outgoing<'_>, region: &str) -> Result<T, CallError> {
        let mut renewed = false;
        let mut tries = 1;
        loop {
            let credentials = self.aws.identity.credentials().await?;
            let request = self.signed(outgoing, &credentials.value, region)?;
            let error = match self.send(outgoing, request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.is_stale() && !renewed {
                renewed = true;
                if self.aws.identity.renew(credentials.generation).await {
                    continue;
                }
            }
            if tries == TRIES || !error.is_worth_a_retry(outgoing.only_reads()) {
                return Err(error);
            }
            tokio::time::sleep(pause(tries, error.retry_after())).await;
            tries += 1;
        }
    }

    fn signed(
        &self,
        outgoing: &Outgoing<'_>,
        credentials: &aws_credential_types::Credentials,
        region: &str,
    ) -> Result<reqwest::Request, CallError> {
        let operation = outgoing.operation;
        let mut request = Request::builder().method(&outgoing.method).uri(outgoing.url.as_str());
        for (name, value) in &outgoing.headers {
            request = request.header(name, value);
        }
        let request = request.body(()).map_err(|error| unsendable(operation, error))?;
        let (mut parts, ()) = request.into_parts();
        let scope = Scope { service: self.service.signing_name, region };
        let signed = sign::sign(&mut parts, &outgoing.body, credentials, scope, self.aws.clock.now());
        signed.map_err(|error: SignError| unsendable(operation, error))?;
        let request = Request::from_parts(parts, outgoing.body.clone());
        let mut request = reqwest::Request::try_from(request).map_err(|error| unsendable(operation, error))?;
        *request.timeout_mut() = Some(TIMEOUT);
        Ok(request)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        outgoing: &Outgoing<'_>,
        request: reqwest::Request,
    ) -> Result<T, CallError> {
        let response = wire_log::send(&self.aws.http, request).await.map_err(|error| outgoing.broken(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match fetch::read_bounded(response, MAX_BYTES).await {
            Ok(body) => body,
            Err(BodyError::Broken(error)) => return Err(outgoing.broken(error)),
            Err(BodyError::TooLarge(limit)) => {
                return Err(CallError::TooLarge { operation: outgoing.operation(), url: outgoing.shown(), limit });
            }
        };
        let unexpected = || CallError::Unexpected { operation: outgoing.operation(), url: outgoing.shown(), status };
        if !status.is_success() {
            let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let refusal = Refusal::read(outgoing.operation, status, &headers, &body);
            let refusal =
                refusal.map(|refusal| Refusal { retry_after: retry_after.map(Duration::from_secs), ..refusal });
            return Err(refusal.map_or_else(unexpected, CallError::Refused));
        }
        let body = if body.is_empty() { b"{}" } else { body.as_slice() };
        serde_json::from_slice(body).map_err(|_| unexpected())
    }
}

impl CallError {
    /// AWS's name of the error, such as `ResourceNotFoundException`, if it answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.code),
            _ => None,
        }
    }

    fn is_stale(&self) -> bool {
        self.code().is_some_and(is_stale)
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }

    /// Whether the same request may be sent again: it was surely not carried out, or it `only_reads` and the fault may
    /// pass.
    fn is_worth_a_retry(&self, only_reads: bool) -> bool {
        match self {
            Self::Refused(refusal) => {
                refusal.status == StatusCode::TOO_MANY_REQUESTS
                    || is_throttling(&refusal.code)
                    || only_reads && refusal.status.is_server_error()
            }
            Self::Unexpected { status, .. } => {
                *status == StatusCode::TOO_MANY_REQUESTS || only_reads && status.is_server_error()
            }
            Self::Unreachable { .. } | Self::TimedOut { .. } => only_reads,
            _ => false,
        }
    }
}

impl Outgoing<'_> {
    fn operation(&self) -> String {
        self.operation.to_owned()
    }

    fn shown(&self) -> String {
        fetch::shown(&self.url)
    }

    /// By its name, as AWS names operations; the method says nothing where every call is a POST.
    fn only_reads(&self) -> bool {
        ["Get", "List", "Describe", "Search"].iter().any(|verb| self.operation.starts_with(verb))
    }

    fn broken(&self, error: reqwest::Error) -> CallError {
        let (operation, url) = (self.operation(), self.shown());
        if error.is_timeout() {
            CallError::TimedOut { operation, url, after: TIMEOUT }
        } else {
            CallError::Unreachable { operation, url, cause: fetch::cause(error) }
        }
    }
}

/// One segment of a path, percent-encoded: everything but unreserved characters, so that an ARN fits in.
pub fn label(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, &sign::RESERVED).to_string()
}

fn unsendable(operation: &str, cause: impl std::fmt::Display) -> CallError {
    CallError::Unsendable { operation: operation.to_owned(), cause: cause.to_string() }
}

/// How long to wait after so many tries that were refused for being too many: longer each time, and a little at random.
pub fn back_off(tries: u32) -> Duration {
    let mut random = [0];
    // Without randomness nothing else works; without jitter this does.
    let _ = rand::fill(&mut random);
    let whole = PAUSE * 2_u32.pow(tries.saturating_sub(1).min(10));
    whole - whole / 2 * u32::from(random[0]) / 255
}

/// Before the try after `tries`.
fn pause(tries: u32, asked: Option<Duration>) -> Duration {
    back_off(tries).max(asked.unwrap_or_default()).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
