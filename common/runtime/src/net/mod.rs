//! One connection, driven through a `wire` codec; and where sockets come from.
//!
//! Everything that listens or connects names the types of this module, never tokio's: so a simulated network can be put
//! in their place.

mod buffer_pool;
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
mod swap;
mod tls;

pub use buffer_pool::BufferPool;
pub use datagrams::Datagrams;
pub use gauge::{Backlog, Gauge};
pub use guests::{Door, Guest, Guests};
pub use keepalive::{HOST_GONE, keep_alive};
pub use keystore::jceks::credential;
pub use keystore::pem::{identity_as_pem, trusted_as_pem};
pub use layers::{ClientLayers, Layered, NotTaken, ServerLayers};
pub use link::{LAST_READ, Link, Worked};
pub use listen::{Listener, Place};
pub use properties::{CLIENT_TLS, COMPRESSION, SERVER_TLS};
pub use tls::TlsDefaults;

use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes both ways: plain, or wrapped in TLS or zlib. Boxed, because a turn of a connection moves a batch, not a byte.
pub type Stream = Box<dyn Duplex>;

/// See [`Stream`].
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A TCP connection.
#[expect(clippy::disallowed_types, reason = "this is the one place")]
pub type TcpStream = tokio::net::TcpStream;
/// A TCP port that takes connections.
#[expect(clippy::disallowed_types, reason = "this is the one place")]
pub type TcpListener = tokio::net::TcpListener;
/// A TCP socket before it connects or listens.
pub type TcpSocket = tokio::net::TcpSocket;
/// A UDP socket.
pub type UdpSocket = tokio::net::UdpSocket;
