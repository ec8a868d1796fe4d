//! The one line that tells a parent process where the server listens. Says nothing about its health later on.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// A URL under which this machine reaches the server: an unspecified address is reached through loopback.
pub(crate) fn url(bound: SocketAddr, path: &str) -> String {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}{path}", SocketAddr::new(ip, bound.port()))
}

/// Prints the ready line on stdout.
pub(crate) fn announce(url: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", serde_json::json!({ "url": url }))?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_can_be_called() {
        let check = |bound: &str, expected| assert_eq!(url(bound.parse().unwrap(), "/mcp"), expected);
        check("127.0.0.1:41234", "http://127.0.0.1:41234/mcp");
        check("0.0.0.0:8000", "http://127.0.0.1:8000/mcp");
        check("[::]:8000", "http://[::1]:8000/mcp");
        check("10.1.2.3:80", "http://10.1.2.3:80/mcp");
    }
}
