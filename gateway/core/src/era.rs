//! The two eras of MCP: which versions belong to which, and the names that the modern era gave to its headers and
//! `_meta` keys. Translates nothing; `canonical.rs` does.
//!
//! Source: MCP 2026-07-28, basic/versioning and basic/transports/streamable-http.

pub mod headers;
pub mod params;

/// The newest modern version.
pub const MODERN: &str = "2026-07-28";
/// The newest legacy version.
pub const LEGACY: &str = "2025-11-25";
/// What a legacy request without a version header speaks.
pub const UNSAID: &str = "2025-03-26";
/// Every version spoken here, newest first.
pub const SUPPORTED: [&str; 5] = [MODERN, LEGACY, "2025-06-18", UNSAID, "2024-11-05"];
/// The one version that has JSON-RPC batches.
pub const BATCHES: &str = "2025-03-26";

/// `_meta` key of the protocol version of a modern request.
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// `_meta` key of the client's name and version.
pub const META_CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
/// `_meta` key of the client's capabilities.
pub const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// `_meta` key of the least log level that the client wants.
pub const META_LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
/// `_meta` key of the subscription that a notification belongs to.
pub const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
/// `_meta` key of a server's name and version.
pub const META_SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// How a peer speaks MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// 2026-07-28: stateless, everything in each request.
    Modern,
    /// 2025-11-25 and before: `initialize`, sessions.
    Legacy,
}

/// The era of a version spoken here.
pub fn era_of(version: &str) -> Option<Era> {
    match version {
        MODERN => Some(Era::Modern),
        _ => spoken(version).map(|_| Era::Legacy),
    }
}

/// The version that is spoken here under this name.
pub fn spoken(version: &str) -> Option<&'static str> {
    SUPPORTED.into_iter().find(|spoken| *spoken == version)
}

/// The version that `initialize` settles on: the one asked for, else the newest legacy one.
pub fn negotiate(requested: &str) -> &'static str {
    spoken(requested).filter(|version| era_of(version) == Some(Era::Legacy)).unwrap_or(LEGACY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initialize_never_settles_on_a_modern_version() {
        for (requested, settled) in
            [("2025-06-18", "2025-06-18"), ("2024-11-05", "2024-11-05"), (MODERN, LEGACY), ("1900-01-01", LEGACY)]
        {
            assert_eq!(negotiate(requested), settled);
        }
    }
}
