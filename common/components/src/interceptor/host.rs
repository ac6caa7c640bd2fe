//! This machine's own address and name, as Java finds them.

use super::header::HostLookup;
use java::Zone;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};

/// What a chain needs to know about the machine, to be built.
pub(super) struct HostInfo<'a> {
    pub(super) host: HostLookup<'a>,
    pub(super) zone: Zone,
}

impl HostInfo<'_> {
    /// This machine's.
    pub(super) fn zone() -> Zone {
        let now = jiff::Timestamp::from_millisecond(runtime::clock::epoch_millis()).unwrap_or_default();
        let zone = jiff::tz::TimeZone::system();
        let year = now.to_zoned(zone.clone()).year();
        Zone { zone, year }
    }
}

/// The address that this machine's host name stands for, IPv4 before IPv6, or (without `use_ip`) its canonical name: the
/// name of that address, if the name stands for the address in turn, else the address.
///
/// Asks the system's resolver, once, when a chain is built: it may take as long as the resolver is patient.
///
/// # Errors
/// The resolver's.
pub fn look_up(use_ip: bool) -> io::Result<String> {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    let addresses = addresses(&name)?;
    let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    let address =
        *first.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{name} has no address")))?;
    if use_ip {
        return Ok(address.to_string());
    }
    let canonical = dns_lookup::lookup_addr(&address).ok();
    let canonical = canonical.filter(|name| addresses_of(name).contains(&address));
    Ok(canonical.unwrap_or_else(|| address.to_string()))
}

fn addresses(name: &str) -> io::Result<Vec<IpAddr>> {
    let found = (name, 0).to_socket_addrs();
    let found = found.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    Ok(found.map(|address| address.ip()).collect())
}

fn addresses_of(name: &str) -> Vec<IpAddr> {
    addresses(name).unwrap_or_default()
}
