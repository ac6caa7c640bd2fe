//! How much of what was written a peer's kernel has not acknowledged yet.
//!
//! The kernel is asked over netlink (`sock_diag(7)`, what `ss -ti` shows), by the two addresses of a connection: an exact
//! question costs a few microseconds however many sockets there are, and needs no rights. Where there is no netlink
//! (`RestrictAddressFamilies=` without it) or the kernel is older than 4.18, nothing is known.

use crate::clock::Duration;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};
use std::net::{IpAddr, SocketAddr};

/// What is under way on a connection, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Bytes that the peer's kernel has acknowledged since the connection was made.
    pub acknowledged: u64,
    /// Segments that have arrived, also behind one that was lost and is missing.
    pub arrived: u32,
    /// Bytes in our kernel: not sent, or not acknowledged.
    pub queued: u64,
    /// How long an acknowledgement takes to come, of late.
    pub round_trip: Duration,
}

/// Tells how much is under way on one connection.
#[derive(Debug, Clone, Copy)]
pub struct Gauge {
    local: SocketAddr,
    peer: SocketAddr,
}

impl Gauge {
    /// For the connection between these two, of this process's network namespace.
    pub fn new(local: SocketAddr, peer: SocketAddr) -> Gauge {
        Gauge { local, peer }
    }

    /// `None` where it cannot be told.
    pub fn read(&self) -> Option<Backlog> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let protocol = Some(netlink::SOCK_DIAG);
        let socket =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, protocol).ok()?;
        rustix::net::send(&socket, &self.question(), SendFlags::empty()).ok()?;
        // The kernel answers within the call before.
        let mut answer = [0; ANSWER_BYTES];
        let (length, _) = rustix::net::recv(&socket, &mut answer, RecvFlags::empty()).ok()?;
        read_answer(answer.get(..length)?)
    }

    /// `struct nlmsghdr`, `struct inet_diag_req_v2`.
    fn question(&self) -> Vec<u8> {
        let (family, device) = match (self.peer, self.local) {
            (SocketAddr::V6(peer), _) => (AF_INET6, peer.scope_id()),
            _ => (AF_INET, 0),
        };
        let mut out = Vec::with_capacity(QUESTION_BYTES);
        out.extend((QUESTION_BYTES as u32).to_ne_bytes());
        out.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        out.extend(NLM_F_REQUEST.to_ne_bytes());
        out.extend([0; 8]); // sequence, sender
        out.extend([family, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0]);
        out.extend(u32::MAX.to_ne_bytes()); // in whatever state
        out.extend(self.local.port().to_be_bytes());
        out.extend(self.peer.port().to_be_bytes());
        out.extend(address(self.local.ip()));
        out.extend(address(self.peer.ip()));
        out.extend(device.to_ne_bytes());
        out.extend([0xff; 8]); // no cookie
        out
    }
}

fn address(ip: IpAddr) -> [u8; 16] {
    let mut bytes = [0; 16];
    match ip {
        IpAddr::V4(ip) => bytes[..4].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => bytes = ip.octets(),
    }
    bytes
}

/// `struct nlmsghdr`, `struct inet_diag_msg`, then attributes, one of them `struct tcp_info`.
fn read_answer(answer: &[u8]) -> Option<Backlog> {
    if u16_at(answer, 4)? != SOCK_DIAG_BY_FAMILY {
        return None; // an error: there is no such connection
    }
    let queued = u32_at(answer, WQUEUE)?.into();
    let mut at = ATTRIBUTES;
    loop {
        let length = usize::from(u16_at(answer, at)?);
        if u16_at(answer, at + 2)? == u16::from(INET_DIAG_INFO) {
            let info = answer.get(at + 4..at + length)?;
            return Some(Backlog {
                acknowledged: u64::from_ne_bytes(info.get(120..128)?.try_into().ok()?),
                arrived: u32_at(info, 192)?,
                queued,
                round_trip: Duration::from_micros(u32_at(info, 68)?.into()),
            });
        }
        at += length.max(4).next_multiple_of(4);
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

// From linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h, which never change.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
const INET_DIAG_INFO: u8 = 2;
const QUESTION_BYTES: usize = 16 + 56;
/// Where `idiag_wqueue` stands: bytes written and not acknowledged.
const WQUEUE: usize = 16 + 60;
const ATTRIBUTES: usize = 16 + 72;
/// An answer is some 500 bytes long; what does not fit is cut off, and no harm done.
const ANSWER_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{TcpListener, TcpStream};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{sleep, timeout};

    const SOON: Duration = Duration::from_secs(20);

    async fn until(gauge: Gauge, what: &str, holds: impl Fn(Backlog) -> bool) -> Backlog {
        let mut last = None;
        let waited = timeout(SOON, async {
            loop {
                last = gauge.read();
                match last {
                    Some(backlog) if holds(backlog) => return backlog,
                    _ => sleep(Duration::from_millis(5)).await,
                }
            }
        });
        let waited = waited.await.ok();
        waited.unwrap_or_else(|| panic!("{what}, but {last:?}"))
    }

    #[tokio::test]
    async fn what_a_peer_does_not_read_is_queued_and_what_it_reads_is_acknowledged() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(host).await else { continue };
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut peer, _) = listener.accept().await.unwrap();
            let gauge = Gauge::new(stream.local_addr().unwrap(), stream.peer_addr().unwrap());
            stream.write_all(b"x").await.unwrap();
            let small = until(gauge, "one byte is acknowledged", |backlog| backlog.queued == 0).await;
            let chunk = vec![0; 1 << 20];
            let mut written = 0;
            while let Ok(Ok(now)) = timeout(Duration::from_millis(100), stream.write(&chunk)).await {
                written += now as u64;
            }
            let full = until(gauge, "the window is full", |backlog| backlog.queued > 0).await;
            assert!(full.acknowledged > small.acknowledged && full.arrived > small.arrived, "{full:?}");
            assert_eq!(full.acknowledged + full.queued - small.acknowledged, written, "{full:?}");
            let drain = async { while peer.read_exact(&mut [0; 4096]).await.is_ok() {} };
            tokio::select! {
                () = drain => panic!("the peer reads to the end"),
                _ = until(gauge, "all is acknowledged", |backlog| backlog.queued == 0) => {}
            }
        }
    }

    #[test]
    fn a_connection_that_is_not_there_has_no_backlog() {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(Gauge::new(at(1), at(2)).read(), None);
        assert_eq!(read_answer(&[]), None);
        let mut cut = vec![0; ATTRIBUTES + 4];
        cut[4] = SOCK_DIAG_BY_FAMILY as u8;
        assert_eq!(read_answer(&cut), None, "attributes without a length end the search");
    }
}
