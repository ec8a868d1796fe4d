//! The admin port as the program runs it.

use std::net::SocketAddr;

/// A port of its own for who runs the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admin {
    /// On loopback nobody is asked who he is.
    pub listen: SocketAddr,
    /// Metrics are for whoever reaches the port.
    pub open_metrics: bool,
    /// Whoever sees the dashboard may call tools with it.
    pub try_tools: bool,
}
