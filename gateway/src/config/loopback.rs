//! Whether a URL leads to this machine, as far as the URL itself says. Asks no resolver.

use url::{Host, Url};

/// Whether `url` names a loopback address, or `localhost`. Names below `localhost` do not count: not every resolver keeps them here
/// (RFC 6761, section 6.3).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
