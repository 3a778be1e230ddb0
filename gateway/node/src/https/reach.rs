//! At which addresses a machine may be asked. What an operator configures as the address of a system is a name, and whoever
//! answers for that name must not be able to lead requests of this node to what only this machine or network can see.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far requests may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To whatever the operator configured.
    Anywhere,
    /// To public addresses only.
    Public,
    /// Also to those of this machine and of private networks.
    Internal,
}

impl Reach {
    /// Whether a machine may be asked there; without TLS on this machine only.
    pub(crate) fn allows(self, address: IpAddr, is_secure: bool) -> bool {
        let address = plain(address);
        match self {
            Self::Anywhere => true,
            _ if is_never(address) => false,
            Self::Public => is_secure && !is_internal(address),
            Self::Internal => is_secure || address.is_loopback(),
        }
    }
}

/// The IPv4 address that is meant, where an IPv6 address holds one.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match six.segments() {
        // Mapped (RFC 4291), translated (RFC 6052, RFC 8215), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0 | 1, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => four(high, low),
        _ => address,
    }
}

/// Not even when the operator says that it is internal: link-local, the metadata of a cloud, many at once, nobody.
fn is_never(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, ..] = four.octets();
            first == 0 || first >= 224 || four.is_link_local()
        }
        IpAddr::V6(six) => {
            const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            // What was compatible with IPv4 once (::/96), this machine apart.
            let old = six.segments()[..6] == [0; 6] && !six.is_loopback();
            old || six.is_multicast() || six.is_unicast_link_local() || six == METADATA
        }
    }
}

/// This machine, private networks, and what is not on the internet.
fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, second, third, _] = four.octets();
            let shared = first == 100 && (64..128).contains(&second);
            let reserved = matches!((first, second, third), (192, 0, 0 | 2) | (198, 18..=19, _));
            let documentation = four.is_documentation();
            four.is_loopback() || four.is_private() || shared || reserved || documentation
        }
        IpAddr::V6(six) => {
            let [first, second, ..] = six.segments();
            let documentation = first == 0x2001 && second == 0xdb8;
            let site_local = first & 0xffc0 == 0xfec0;
            six.is_loopback() || six.is_unique_local() || documentation || site_local
        }
    }
}

#[cfg(test)]
mod tests;
