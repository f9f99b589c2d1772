//! Which addresses the world outside may lead us to.
//!
//! Image references, redirects and links come from people who may create Pods and from registries;
//! none of them may make us talk to the cluster's inside. Addresses that a name resolves to are
//! checked by the very resolver whose answer is connected to; literal addresses, which no resolver
//! sees, are checked in the URL.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Resolves names, and refuses those that have an internal address.
pub(super) struct OutsideOnly;

/// The name, or the literal, leads inside.
#[derive(Debug, thiserror::Error)]
#[error("an internal address")]
pub(super) struct Internal;

impl Resolve for OutsideOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().any(|address| is_internal(address.ip())) {
                return Err(Internal.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether the URL has an internal address as its host.
pub(super) fn is_internal_literal(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_internal(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_internal(IpAddr::V6(address)),
        Some(Host::Domain(_)) => false,
        None => true,
    }
}

/// Whether an address is loopback, private, link-local, of a metadata service, or no address of one
/// host on the public network at all.
fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_internal_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(inner) => is_internal_v4(inner),
            None => is_internal_v6(address),
        },
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    a == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        || address == AZURE_METADATA
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.segments()[0] & 0xffc0 == 0xfec0
}

/// The IPv4 address that a translating IPv6 address stands for: mapped, compatible, NAT64 or 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(from(high, low)),
        [0x64, 0xff9b, 1, ..] => Some(Ipv4Addr::UNSPECIFIED),
        _ => None,
    }
}

/// The one metadata service with a public address.
const AZURE_METADATA: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_internal_addresses_are_known_in_every_spelling() {
        for (url, internal) in [
            ("https://127.0.0.1/", true),
            ("https://127.1:5000/", true),
            ("https://0x7f000001/", true),
            ("https://2130706433/", true),
            ("https://0/", true),
            ("https://10.1.2.3/", true),
            ("https://172.16.0.1/", true),
            ("https://172.32.0.1/", false),
            ("https://192.168.1.1/", true),
            ("https://169.254.169.254/", true),
            ("https://168.63.129.16/", true),
            ("https://100.64.0.1/", true),
            ("https://100.128.0.1/", false),
            ("https://192.0.0.192/", true),
            ("https://198.18.0.1/", true),
            ("https://224.0.0.1/", true),
            ("https://255.255.255.255/", true),
            ("https://93.184.215.14/", false),
            ("https://[::]/", true),
            ("https://[::1]/", true),
            ("https://[::ffff:169.254.169.254]/", true),
            ("https://[::ffff:93.184.215.14]/", false),
            ("https://[::7f00:1]/", true),
            ("https://[64:ff9b::10.0.0.1]/", true),
            ("https://[64:ff9b:1::a00:1]/", true),
            ("https://[2002:a00:1::]/", true),
            ("https://[fe80::1]/", true),
            ("https://[fec0::1]/", true),
            ("https://[fd00:ec2::254]/", true),
            ("https://[ff02::1]/", true),
            ("https://[2606:2800:21f:cb07::1]/", false),
        ] {
            assert_eq!(is_internal_literal(&url.parse().unwrap()), internal, "{url}");
        }
    }

    #[tokio::test]
    async fn p9_names_that_resolve_inside_are_refused() {
        let name: Name = "localhost".parse().unwrap();
        let error = OutsideOnly.resolve(name).await.err().unwrap();
        assert!(error.is::<Internal>(), "{error}");
    }
}
