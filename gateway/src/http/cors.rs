//! What browsers ask before they let a page read an answer: the pages that may call the gateway may read it too, others may
//! not. Refuses nobody; `origin.rs` does.
//!
//! Source: WHATWG Fetch, section "CORS protocol".

use std::{net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::origin::{self, Allowed};
use crate::{calls::REQUEST_ID, headers::SESSION};

/// How long a browser may remember what it was told.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Answers preflight requests and marks answers, for pages that are `allowed` on a listener at `local`.
pub(super) fn layer(local: SocketAddr, allowed: Arc<Allowed>) -> CorsLayer {
    let may_read = move |origin: &HeaderValue, _: &http::request::Parts| {
        origin::is_allowed(&String::from_utf8_lossy(origin.as_bytes()), local, &allowed)
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(may_read))
        .allow_methods([Method::POST, Method::GET, Method::DELETE])
        // The headers of tool arguments have names of the tools' choice.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([SESSION, header::WWW_AUTHENTICATE, header::RETRY_AFTER, crate::front::PATH, REQUEST_ID])
        .max_age(REMEMBERED)
}
