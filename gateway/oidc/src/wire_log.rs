//! What goes over the wire, for whoever asks to see it: every HTTP exchange as an event of `tracing`, without what is secret.
//! Costs nothing where nobody listens, and never changes what is sent.

mod redact;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use reqwest::{
    Client, Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use tracing::{Level, enabled, trace};

/// The `target` of these events. Their message is text of several lines, the first of which begins with [`SENT`],
/// [`ANSWERED`] or [`FAILED`].
pub const TARGET: &str = "causeway::wire";
pub const SENT: &str = "→";
pub const ANSWERED: &str = "←";
pub const FAILED: &str = "✗";

/// In the place of a secret.
pub const REDACTED: &str = redact::REDACTED;
/// How tokens of well-known services begin.
pub const TOKEN_STARTS: &[&str] = &redact::TOKEN_STARTS;

/// Any text of one line without what is secret in it.
pub fn redacted(text: &str) -> String {
    redact::text(text)
}

/// A URL without what is secret in it.
pub fn redacted_url(url: &str) -> String {
    redact::url(url)
}

/// One request and what came of it; nothing if nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exchange(Option<Under>);

#[derive(Clone, Copy, Debug)]
struct Under {
    number: u64,
    began: Instant,
}

/// Whether somebody listens.
pub fn is_on() -> bool {
    enabled!(target: TARGET, Level::TRACE)
}

impl Exchange {
    /// Whether somebody watches it.
    pub fn is_watched(self) -> bool {
        self.0.is_some()
    }

    /// A request is about to be sent.
    pub fn begin(method: &Method, url: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        if !is_on() {
            return Self(None);
        }
        let under = Under { number: COUNT.fetch_add(1, Ordering::Relaxed), began: Instant::now() };
        let (number, url) = (under.number, redact::url(url));
        let rest = [redact::headers(headers), redact::body(kind(headers), body)].concat();
        trace!(target: TARGET, "{SENT} #{number} {method} {url}{rest}");
        Self(Some(under))
    }

    /// The head of its answer came.
    pub fn head(self, status: StatusCode, headers: &HeaderMap) {
        let Some(Under { number, began }) = self.0 else { return };
        let (millis, headers) = (began.elapsed().as_millis(), redact::headers(headers));
        trace!(target: TARGET, "{ANSWERED} #{number} {status} after {millis} ms{headers}");
    }

    /// The whole body of its answer came.
    pub fn body(self, headers: &HeaderMap, body: &[u8]) {
        let Some(Under { number, .. }) = self.0 else { return };
        trace!(target: TARGET, "{ANSWERED} #{number} body{}", redact::body(kind(headers), body));
    }

    /// One event of its answer came, which is a stream of them.
    pub fn event(self, data: &str) {
        let Some(Under { number, began }) = self.0 else { return };
        let (millis, data) = (began.elapsed().as_millis(), redact::body("application/json", data.as_bytes()));
        trace!(target: TARGET, "{ANSWERED} #{number} event after {millis} ms{data}");
    }

    /// No answer came.
    pub fn failed(self, why: &str) {
        let Some(Under { number, began }) = self.0 else { return };
        let (millis, why) = (began.elapsed().as_millis(), redact::text(why));
        trace!(target: TARGET, "{FAILED} #{number} after {millis} ms: {why}");
    }
}

/// Sends `request` as [`Client::execute`] does; the exchange goes with the response, for whoever reads its body.
///
/// # Errors
/// As [`Client::execute`].
pub async fn send(client: &Client, request: Request) -> Result<Response, reqwest::Error> {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let exchange = Exchange::begin(request.method(), request.url().as_str(), request.headers(), body);
    match client.execute(request).await {
        Ok(mut response) => {
            exchange.head(response.status(), response.headers());
            if exchange.is_watched() {
                response.extensions_mut().insert(exchange);
            }
            Ok(response)
        }
        Err(error) => {
            let error = error.without_url();
            exchange.failed(&error.to_string());
            Err(error)
        }
    }
}

/// The exchange that ended in `response`.
pub(crate) fn of(response: &Response) -> Exchange {
    response.extensions().get().copied().unwrap_or_default()
}

fn kind(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
