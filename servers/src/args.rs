//! What a sample server can be told on its command line or by environment. Settings of one server alone live with it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use clap::{Args, builder::FalseyValueParser};

/// Port of an MCP server in AgentCore Runtime's container contract.
const PORT: u16 = 8000;

/// Where and how a sample server serves.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Address to listen on [default: 0.0.0.0:8000 in a container, 127.0.0.1:8000 elsewhere]
    #[arg(long, value_name = "ADDR", env = "LISTEN")]
    pub listen: Option<SocketAddr>,

    /// Path of the MCP endpoint
    #[arg(long, default_value = "/mcp", value_parser = mcp_path)]
    pub path: String,

    /// Serve over stdin and stdout instead of HTTP
    #[arg(long)]
    pub stdio: bool,

    /// Print one line of JSON on stdout once serving: {"url":"http://127.0.0.1:8000/mcp"}
    #[arg(long)]
    pub ready_json: bool,

    /// Ask the server that listens there whether it is well, and end: for the health checks of containers
    #[arg(long)]
    pub check_health: bool,

    /// Stop when stdin ends, so that a parent that dies leaves nothing behind
    #[arg(long)]
    pub exit_with_stdin: bool,

    /// Says that this is a container, where no marker file does
    #[arg(long, hide = true, env = "DOCKER_CONTAINER", value_parser = FalseyValueParser::new())]
    pub in_container: bool,

    /// Which callers to let in.
    #[command(flatten)]
    pub jwt: JwtArgs,
}

/// Which bearer token a caller must bring; without a discovery URL, none. An empty text counts as not set.
///
/// Source: `customJWTAuthorizer` of an AgentCore Runtime.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Callers")]
pub struct JwtArgs {
    /// Demand a JWT of the issuer with this OIDC discovery document
    #[arg(long = "jwt-discovery-url", value_name = "URL", env = "JWT_DISCOVERY_URL")]
    pub discovery_url: Option<String>,

    /// Accepted values of the claim `client_id`
    #[arg(long = "jwt-allowed-clients", value_name = "IDS", env = "JWT_ALLOWED_CLIENTS", value_delimiter = ',')]
    pub allowed_clients: Vec<String>,

    /// Accepted values of the claims `scope` and `scp`
    #[arg(long = "jwt-allowed-scopes", value_name = "SCOPES", env = "JWT_ALLOWED_SCOPES", value_delimiter = ',')]
    pub allowed_scopes: Vec<String>,

    /// Accepted values of the claim `aud`
    #[arg(
        long = "jwt-allowed-audience",
        value_name = "AUDIENCES",
        env = "JWT_ALLOWED_AUDIENCE",
        value_delimiter = ','
    )]
    pub allowed_audience: Vec<String>,
}

impl ServeArgs {
    /// The address to bind: the one asked for, else port 8000 on every interface in a container and on loopback
    /// elsewhere.
    pub fn listen_addr(&self) -> SocketAddr {
        self.listen.unwrap_or_else(|| {
            let container = self.in_container || has_container_marker();
            let ip = if container { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
            SocketAddr::new(IpAddr::V4(ip), PORT)
        })
    }
}

/// Docker and Podman each leave an empty file in their containers.
fn has_container_marker() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|marker| Path::new(marker).exists())
}

/// A path that is one fixed route: what axum would read as a pattern is refused.
fn mcp_path(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    if text.len() > 1 && text.starts_with('/') && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("a path starts with `/` and holds letters, digits and `/-_.~`, for example `/mcp`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        serve: ServeArgs,
    }

    fn parse(args: &[&str]) -> Result<ServeArgs, clap::Error> {
        Cli::try_parse_from([&["server"], args].concat()).map(|cli| cli.serve)
    }

    #[test]
    fn a_container_listens_on_every_interface() {
        let args = parse(&["--in-container"]).unwrap();
        assert_eq!(args.listen_addr(), "0.0.0.0:8000".parse().unwrap());
        let args = parse(&["--in-container", "--listen", "127.0.0.1:9"]).unwrap();
        assert_eq!(args.listen_addr(), "127.0.0.1:9".parse().unwrap());
    }

    #[test]
    fn paths() {
        assert_eq!(parse(&[]).unwrap().path, "/mcp");
        assert_eq!(parse(&["--path", "/a/b"]).unwrap().path, "/a/b");
        for bad in ["mcp", "/", "/{x}", "/a b", ""] {
            assert!(parse(&["--path", bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_are_comma_separated() {
        let args = parse(&["--jwt-allowed-scopes", "a/read,a/write"]).unwrap();
        assert_eq!(args.jwt.allowed_scopes, ["a/read", "a/write"]);
    }
}
