//! Whether a URL or a host leads to this machine, as far as its text says. Asks no resolver.

use url::{Host, Url};

/// Whether the host of `url` is one of this machine, by [`is_loopback_host`].
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| is_loopback_host(&host))
}

/// Whether `host` is a loopback address, `localhost`, or a name below that, all of which browsers and resolvers keep on their own
/// machine (RFC 6761, section 6.3).
pub(crate) fn is_loopback_host<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.as_ref().trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether a login may end at `url` without being listed: at a program on the user's own machine. That is another machine than this
/// one, and who resolves names there is not known; a code is worth more than a page. So this is narrower than [`is_loopback`]: RFC 8252
/// (sections 7.3 and 8.3) has addresses alone, and `localhost` itself is what most clients write all the same.
pub(crate) fn is_loopback_redirect(url: &Url) -> bool {
    let below = matches!(url.host(), Some(Host::Domain(name)) if name != "localhost");
    url.scheme() == "http" && is_loopback(url) && !below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_here_and_where_a_login_may_end() {
        let check = |url: &str, here: bool, redirect: bool| {
            let url = Url::parse(url).unwrap();
            assert_eq!((is_loopback(&url), is_loopback_redirect(&url)), (here, redirect), "{url}");
        };
        for both in ["http://127.0.0.1:8080/mcp", "http://127.8.8.8/", "http://[::1]/", "http://LOCALHOST/"] {
            check(both, true, true);
        }
        for not_for_codes in ["http://a.localhost:3000/", "http://localhost./", "https://localhost/", "ws://127.0.0.1/"]
        {
            check(not_for_codes, true, false);
        }
        for elsewhere in [
            "http://localhost.example/",
            "http://notlocalhost/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "data:,localhost",
        ] {
            check(elsewhere, false, false);
        }
    }
}
