//! Which proxy stands between the gateway and a URL: what `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or
//! their lower-case forms) say. Loopback is never reached through one. Opens no connection.

use hyper_util::client::proxy::matcher::Matcher;

use super::environment::{Environment, Reference};
use crate::secret::Secret;

/// Addresses of this machine, which no proxy can reach.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// The proxies of the environment. Their URLs may hold a password.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proxies {
    http: Option<Secret>,
    https: Option<Secret>,
    /// Hosts and networks that are reached directly, in the form of `NO_PROXY`.
    direct: String,
}

/// A proxy that the gateway cannot speak to. Not its URL, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the variable `{variable}` names a proxy by `{scheme}://`, and only `http://` is spoken to proxies: what goes to an `https://` \
     server is encrypted on its way through all the same"
)]
pub(super) struct OtherProxy {
    variable: String,
    scheme: String,
}

impl Proxies {
    pub(super) fn new(environment: &Environment) -> Result<Self, OtherProxy> {
        let variable = |name: &str| {
            let names = [name.to_owned(), name.to_lowercase()];
            names.into_iter().find_map(|name| {
                let value = environment.look_up(Reference::Variable(&name)).ok()?;
                Some((name, value))
            })
        };
        let proxy = |name: &str| variable(name).or_else(|| variable("ALL_PROXY")).map(spoken_to).transpose();
        let direct = variable("NO_PROXY").map(|(_, direct)| [direct.expose(), ",", LOOPBACK].concat());
        Ok(Self {
            http: proxy("HTTP_PROXY")?,
            https: proxy("HTTPS_PROXY")?,
            direct: direct.unwrap_or_else(|| LOOPBACK.into()),
        })
    }

    /// Whether one stands before `https` URLs.
    pub fn stand_before_https(&self) -> bool {
        self.https.is_some()
    }

    /// For the relay's connections.
    pub fn matcher(&self) -> Matcher {
        let url = |proxy: &Option<Secret>| proxy.as_ref().map(|url| url.expose().to_owned()).unwrap_or_default();
        Matcher::builder().http(url(&self.http)).https(url(&self.https)).no(self.direct.clone()).build()
    }

    /// For everything else.
    ///
    /// # Errors
    /// A proxy that is no URL.
    pub fn apply(&self, mut client: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, reqwest::Error> {
        let direct = || reqwest::NoProxy::from_string(&self.direct);
        client = client.no_proxy();
        if let Some(url) = &self.http {
            client = client.proxy(reqwest::Proxy::http(url.expose())?.no_proxy(direct()));
        }
        if let Some(url) = &self.https {
            client = client.proxy(reqwest::Proxy::https(url.expose())?.no_proxy(direct()));
        }
        Ok(client)
    }
}

/// A URL without a scheme is one of HTTP, as everywhere.
fn spoken_to((variable, url): (String, Secret)) -> Result<Secret, OtherProxy> {
    match url.expose().split_once("://") {
        Some((scheme, _)) if !scheme.eq_ignore_ascii_case("http") => {
            Err(OtherProxy { variable, scheme: scheme.to_owned() })
        }
        _ => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], url: &'static str, proxy: Option<&str>) {
        let proxies = Proxies::new(&Environment::of(variables.iter().copied())).unwrap();
        let through = proxies.matcher().intercept(&http::Uri::from_static(url)).map(|proxy| proxy.uri().to_string());
        assert_eq!(through.as_deref(), proxy, "{variables:?} {url}");
        assert!(proxies.apply(reqwest::Client::builder()).is_ok());
    }

    #[test]
    fn proxies_of_the_environment() {
        let https = [("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", "internal,10.0.0.0/8")];
        check(&https, "https://example.com/mcp", Some("http://proxy:3128/"));
        check(&https, "http://example.com/mcp", None);
        check(&https, "https://tools.internal/mcp", None);
        check(&https, "https://10.1.2.3/mcp", None);
        check(&[("all_proxy", "http://proxy:3128")], "http://example.com/mcp", Some("http://proxy:3128/"));
    }

    #[test]
    fn other_proxies_are_refused_without_their_password() {
        for (variable, url) in [("HTTPS_PROXY", "https://me:hunter2@proxy"), ("all_proxy", "socks5://me:hunter2@proxy")]
        {
            let refused = Proxies::new(&Environment::of([(variable, url)])).unwrap_err().to_string();
            assert!(refused.contains(variable) && !refused.contains("hunter2"), "{refused}");
        }
        assert!(Proxies::new(&Environment::of([("HTTP_PROXY", "proxy:3128")])).is_ok());
    }

    #[test]
    fn loopback_is_reached_directly() {
        for url in ["http://127.0.0.1:8000/mcp", "http://localhost:8000/mcp", "http://[::1]:8000/mcp"] {
            check(&[("HTTP_PROXY", "http://proxy:3128")], url, None);
        }
    }
}
