//! Which addresses are on the internet, and name resolution that finds no others: what a stranger names must not make the gateway
//! read its own network. Connects to nothing.
//!
//! Source: the IANA special-purpose address registries (RFC 6890); RFC 6052 (NAT64).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::dns::{Name, Resolve, Resolving};

/// Finds addresses on the internet only.
#[derive(Debug)]
pub(super) struct PublicOnly;

/// A name has no address on the internet.
#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let mut public = found.filter(|address| is_public(address.ip())).collect::<Vec<_>>().into_iter().peekable();
            match public.peek() {
                Some(_) => Ok(Box::new(public) as reqwest::dns::Addrs),
                None => Err(NotPublic.into()),
            }
        })
    }
}

/// Whether an address is one that anybody on the internet can reach.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (b == 18 || b == 19))
        // Multicast, reserved, broadcast.
        || a >= 224;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(address) = address.to_ipv4_mapped() {
        return is_public_v4(address);
    }
    let segments = address.segments();
    let embedded = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(embedded(high, low)),
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Teredo, benchmarks, ORCHID and the like; documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Global unicast; everything else is of one machine, one link or one site.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_on_the_internet_are_public() {
        for public in
            ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1", "2002:101:101::1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        let not = "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 192.0.0.8 198.18.0.1 224.0.0.1 \
                   240.0.0.1 255.255.255.255 192.0.2.1 ::1 :: fe80::1 fc00::1 fd00:ec2::254 ff02::1 ::ffff:127.0.0.1 \
                   64:ff9b::a00:1 2002:a00:1::1 2001:db8::1 2001::1 3fff::1 fec0::1 ::7f00:1 64:ff9b:1::1";
        for special in not.split_whitespace() {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_not_found() {
        let found = PublicOnly.resolve("localhost".parse().unwrap()).await;
        assert_eq!(found.err().map(|error| error.to_string()).as_deref(), Some("the name has no public address"));
    }
}
