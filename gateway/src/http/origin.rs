//! Keeps web pages of strangers away from a gateway on this machine: a browser that runs one must not become its client.
//! Who calls with which token is not judged here.
//!
//! Source: MCP 2026-07-28, basic/transports/streamable-http, "Security & Endpoint".

use std::net::SocketAddr;

use http::{HeaderMap, header, uri::Authority};
use url::{Host, Url};

use crate::{config::is_loopback_host, error::Refused};

/// Pages that may call the gateway from elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed {
    /// The gateway's own public URL.
    pub(crate) public: Option<Url>,
    /// Of which nothing but the origin counts.
    pub(crate) origins: Vec<Url>,
}

/// Checks `Origin`, and on a loopback listener also `Host`, which a page behind a rebound name cannot forge.
///
/// A request without `Origin` comes from no page. Pages of the gateway's own public URL may call it, and on a loopback
/// listener pages of this machine, such as an inspector's.
pub(crate) fn check(headers: &HeaderMap, local: SocketAddr, allowed: &Allowed) -> Result<(), Refused> {
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let on_loopback = local.ip().is_loopback();
    let origin = text(header::ORIGIN);
    if let Some(origin) = origin.filter(|origin| !is_allowed(origin, local, allowed)) {
        return Err(Refused::Origin(origin.into_owned()));
    }
    match text(header::HOST).filter(|_| on_loopback) {
        Some(host) if !is_own(&host, local, allowed.public.as_ref()) => Err(Refused::Host(host.into_owned())),
        _ => Ok(()),
    }
}

/// Whether a page of `origin` may call the gateway.
pub(super) fn is_allowed(origin: &str, local: SocketAddr, allowed: &Allowed) -> bool {
    let Ok(url) = Url::parse(origin) else { return false };
    let configured = allowed.public.iter().chain(&allowed.origins).any(|known| known.origin() == url.origin());
    // Of an origin that is none, such as `null` or a file's, nobody knows whose it is.
    let configured = configured && url.origin().is_tuple();
    configured || (local.ip().is_loopback() && url.host().is_some_and(|host| is_loopback_host(&host)))
}

/// Whether the header `Host` names this machine, or the host of the public URL.
fn is_own(host: &str, local: SocketAddr, public: Option<&Url>) -> bool {
    // What most clients send, who call the address where the gateway says that it listens.
    if host.parse() == Ok(local) {
        return true;
    }
    let host = host.parse::<Authority>().ok().and_then(|authority| Host::parse(authority.host()).ok());
    host.is_some_and(|host| is_loopback_host(&host) || public.and_then(Url::host).is_some_and(|public| host == public))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_headers(local: &str, origin: Option<&str>, host: &str, passes: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        let url = |text| Url::parse(text).unwrap();
        let (public, origins) = (Some(url("https://gateway.example/mcp")), vec![url("https://inspector.example")]);
        let checked = check(&headers, local.parse().unwrap(), &Allowed { public, origins });
        assert_eq!(checked.is_ok(), passes, "{local} {origin:?} {host}: {checked:?}");
    }

    #[test]
    fn on_loopback_only_this_machine_and_the_public_url() {
        let check = |origin, host, passes| check_headers("127.0.0.1:8080", origin, host, passes);
        check(None, "127.0.0.1:8080", true);
        check(None, "localhost:8080", true);
        check(None, "[::1]:8080", true);
        check(None, "Gateway.Example", true);
        check(None, "tools.localhost:8080", true);
        check(None, "localhost.evil.example:8080", false);
        check(None, "evil.example:8080", false);
        check(Some("http://localhost:6274"), "localhost:8080", true);
        check(Some("https://gateway.example"), "localhost:8080", true);
        check(Some("https://inspector.example"), "localhost:8080", true);
        check(Some("https://inspector.example:8443"), "localhost:8080", false);
        check(Some("https://evil.example"), "localhost:8080", false);
        check(Some("http://evil.example:8080"), "evil.example:8080", false);
        check(Some("http://localhost.evil.example"), "localhost:8080", false);
        check(Some("null"), "localhost:8080", false);
    }

    #[test]
    fn elsewhere_only_pages_of_the_public_url() {
        let check = |origin, passes| check_headers("0.0.0.0:8080", origin, "10.0.0.7:8080", passes);
        check(None, true);
        check(Some("https://gateway.example"), true);
        check(Some("http://gateway.example"), false);
        check(Some("http://localhost:6274"), false);
    }
}
