//! Listening at a port, with the patience of a service: what is in the way now may be gone in a moment.

use super::{TcpListener, TcpStream};
use crate::clock::Duration;
use crate::source::Ready;
use std::io;
use std::net::SocketAddr;
use tokio::time::sleep;

/// A port at which connections are taken.
pub(crate) struct Listener {
    socket: TcpListener,
    log: slog::Logger,
    told: bool,
}

impl Listener {
    /// Opens `host:port` for `what` ("avro source r1"). Says once what is in the way, and tries again until it is not.
    pub(crate) async fn open(
        what: &str,
        host: &str,
        port: u16,
        ready: &mut Ready,
        log: &slog::Logger,
    ) -> Listener {
        let mut told = false;
        loop {
            match bind(host, port).await {
                Ok(socket) => {
                    if told {
                        slog::info!(log, "{what}: {host}:{port} is free now");
                    }
                    return Listener { socket, log: log.clone(), told: false };
                }
                Err(error) if !std::mem::replace(&mut told, true) => {
                    slog::error!(
                        log,
                        "{what} cannot listen at {host}:{port}: {}; it tries again every second until it can",
                        in_words(&error)
                    );
                    ready.done();
                }
                Err(_) => {}
            }
            sleep(BIND_AGAIN).await;
        }
    }

    /// The next connection. When the system gives none (too many open files, most likely), says so once and waits.
    pub(crate) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    // Replies are small and wanted at once.
                    let _gone_already = stream.set_nodelay(true);
                    if std::mem::take(&mut self.told) {
                        slog::info!(self.log, "new connections are taken again");
                    }
                    return (stream, peer);
                }
                Err(error) => {
                    if is_about_one_peer(&error) {
                        continue;
                    }
                    if !std::mem::replace(&mut self.told, true) {
                        slog::error!(
                            self.log,
                            "cannot take a new connection: {error}; those that are open go on, new ones wait (raise the limit of open files if this lasts)"
                        );
                    }
                    sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }
}

async fn bind(host: &str, port: u16) -> io::Result<TcpListener> {
    // std's and tokio's `bind` set SO_REUSEADDR: a restart need not wait for old connections to fade.
    TcpListener::bind((host, port)).await
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is in use by another process".to_owned(),
        io::ErrorKind::AddrNotAvailable => "that address is not one of this machine's".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "no permission (ports below 1024 need CAP_NET_BIND_SERVICE)".to_owned()
        }
        _ => error.to_string(),
    }
}

fn is_about_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Flume tries every three seconds.
const BIND_AGAIN: Duration = Duration::from_secs(1);
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
