//! Listening at a port, with the patience of a service: what is in the way now may be gone in a moment.

use super::guests::{Guest, Guests};
use super::keepalive::{give_up_unacknowledged, keep_alive};
use super::{TcpListener, TcpSocket, TcpStream};
use crate::clock::{self, Duration};
use crate::ration::{Ration, and_more};
use crate::ready::Ready;
use crate::told::Told;
use std::io;
use std::net::SocketAddr;
use tokio::net::lookup_host;
use tokio::time::sleep;

/// Where a source listens, and how many it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `bind`: the address to listen at.
    pub bind: String,
    /// `port`.
    pub port: u16,
    /// `maxConnections`, which Flume does not have.
    pub most: usize,
    /// `maxIdleSeconds`, which Flume does not have: who says nothing for so long is gone. `None`: nobody is.
    pub idle_limit: Option<Duration>,
}

impl Place {
    /// As the properties of a source say; what they leave out is as its descriptor has it.
    pub fn new(properties: &plan::Properties) -> Place {
        let seconds = properties.count("maxIdleSeconds");
        Place {
            bind: properties.word("bind").to_owned(),
            port: properties.count("port"),
            most: properties.count("maxConnections"),
            idle_limit: (seconds > 0).then(|| Duration::from_secs(seconds)),
        }
    }
}

/// A port at which connections are taken.
pub struct Listener {
    socket: TcpListener,
    log: slog::Logger,
    what: String,
    most: usize,
    guests: Guests,
    trouble: Told,
    ended: Ration,
    refused: Ration,
}

impl Listener {
    /// Opens `place` for `what` ("avro source r1"); see [`when_free`].
    pub async fn open(what: &str, place: &Place, ready: &mut Ready, log: &slog::Logger) -> Listener {
        let Place { bind: host, port, most, .. } = place;
        let socket = when_free(what, host, *port, ready, log, || bind(host, *port)).await;
        Listener {
            socket,
            log: log.clone(),
            what: what.to_owned(),
            most: *most,
            guests: Guests::default(),
            trouble: Told::once(),
            ended: Ration::default(),
            refused: Ration::default(),
        }
    }

    /// The next connection. When there are as many as there may be, or the system gives none, the idlest one goes for it.
    pub async fn accept(&mut self) -> (TcpStream, Guest) {
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    if self.trouble.over() {
                        slog::info!(self.log, "new connections are taken again");
                    }
                    if self.guests.len() >= self.most && !self.make_room("maxConnections is reached") {
                        self.refuse(peer);
                        continue;
                    }
                    // Replies are small and wanted at once. A peer that has gone already is noticed later.
                    let _gone_already = stream.set_nodelay(true);
                    let _gone_already = keep_alive(&stream).and_then(|()| give_up_unacknowledged(&stream));
                    return (stream, self.guests.add(peer, clock::now()));
                }
                Err(error) if is_about_one_peer(&error) => {}
                Err(error) => {
                    if !is_about_files(&error) || !self.make_room("no more files can be opened") {
                        self.tell(&error);
                    }
                    sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    /// Ends the idlest connection, unless none is idle.
    fn make_room(&mut self, why: &str) -> bool {
        let now = clock::now();
        let Some((peer, silent)) = self.guests.end_idlest(now) else { return false };
        if let Some(untold) = self.ended.ask(TOLD, now) {
            slog::warn!(
                self.log,
                "{}: {why}: the connection of {peer}, silent for {} s, is closed so that another can come in{}",
                self.what,
                silent.as_secs(),
                and_more(untold)
            );
        }
        true
    }

    fn refuse(&mut self, peer: SocketAddr) {
        if let Some(untold) = self.refused.ask(TOLD, clock::now()) {
            slog::warn!(
                self.log,
                "{}: {peer} is closed at once: there are {} connections, as maxConnections allows, and none is idle; raise it if there are so many senders{}",
                self.what,
                self.most,
                and_more(untold)
            );
        }
    }

    fn tell(&mut self, error: &io::Error) {
        if self.trouble.tell(clock::now()).is_some() {
            slog::error!(
                self.log,
                "cannot take a new connection: {error}; those that are open go on, new ones wait (raise the limit of open files if this lasts)"
            );
        }
    }
}

/// What `open` opens for `what` at `host` and `port`. Says once what is in the way, and tries again until it is not.
pub(crate) async fn when_free<T>(
    what: &str,
    host: &str,
    port: u16,
    ready: &mut Ready,
    log: &slog::Logger,
    open: impl AsyncFn() -> io::Result<T>,
) -> T {
    let mut trouble = Told::once();
    loop {
        match open().await {
            Ok(socket) => {
                if trouble.over() {
                    slog::info!(log, "{what}: {host}:{port} is free now");
                }
                return socket;
            }
            Err(error) if trouble.tell(clock::now()).is_some() => {
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

async fn bind(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "the host has no address");
    for address in lookup_host((host, port)).await? {
        match bind_to(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn bind_to(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait for old connections to fade.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
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

/// The limit of open files, of the process or of the system.
fn is_about_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Flume tries every three seconds.
const BIND_AGAIN: Duration = Duration::from_secs(1);
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);
/// Lines of a kind in ten seconds.
const TOLD: u32 = 2;
/// Connections that wait to be taken: as many as the system allows (`net.core.somaxconn`), which cuts this down.
const BACKLOG: u32 = i32::MAX.cast_unsigned();

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn as_many_may_wait_to_be_taken_as_the_system_allows() {
        let listener = bind("127.0.0.1", 0).await.unwrap();
        let address = listener.local_addr().unwrap();
        let table = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
        // One more than the queue holds waits in the kernel without an answer; those it holds are connected at once.
        let allowed = table.trim().parse::<usize>().unwrap().min(500);
        let mut open = Vec::new();
        for number in 0..allowed {
            let connected = tokio::time::timeout(Duration::from_secs(5), TcpStream::connect(address)).await;
            open.push(connected.unwrap_or_else(|_| panic!("connection {number} waits")).unwrap());
        }
    }
}
