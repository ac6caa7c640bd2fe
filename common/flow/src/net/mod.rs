//! One connection, driven through a `wire` codec; and where sockets come from.
//!
//! Everything that listens or connects names the types of this module, never tokio's: so a simulated network can be put
//! in their place.

mod datagrams;
mod deflate;
mod gauge;
mod guests;
mod keepalive;
pub(crate) mod keystore;
mod layers;
mod link;
mod listen;
mod properties;
mod spent;
mod swap;
mod tls;

pub(crate) use datagrams::Datagrams;
pub(crate) use gauge::{Backlog, Gauge};
#[cfg(test)]
pub(crate) use guests::Guests;
pub(crate) use guests::{Door, Guest};
pub(crate) use keepalive::{HOST_GONE, keep_alive};
pub(crate) use layers::{ClientLayers, Layered, NotTaken, ServerLayers};
pub(crate) use link::{LAST_READ, Link, Worked};
pub(crate) use listen::{Listener, Place};
pub(crate) use properties::{CLIENT_TLS, COMPRESSION, SERVER_TLS};
pub(crate) use spent::Spent;
pub(crate) use tls::Globals;

use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes both ways: plain, or wrapped in TLS or zlib. Boxed, because a turn of a connection moves a batch, not a byte.
pub(crate) type Stream = Box<dyn Duplex>;

/// See [`Stream`].
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

#[expect(clippy::disallowed_types, reason = "this is the one place")]
pub(crate) type TcpStream = tokio::net::TcpStream;
#[expect(clippy::disallowed_types, reason = "this is the one place")]
pub(crate) type TcpListener = tokio::net::TcpListener;
pub(crate) type TcpSocket = tokio::net::TcpSocket;
pub(crate) type UdpSocket = tokio::net::UdpSocket;
