//! The way to a server: its name, a connection, its certificate, its clock. Asks it nothing that a browser would not.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, UNIX_EPOCH},
};

use causeway_oidc::{clock::Clock, fetch, wire_log};
use http::header::DATE;
use reqwest::tls::TlsInfo;
use tokio::net::{TcpStream, lookup_host};
use url::{Host, Url};

use super::{Finding, certificate};
use crate::{
    cli::screen::duration,
    config::{Config, is_loopback},
};

/// A certificate that ends sooner is worth a word.
const SOON: Duration = Duration::from_secs(14 * 86_400);
/// AWS refuses signatures that are off by more, issuers' tokens fail sooner.
const MOST_SKEW: Duration = Duration::from_secs(5 * 60);
const SKEW: Duration = Duration::from_secs(30);

/// What it takes to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network<'a> {
    pub(super) config: &'a Config,
    pub(super) probe: &'a reqwest::Client,
    pub(super) clock: &'a Clock,
}

impl Network<'_> {
    /// What is seen on the way to the server of `url`: ends with the first thing that does not work.
    pub(super) async fn look(&self, url: &Url) -> Vec<Finding> {
        let mut findings = Vec::new();
        let proxy = url.as_str().parse().ok().and_then(|uri: http::Uri| self.config.proxies.matcher().intercept(&uri));
        let reached = match &proxy {
            Some(proxy) => {
                let address = proxy.uri().authority().map_or("?", |it| it.as_str().rsplit('@').next().unwrap_or("?"));
                Ok(format!("through the proxy {address}"))
            }
            None => direct(url).await,
        };
        match reached {
            Ok(seen) => findings.push(Finding::good("network", seen)),
            Err(problem) => return vec![problem],
        }
        findings.extend(self.answer(url).await);
        findings
    }

    /// TLS and time, from one answer of the server, whatever it says.
    async fn answer(&self, url: &Url) -> Vec<Finding> {
        let Ok(origin) = url.join("/") else { return Vec::new() };
        let Ok(request) = self.probe.get(origin).build() else { return Vec::new() };
        let answer = match wire_log::send(self.probe, request).await {
            Ok(answer) => answer,
            Err(error) => return vec![broken(url, error)],
        };
        let mut findings = self.tls(url, answer.extensions().get::<TlsInfo>());
        let date = answer.headers().get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        findings.extend(date.and_then(|date| self.skew(date.duration_since(UNIX_EPOCH).ok()?)));
        findings
    }

    fn tls(&self, url: &Url, info: Option<&TlsInfo>) -> Vec<Finding> {
        let certificate = info.and_then(TlsInfo::peer_certificate).map(certificate::read);
        match (url.scheme(), certificate) {
            ("http", _) if is_loopback(url) => Vec::new(),
            ("http", _) => {
                let seen = "what goes there can be read on the way, credentials too";
                vec![Finding::warning("TLS", seen).todo("use the server's `https` URL")]
            }
            (_, Some(Some(certificate))) => vec![self.certificate(&certificate)],
            (_, _) => vec![Finding::good("TLS", "the certificate is trusted")],
        }
    }

    fn certificate(&self, certificate: &certificate::Certificate) -> Finding {
        let left = certificate.ends.saturating_sub(self.clock.now());
        let ends = httpdate::fmt_http_date(UNIX_EPOCH + certificate.ends);
        let subject = &certificate.subject;
        let seen = format!("certificate of {subject} is trusted and ends in {} ({ends})", duration(left));
        match left < SOON {
            true => Finding::warning("TLS", seen).todo("have it renewed"),
            false => Finding::good("TLS", seen),
        }
    }

    /// How far the server's clock, which said `theirs`, is from ours.
    fn skew(&self, theirs: Duration) -> Option<Finding> {
        let ours = self.clock.now();
        let off = ours.abs_diff(theirs);
        let seen = || {
            let word = if ours > theirs { "ahead of" } else { "behind" };
            format!("this machine's clock is {} {word} the server's", duration(off))
        };
        let advice = "set this machine's clock, for example with NTP";
        if off > MOST_SKEW {
            return Some(Finding::problem("clock", seen()).todo(advice));
        }
        (off > SKEW).then(|| Finding::warning("clock", seen()).todo(advice))
    }
}

/// The name and a connection.
async fn direct(url: &Url) -> Result<String, Finding> {
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(
            Finding::problem("network", "the URL has no host").todo("write it like `https://tools.example.com/mcp`")
        );
    };
    let addresses: Vec<SocketAddr> = match &host {
        Host::Ipv4(ip) => vec![(*ip, port).into()],
        Host::Ipv6(ip) => vec![(*ip, port).into()],
        Host::Domain(name) => match lookup_host((*name, port)).await {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                let seen = format!("the name `{name}` leads nowhere: {error}");
                return Err(Finding::problem("DNS", seen).todo("check the name, and the DNS servers of this machine"));
            }
        },
    };
    let began = Instant::now();
    let mut failed = None;
    for address in &addresses {
        match TcpStream::connect(address).await {
            Ok(_) => return Ok(format!("{address} connects in {} ms", began.elapsed().as_millis())),
            Err(error) => failed = Some(format!("{address}: {error}")),
        }
    }
    let seen = format!("no connection to `{host}`: {}", failed.unwrap_or_else(|| "it has no address".into()));
    Err(Finding::problem("network", seen).todo("check that the server runs, the port, and firewalls between"))
}

/// Connected, and then no answer.
fn broken(url: &Url, error: reqwest::Error) -> Finding {
    let shown = fetch::shown(url);
    let cause = fetch::cause(error);
    let lower = cause.to_lowercase();
    if ["certificate", "unknownissuer", "tls", "handshake"].iter().any(|word| lower.contains(word)) {
        let advice = "check the certificate, its name and its end; a company's own authority must be one that this system \
                      trusts (`SSL_CERT_FILE`)";
        return Finding::problem("TLS", format!("no secure connection to `{shown}`: {cause}")).todo(advice);
    }
    Finding::problem("network", format!("`{shown}` broke off: {cause}")).todo("check that the server speaks HTTP there")
}
