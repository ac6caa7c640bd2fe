//! A port at which datagrams come in.

use super::UdpSocket;
use super::listen::when_free;
use crate::ready::Ready;
use std::io;
use std::net::SocketAddr;

/// A UDP port.
pub struct Datagrams(UdpSocket);

impl Datagrams {
    /// Opens `host` and `port` for `what` ("netcatudp source r1"). Says once what is in the way, and tries again until it
    /// is not.
    pub async fn open(what: &str, host: &str, port: u16, ready: &mut Ready, log: &slog::Logger) -> Datagrams {
        Datagrams(when_free(what, host, port, ready, log, || UdpSocket::bind((host, port))).await)
    }

    /// Waits for a datagram: how many bytes of it stand in `buffer`, and who sent it. What does not fit is lost.
    ///
    /// # Errors
    /// The operating system's.
    pub async fn next(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.recv_from(buffer).await
    }

    /// The same for one that is there already.
    pub fn more(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.0.try_recv_from(buffer).ok()
    }
}
