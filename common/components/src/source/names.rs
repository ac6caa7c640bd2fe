//! Names and addresses of peers, as Java writes them.

use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr, ToSocketAddrs};

/// The name of an address; the address as text when it has none. It waits for a name server. As in Java, a name counts only
/// if it stands for the address in turn.
pub(super) fn name_of(address: IpAddr) -> String {
    let name = dns_lookup::lookup_addr(&address).ok();
    name.filter(|name| addresses(name).contains(&address)).unwrap_or_else(|| as_java(address))
}

/// The addresses of a name. It waits for a name server.
pub(super) fn addresses(name: &str) -> Vec<IpAddr> {
    (name, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
}

/// As `InetAddress.getHostAddress` has it: no part of an IPv6 address is left out.
pub(super) fn as_java(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => long(address),
    }
}

fn long(address: Ipv6Addr) -> String {
    let mut text = String::new();
    for (index, part) in address.segments().into_iter().enumerate() {
        let colon = if index == 0 { "" } else { ":" };
        let _never_fails = write!(text, "{colon}{part:x}");
    }
    text
}
