//! Headers of MCP over HTTP, as names that are known when this is compiled: looking one up then costs a request less.

use causeway_core::era::headers;
use http::HeaderName;

/// The protocol version of a request.
pub(crate) const VERSION: HeaderName = HeaderName::from_static(headers::VERSION);
/// Repeats `method`.
pub(crate) const METHOD: HeaderName = HeaderName::from_static(headers::METHOD);
/// Repeats `params.name` or `params.uri`.
pub(crate) const NAME: HeaderName = HeaderName::from_static(headers::NAME);
/// Names the session of a legacy client or target.
pub(crate) const SESSION: HeaderName = HeaderName::from_static(headers::SESSION);
